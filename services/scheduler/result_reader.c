#include "result_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/avro_codec.h"
#include "io/record_reader.h"
#include "io/topic_reader.h"

enum {
    RECORDS_PER_POLL = 2000,
    EMPTY_POLLS_MAX = 20, /* ends of partitions count as such */
    REGISTRY_RETRY_MS = 1000,
    LOG_INTERVAL_MS = 10000,
};

/* In the order in which their beginnings are read. */
enum source_index { SOURCE_RESULTS, SOURCE_POSITIONS, SOURCE_CONTROL, SOURCE_COUNT };

static const enum topic source_topics[SOURCE_COUNT] = {
    [SOURCE_RESULTS] = TOPIC_FETCH_RESULTS,
    [SOURCE_POSITIONS] = TOPIC_POSITIONS,
    [SOURCE_CONTROL] = TOPIC_CONTROL,
};

struct source {
    struct topic_reader *topic_reader; /* NULL: not read */
    int32_t partition_count;
    bool is_caught_up;
    rd_kafka_message_t *held; /* owned: waits for the registry; NULL: none */
    int64_t retry_ms;         /* monotonic */
    struct metric *undecodable;
};

struct result_reader {
    struct source sources[SOURCE_COUNT];
    struct record_reader *record_reader;
    struct result_reader_handler handler;
    struct log_limiter limiter;
};

static int open_source(struct source *source, enum topic topic,
                       const struct kafka_settings *settings, struct metrics *metrics,
                       struct err *err)
{
    const char *name = topic_name(&settings->topics, topic);
    char *labels = kafka_settings_topic_label(settings, name);

    source->undecodable =
        metrics_counter(metrics, "currency_trends_undecodable_records_total",
                        "Records that were passed over since they could not be decoded.", labels);
    free(labels);
    source->partition_count =
        topic_is_partitioned_by_instrument(topic) ? (int32_t)settings->topic_partitions : 1;
    source->topic_reader = topic_reader_create(settings, "scheduler-reader", name, err);
    if (!source->topic_reader)
        return -1;
    for (int32_t partition = 0; partition < source->partition_count; partition++) {
        if (topic_reader_add(source->topic_reader, partition, RD_KAFKA_OFFSET_BEGINNING, err) != 0)
            return -1;
    }
    return 0;
}

struct result_reader *result_reader_create(const struct kafka_settings *settings,
                                           struct schema_registry *registry,
                                           const struct result_reader_handler *handler,
                                           struct metrics *metrics, struct err *err)
{
    struct result_reader *reader = mem_calloc(1, sizeof *reader);

    reader->handler = *handler;
    reader->limiter.interval_ms = LOG_INTERVAL_MS;
    reader->record_reader = record_reader_create(registry);
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (i == SOURCE_POSITIONS && !handler->on_instrument)
            reader->sources[i].is_caught_up = true;
        else if (open_source(&reader->sources[i], source_topics[i], settings, metrics, err) != 0)
            goto fail;
    }
    return reader;
fail:
    result_reader_destroy(reader);
    return NULL;
}

void result_reader_destroy(struct result_reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (reader->sources[i].held)
            rd_kafka_message_destroy(reader->sources[i].held);
        topic_reader_destroy(reader->sources[i].topic_reader);
    }
    record_reader_destroy(reader->record_reader);
    free(reader);
}

static void hand_out_instrument(struct result_reader *reader, const rd_kafka_message_t *message)
{
    char inst_id[INST_ID_BYTES] = "";

    if (!message->key || message->key_len >= sizeof inst_id)
        return;
    memcpy(inst_id, message->key, message->key_len);
    reader->handler.on_instrument(inst_id, reader->handler.context);
}

static int hand_out_result(struct result_reader *reader, const rd_kafka_message_t *message,
                           struct err *err)
{
    struct fetch_result result;

    if (record_reader_read(reader->record_reader, RECORD_FETCH_RESULT, message->payload,
                           message->len, &result, err) != 0)
        return -1;
    reader->handler.on_result(&result, reader->handler.context);
    fetch_result_clear(&result);
    return 0;
}

static int hand_out_command(struct result_reader *reader, const rd_kafka_message_t *message,
                            struct err *err)
{
    struct fetch_command command;

    if (record_reader_read(reader->record_reader, RECORD_FETCH_COMMAND, message->payload,
                           message->len, &command, err) != 0)
        return -1;
    reader->handler.on_command(&command, reader->handler.context);
    return 0;
}

static int hand_out(struct result_reader *reader, enum source_index index,
                    const rd_kafka_message_t *message, struct err *err)
{
    if (!message->payload) /* a tombstone says nothing to us */
        return 0;
    switch (index) {
    case SOURCE_RESULTS:
        return hand_out_result(reader, message, err);
    case SOURCE_CONTROL:
        return hand_out_command(reader, message, err);
    case SOURCE_POSITIONS:
        hand_out_instrument(reader, message);
        return 0;
    case SOURCE_COUNT:
        break;
    }
    return 0;
}

static void report_failure(struct result_reader *reader, const rd_kafka_message_t *message,
                           const struct err *err)
{
    int64_t suppressed = 0;

    if (log_limiter_allow(&reader->limiter, clock_monotonic_ms(), &suppressed))
        log_warn(err->retriable ? "a record waits for its schema" : "a record was passed over",
                 LOG_STR("topic", rd_kafka_topic_name(message->rkt)),
                 LOG_INT("partition", message->partition), LOG_INT("offset", message->offset),
                 LOG_STR("reason", err->message), LOG_INT("suppressed", suppressed));
}

/* Takes the message; false when it has to wait for the registry. */
static bool consume(struct result_reader *reader, enum source_index index,
                    rd_kafka_message_t *message)
{
    struct source *source = &reader->sources[index];
    struct err err = {0};

    if (hand_out(reader, index, message, &err) != 0) {
        report_failure(reader, message, &err);
        if (err.retriable) {
            source->held = message;
            source->retry_ms = clock_monotonic_ms() + REGISTRY_RETRY_MS;
            return false;
        }
        metric_increment(source->undecodable);
    }
    rd_kafka_message_destroy(message);
    return true;
}

static bool consume_held(struct result_reader *reader, enum source_index index)
{
    struct source *source = &reader->sources[index];
    rd_kafka_message_t *message = source->held;

    if (!message)
        return true;
    if (clock_monotonic_ms() < source->retry_ms)
        return false;
    source->held = NULL;
    return consume(reader, index, message);
}

static void refresh_caught_up(struct source *source)
{
    bool is_caught_up = !source->held;

    for (int32_t i = 0; is_caught_up && i < source->partition_count; i++)
        is_caught_up = topic_reader_is_caught_up(source->topic_reader, i);
    source->is_caught_up = is_caught_up;
}

static void poll_source(struct result_reader *reader, enum source_index index)
{
    struct source *source = &reader->sources[index];
    int records = 0;

    if (!consume_held(reader, index))
        return;
    for (int empty = 0; empty < EMPTY_POLLS_MAX && records < RECORDS_PER_POLL;) {
        rd_kafka_message_t *message = topic_reader_poll(source->topic_reader, 0);

        if (!message) {
            empty++;
            continue;
        }
        records++;
        if (!consume(reader, index, message))
            break;
    }
    if (!source->is_caught_up)
        refresh_caught_up(source);
}

void result_reader_poll(struct result_reader *reader)
{
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (i == SOURCE_CONTROL && !reader->sources[SOURCE_RESULTS].is_caught_up)
            return;
        if (reader->sources[i].topic_reader)
            poll_source(reader, (enum source_index)i);
    }
}

bool result_reader_is_caught_up(const struct result_reader *reader)
{
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (!reader->sources[i].is_caught_up)
            return false;
    }
    return true;
}
