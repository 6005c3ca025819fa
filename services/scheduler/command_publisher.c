#include "command_publisher.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

enum { KIND_COUNT = FETCH_KIND_CURRENCIES + 1, REASON_COUNT = FETCH_REASON_GAP + 1 };

struct command_publisher {
    struct record_writer *writer;
    struct metric *published[KIND_COUNT][REASON_COUNT]; /* NULL: not counted */
};

static const char *const reason_names[REASON_COUNT] = {
    [FETCH_REASON_SCHEDULE] = "schedule",
    [FETCH_REASON_BACKFILL] = "backfill",
    [FETCH_REASON_GAP] = "gap",
};

/* What the scheduler asks for, or asks for again. */
static const struct {
    enum fetch_kind kind;
    enum fetch_reason reason;
} published_kinds[] = {
    {FETCH_KIND_CANDLES, FETCH_REASON_SCHEDULE},    {FETCH_KIND_CANDLES, FETCH_REASON_BACKFILL},
    {FETCH_KIND_CANDLES, FETCH_REASON_GAP}, /* a hand-made command that failed */
    {FETCH_KIND_CURRENCIES, FETCH_REASON_SCHEDULE}, {FETCH_KIND_TRADES, FETCH_REASON_GAP},
};

static struct metric *counter_of(struct metrics *metrics, enum fetch_kind kind,
                                 enum fetch_reason reason)
{
    char labels[64];

    snprintf(labels, sizeof labels, "kind=\"%s\",reason=\"%s\"", fetch_kind_name(kind),
             reason_names[reason]);
    return metrics_counter(metrics, "currency_trends_commands_published_total",
                           "Commands sent to the control topic, repeats included.", labels);
}

struct command_publisher *command_publisher_create(struct record_writer *writer,
                                                   struct metrics *metrics)
{
    struct command_publisher *publisher = mem_calloc(1, sizeof *publisher);

    publisher->writer = writer;
    for (size_t i = 0; i < sizeof published_kinds / sizeof published_kinds[0]; i++) {
        const enum fetch_kind kind = published_kinds[i].kind;
        const enum fetch_reason reason = published_kinds[i].reason;

        publisher->published[kind][reason] = counter_of(metrics, kind, reason);
    }
    return publisher;
}

void command_publisher_destroy(struct command_publisher *publisher)
{
    free(publisher);
}

static void on_delivery(const struct kafka_delivery *delivery, void *context)
{
    (void)context;
    if (delivery->error)
        log_warn("a command was not delivered, it will be asked again",
                 LOG_STR("reason", rd_kafka_err2str(delivery->error)));
}

int command_publisher_send(struct command_publisher *publisher, const struct fetch_command *command,
                           struct err *err)
{
    if (record_writer_send(publisher->writer, RECORD_FETCH_COMMAND, command, on_delivery, NULL,
                           err) != 0)
        return -1;
    if (publisher->published[command->kind][command->reason])
        metric_increment(publisher->published[command->kind][command->reason]);
    return 0;
}
