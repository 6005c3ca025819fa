#include "partition_keeper.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/rfc3339.h"
#include "domain/trade.h"

enum { SQL_BYTES = 128, NAMES_BYTES = 1024 };

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
static const int64_t upkeep_interval_ms = INT64_C(24) * 3600 * 1000;
static const int64_t upkeep_retry_ms = INT64_C(60) * 1000;

void partition_keeper_init(struct partition_keeper *keeper, int64_t retention_ms)
{
    *keeper = (struct partition_keeper){.retention_ms = retention_ms};
}

void partition_keeper_forget(struct partition_keeper *keeper)
{
    partition_keeper_init(keeper, keeper->retention_ms);
}

static int make_partition(struct partition_keeper *keeper, struct pg_client *client, int month,
                          struct err *err)
{
    char date[PARTITION_DATE_BYTES];
    char sql[SQL_BYTES];
    char is_new[8];

    partition_month_date(month, date);
    (void)snprintf(sql, sizeof sql, "SELECT create_trades_partition('%s')", date);
    if (pg_client_ask(client, sql, is_new, sizeof is_new, err) != 0)
        return err_wrap(err, "partition of trades for %s", date);
    if (is_new[0] == 't')
        log_info("partition of trades created", LOG_STR("month", date));
    month_set_add(&keeper->known, month);
    return 0;
}

static int make_missing(struct partition_keeper *keeper, struct pg_client *client,
                        const struct month_set *wanted, struct err *err)
{
    int month = -1;

    while ((month = month_set_next_missing(wanted, &keeper->known, month + 1)) >= 0) {
        if (make_partition(keeper, client, month, err) != 0)
            return -1;
    }
    return 0;
}

int partition_keeper_prepare(struct partition_keeper *keeper, struct pg_client *client,
                             struct persist_item *const *items, size_t count, int64_t now_ms,
                             struct err *err)
{
    struct month_set wanted = {0};
    int64_t last_day = INT64_MIN; /* most rows are of the same day, so of the same month */

    for (size_t i = 0; i < count; i++) {
        const struct trade *trade = items[i]->record;
        int month;

        if (items[i]->table != TABLE_TRADES || items[i]->is_excluded ||
            trade->event_time_ms / day_ms == last_day)
            continue;
        last_day = trade->event_time_ms / day_ms;
        month = partition_month(trade->event_time_ms, now_ms);
        if (month >= 0)
            month_set_add(&wanted, month);
    }
    return make_missing(keeper, client, &wanted, err);
}

static int drop_old(struct partition_keeper *keeper, struct pg_client *client, int64_t now_ms,
                    struct err *err)
{
    char keep_from[RFC3339_BYTES];
    char sql[SQL_BYTES];
    char names[NAMES_BYTES];

    rfc3339_format_s(now_ms - keeper->retention_ms, keep_from);
    (void)snprintf(sql, sizeof sql,
                   "SELECT string_agg(name, ', ') FROM drop_trades_partitions('%s') AS name",
                   keep_from);
    if (pg_client_ask(client, sql, names, sizeof names, err) != 0)
        return err_wrap(err, "drop old partitions of trades");
    if (names[0])
        log_info("old partitions of trades dropped", LOG_STR("partitions", names),
                 LOG_STR("keep_from", keep_from));
    keeper->known = (struct month_set){0};
    return 0;
}

int partition_keeper_upkeep(struct partition_keeper *keeper, struct pg_client *client,
                            int64_t now_ms, struct err *err)
{
    struct month_set ahead = {0};

    if (now_ms < keeper->next_upkeep_ms)
        return 0;
    keeper->next_upkeep_ms = now_ms + upkeep_retry_ms;
    month_set_add_ahead(&ahead, now_ms);
    if (make_missing(keeper, client, &ahead, err) != 0)
        return -1;
    if (keeper->retention_ms > 0 && drop_old(keeper, client, now_ms, err) != 0)
        return -1;
    keeper->next_upkeep_ms = now_ms + upkeep_interval_ms;
    return 0;
}
