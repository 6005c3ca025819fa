/* currencies: the row of the newest snapshot stays; what a whole newer snapshot lacks is marked. */
#include <string.h>

#include "compare.h"
#include "copy_binary.h"
#include "domain/currency_chain.h"
#include "table_store.h"

#define STATE_COLUMNS                                                                              \
    "name, logo_link, ct_addr, can_dep, can_wd, can_internal, dep_est_open_time, "                 \
    "wd_est_open_time, min_dep, min_wd, min_internal, max_wd, wd_tick_sz, wd_quota, "              \
    "used_wd_quota, fee, min_fee, max_fee, min_fee_for_ct_addr, max_fee_for_ct_addr, "             \
    "burning_fee_rate, main_net, need_tag, min_dep_arrival_confirm, min_wd_unlock_confirm, "       \
    "dep_quota_fixed, used_dep_quota_fixed, dep_quote_daily_layer2, snapshot_at, snapshot_rows, "  \
    "received_at, extra"
#define COLUMNS "ccy, chain, " STATE_COLUMNS
enum { COLUMN_COUNT = 34 };

static int compare_keys(const void *left, const void *right)
{
    const struct currency_chain *a = left, *b = right;
    int order = strcmp(a->currency, b->currency);

    return order != 0 ? order : strcmp(a->chain, b->chain);
}

static int compare_states(const void *left, const void *right)
{
    const struct currency_chain *a = left, *b = right;
    int order = COMPARE(a->snapshot_time_ms, b->snapshot_time_ms);

    return order != 0 ? order : COMPARE(a->received_at_us, b->received_at_us);
}

static void append_limits(const struct currency_chain *chain, struct buf *rows)
{
    copy_optional_decimal(rows, chain->min_deposit);
    copy_optional_decimal(rows, chain->min_withdrawal);
    copy_optional_decimal(rows, chain->min_internal);
    copy_optional_decimal(rows, chain->max_withdrawal);
    copy_optional_decimal(rows, chain->withdrawal_tick_size);
    copy_optional_decimal(rows, chain->withdrawal_quota);
    copy_optional_decimal(rows, chain->used_withdrawal_quota);
    copy_optional_decimal(rows, chain->fee);
    copy_optional_decimal(rows, chain->min_fee);
    copy_optional_decimal(rows, chain->max_fee);
    copy_optional_decimal(rows, chain->min_fee_contract);
    copy_optional_decimal(rows, chain->max_fee_contract);
    copy_optional_decimal(rows, chain->burning_fee_rate);
}

static void append_row(const void *record, struct buf *rows)
{
    const struct currency_chain *chain = record;

    copy_row(rows, COLUMN_COUNT);
    copy_text(rows, chain->currency);
    copy_text(rows, chain->chain);
    copy_text(rows, chain->name);
    copy_text(rows, chain->logo_link);
    copy_text(rows, chain->contract_address);
    copy_optional_bool(rows, chain->can_deposit);
    copy_optional_bool(rows, chain->can_withdraw);
    copy_optional_bool(rows, chain->can_internal);
    copy_optional_time_ms(rows, chain->deposit_open_time_ms);
    copy_optional_time_ms(rows, chain->withdrawal_open_time_ms);
    append_limits(chain, rows);
    copy_optional_bool(rows, chain->is_main_net);
    copy_optional_bool(rows, chain->needs_tag);
    copy_optional_int64(rows, chain->min_deposit_confirmations);
    copy_optional_int64(rows, chain->min_withdrawal_confirmations);
    copy_optional_decimal(rows, chain->deposit_quota_fixed);
    copy_optional_decimal(rows, chain->used_deposit_quota_fixed);
    copy_optional_decimal(rows, chain->deposit_quota_layer2);
    copy_time_ms(rows, chain->snapshot_time_ms);
    copy_int64(rows, chain->snapshot_rows);
    copy_time_us(rows, chain->received_at_us);
    copy_extra_fields(rows, &chain->extra);
}

const struct table_store currency_store = {
    .table = "currencies",
    .stage_sql = "CREATE TEMPORARY TABLE currencies_staged (LIKE currencies) ON COMMIT DELETE ROWS",
    .copy_sql = "COPY currencies_staged (" COLUMNS ") FROM STDIN (FORMAT binary)",
    .merge_sql =
        "INSERT INTO currencies AS kept (" COLUMNS ") SELECT " COLUMNS " FROM currencies_staged"
        " ON CONFLICT (ccy, chain) DO UPDATE SET (" STATE_COLUMNS ", delisted_at) ="
        " (SELECT " STATE_COLUMNS ", NULL::timestamptz FROM (SELECT excluded.*) AS state)"
        " WHERE (excluded.snapshot_at, excluded.received_at) >"
        " (kept.snapshot_at, kept.received_at)",
    .settle_sql =
        "UPDATE currencies SET delisted_at = newest.snapshot_at FROM"
        " (SELECT snapshot_at, max(snapshot_rows) AS expected, count(*) AS stored FROM currencies"
        " GROUP BY snapshot_at ORDER BY snapshot_at DESC LIMIT 1) AS newest"
        " WHERE newest.stored >= newest.expected AND delisted_at IS NULL"
        " AND currencies.snapshot_at < newest.snapshot_at",
    .compare_keys = compare_keys,
    .compare_states = compare_states,
    .append_row = append_row,
};
