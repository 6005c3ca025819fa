#include "published_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/record_reader.h"
#include "io/topic_reader.h"

enum { RECORDS_PER_POLL = 10000, POLL_MS = 5 };

struct tail_entry {
    char inst_id[INST_ID_BYTES];
    int32_t partition;
    struct published_trade trade;
};

struct published_tail {
    struct topic_reader *topic;
    struct record_reader *reader;
    bool *is_reading; /* by partition */
    struct tail_entry *entries;
    size_t count;
    size_t capacity;
    rd_kafka_message_t *held; /* waits for the schema registry; owned */
};

struct published_tail *published_tail_create(const struct kafka_settings *settings,
                                             struct schema_registry *registry, struct err *err)
{
    struct published_tail *tail = mem_calloc(1, sizeof *tail);

    tail->is_reading = mem_calloc((size_t)settings->topic_partitions, sizeof *tail->is_reading);
    tail->reader = record_reader_create(registry);
    tail->topic = topic_reader_create(settings, "ingestor-trades",
                                      topic_name(&settings->topics, TOPIC_TRADES), err);
    if (!tail->topic) {
        published_tail_destroy(tail);
        return NULL;
    }
    return tail;
}

void published_tail_destroy(struct published_tail *tail)
{
    if (!tail)
        return;
    if (tail->held)
        rd_kafka_message_destroy(tail->held);
    topic_reader_destroy(tail->topic);
    record_reader_destroy(tail->reader);
    free(tail->is_reading);
    free(tail->entries);
    free(tail);
}

static void forget(struct published_tail *tail, int32_t partition)
{
    size_t kept = 0;

    for (size_t i = 0; i < tail->count; i++) {
        if (tail->entries[i].partition != partition)
            tail->entries[kept++] = tail->entries[i];
    }
    tail->count = kept;
}

int published_tail_begin(struct published_tail *tail, int32_t partition, struct optional_int64 from,
                         struct err *err)
{
    int64_t offset = from.present ? from.value : RD_KAFKA_OFFSET_BEGINNING;

    forget(tail, partition);
    if (topic_reader_add(tail->topic, partition, offset, err) != 0)
        return -1;
    tail->is_reading[partition] = true;
    return 0;
}

bool published_tail_is_reading(const struct published_tail *tail, int32_t partition)
{
    return tail->is_reading[partition];
}

void published_tail_stop(struct published_tail *tail, int32_t partition)
{
    if (tail->is_reading[partition])
        topic_reader_remove(tail->topic, partition);
    tail->is_reading[partition] = false;
    forget(tail, partition);
}

static void add_entry(struct published_tail *tail, const struct trade *trade, int32_t partition,
                      int64_t offset)
{
    if (tail->count == tail->capacity) {
        tail->capacity = tail->capacity ? 2 * tail->capacity : 256;
        tail->entries = mem_realloc_array(tail->entries, tail->capacity, sizeof *tail->entries);
    }
    struct tail_entry *entry = &tail->entries[tail->count++];
    *entry = (struct tail_entry){
        .partition = partition,
        .trade = {trade->trade_id, trade->event_time_ms, offset, trade->count},
    };
    snprintf(entry->inst_id, sizeof entry->inst_id, "%s", trade->inst_id);
}

/* False when the record must be read again. Repaired trades are single ones: they cannot be
 * overlapped harmfully, so they need not be known. */
static bool take_record(struct published_tail *tail, const rd_kafka_message_t *message)
{
    struct trade trade;
    struct err err = {0};

    if (!message->payload)
        return true;
    if (record_reader_read(tail->reader, RECORD_TRADE, message->payload, message->len, &trade,
                           &err) != 0) {
        if (!err.retriable)
            log_warn("published trade cannot be read", LOG_INT("partition", message->partition),
                     LOG_INT("offset", message->offset), LOG_STR("reason", err.message));
        return !err.retriable;
    }
    if (trade.origin == ORIGIN_STREAM)
        add_entry(tail, &trade, message->partition, message->offset);
    trade_clear(&trade);
    return true;
}

void published_tail_poll(struct published_tail *tail)
{
    for (int i = 0; i < RECORDS_PER_POLL; i++) {
        rd_kafka_message_t *message = tail->held;

        if (!message)
            message = topic_reader_poll(tail->topic, i == 0 ? POLL_MS : 0);
        tail->held = NULL;
        if (!message)
            return;
        if (!take_record(tail, message)) {
            tail->held = message;
            return;
        }
        rd_kafka_message_destroy(message);
    }
}

bool published_tail_finish(struct published_tail *tail, int32_t partition)
{
    if (tail->held || !topic_reader_is_caught_up(tail->topic, partition))
        return false;
    topic_reader_remove(tail->topic, partition);
    tail->is_reading[partition] = false;
    return true;
}

struct published_trade *published_tail_take(struct published_tail *tail, const char *inst_id,
                                            struct optional_int64 offset, size_t *count)
{
    struct published_trade *trades = NULL;
    size_t kept = 0;

    *count = 0;
    for (size_t i = 0; i < tail->count; i++) {
        const struct tail_entry *entry = &tail->entries[i];

        if (strcmp(entry->inst_id, inst_id) != 0) {
            tail->entries[kept++] = *entry;
        } else if (!offset.present || entry->trade.offset > offset.value) {
            trades = mem_realloc_array(trades, *count + 1, sizeof *trades);
            trades[(*count)++] = entry->trade;
        }
    }
    tail->count = kept;
    return trades;
}
