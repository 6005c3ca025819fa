#include "letter_topic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "io/topic_lookup.h"
#include "io/topic_reader.h"

enum { CONNECT_TIMEOUT_MS = 5000, TURN_MS = 200, SILENCE_MAX_MS = 30000 };

struct letter_topic {
    const char *name;
    struct topic_reader *reader;
    int64_t *ends; /* by partition: the offset behind its last record */
    int32_t partition_count;
};

static int find_ends(struct letter_topic *topic, struct topic_lookup *lookup, struct err *err)
{
    if (topic_lookup_partitions(lookup, topic->name, CONNECT_TIMEOUT_MS, &topic->partition_count,
                                err) != 0)
        return -1;
    topic->ends = mem_calloc((size_t)topic->partition_count, sizeof *topic->ends);
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (topic_lookup_end(lookup, topic->name, i, CONNECT_TIMEOUT_MS, &topic->ends[i], err) != 0)
            return -1;
    return 0;
}

struct letter_topic *letter_topic_open(const struct kafka_settings *settings, const char *name,
                                       struct err *err)
{
    struct letter_topic *topic = mem_calloc(1, sizeof *topic);
    struct topic_lookup *lookup = topic_lookup_create(settings, "dead-letters", err);
    int status = -1;

    topic->name = name;
    if (lookup && find_ends(topic, lookup, err) == 0) {
        topic->reader = topic_reader_create(settings, "dead-letters", name, err);
        status = topic->reader ? 0 : -1;
    }
    topic_lookup_destroy(lookup);
    if (status == 0)
        return topic;
    letter_topic_close(topic);
    return NULL;
}

void letter_topic_close(struct letter_topic *topic)
{
    if (!topic)
        return;
    topic_reader_destroy(topic->reader);
    free(topic->ends);
    free(topic);
}

int32_t letter_topic_partitions(const struct letter_topic *topic)
{
    return topic->partition_count;
}

/* Returns owned the next record before the end that the topic had; NULL with ERR_NONE at the end.
 */
static rd_kafka_message_t *next(struct letter_topic *topic, int32_t partition, struct err *err)
{
    int64_t give_up_at_ms = clock_monotonic_ms() + SILENCE_MAX_MS;

    while (!shutdown_requested()) {
        rd_kafka_message_t *message = topic_reader_poll(topic->reader, TURN_MS);

        if (message && message->offset < topic->ends[partition])
            return message;
        if (message || topic_reader_is_caught_up(topic->reader, partition)) {
            if (message)
                rd_kafka_message_destroy(message);
            return NULL;
        }
        if (clock_monotonic_ms() > give_up_at_ms) {
            (void)err_set(err, ERR_TIMEOUT, "Kafka gives nothing of %s partition %d for %d s",
                          topic->name, (int)partition, SILENCE_MAX_MS / 1000);
            return NULL;
        }
    }
    (void)err_set(err, ERR_STOPPED, "interrupted");
    return NULL;
}

int letter_topic_scan_partition(struct letter_topic *topic, int32_t partition, int64_t from_offset,
                                letter_visit_fn *visit, void *context, struct err *err)
{
    struct err failure = {0};
    int64_t next_offset = from_offset < 0 ? 0 : from_offset;

    if (next_offset >= topic->ends[partition])
        return 0;
    if (topic_reader_add(topic->reader, partition, from_offset, err) != 0)
        return -1;
    while (failure.code == ERR_NONE && next_offset < topic->ends[partition]) {
        rd_kafka_message_t *message = next(topic, partition, &failure);

        if (!message)
            break;
        next_offset = message->offset + 1;
        (void)visit(message, context, &failure);
        rd_kafka_message_destroy(message);
    }
    topic_reader_remove(topic->reader, partition);
    if (failure.code == ERR_NONE)
        return 0;
    *err = failure;
    return -1;
}

int letter_topic_scan(struct letter_topic *topic, letter_visit_fn *visit, void *context,
                      struct err *err)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (letter_topic_scan_partition(topic, i, RD_KAFKA_OFFSET_BEGINNING, visit, context, err) !=
            0)
            return -1;
    return 0;
}

rd_kafka_message_t *letter_topic_get(struct letter_topic *topic, struct letter_position position,
                                     struct err *err)
{
    char name[LETTER_POSITION_BYTES];
    rd_kafka_message_t *message = NULL;

    letter_position_format(position, name);
    if (position.partition >= topic->partition_count) {
        (void)err_set(err, ERR_NOT_FOUND, "there is no letter %s: %s has partitions 0 to %d", name,
                      topic->name, (int)topic->partition_count - 1);
        return NULL;
    }
    if (position.offset >= topic->ends[position.partition]) {
        (void)err_set(err, ERR_NOT_FOUND, "there is no letter %s: %s ends at %d:%" PRId64, name,
                      topic->name, (int)position.partition, topic->ends[position.partition]);
        return NULL;
    }
    if (topic_reader_add(topic->reader, position.partition, position.offset, err) != 0)
        return NULL;
    message = next(topic, position.partition, err);
    topic_reader_remove(topic->reader, position.partition);
    if (message && message->offset == position.offset)
        return message;
    if (err->code == ERR_NONE)
        (void)err_set(err, ERR_NOT_FOUND, "letter %s is gone: %s keeps records for %d days", name,
                      topic->name, (int)(topic_retention_ms(TOPIC_DEAD_LETTERS) / 86400000));
    if (message)
        rd_kafka_message_destroy(message);
    return NULL;
}
