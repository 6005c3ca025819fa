#include "io/topic_reader.h"

#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/kafka_log.h"

enum { REASON_BYTES = 256 };

struct reader_partition {
    int32_t partition;
    bool is_caught_up;
    int64_t end; /* of the partition when its first record came; -1: none came yet */
};

struct topic_reader {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue; /* the records of all partitions */
    struct reader_partition *partitions;
    size_t partition_count;
};

static const struct kafka_property default_properties[] = {
    /* What is read ahead, in all: */
    {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "4096"},
    {"fetch.max.bytes", "2097152"},
    /* An empty partition is known to be one when a fetch of it has come back. */
    {"fetch.wait.max.ms", "100"},
    {0},
};

static const struct kafka_property promise_properties[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"}, /* when retention has removed the offset asked for */
    {"enable.partition.eof", "true"},
    {"allow.auto.create.topics", "false"},
    {"max.poll.interval.ms", "86400000"}, /* no group; but a session must fit into it */
    {0},
};

static const struct kafka_client_properties properties = {default_properties, promise_properties};

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    (void)opaque;
    kafka_log_error(client, error, reason);
}

static rd_kafka_conf_t *new_conf(const struct kafka_settings *settings, const char *client_id,
                                 struct err *err)
{
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, client_id, &properties, err);

    if (conf)
        rd_kafka_conf_set_error_cb(conf, on_error);
    return conf;
}

struct topic_reader *topic_reader_create(const struct kafka_settings *settings,
                                         const char *client_id, const char *topic, struct err *err)
{
    struct topic_reader *reader = NULL;
    rd_kafka_conf_t *conf = new_conf(settings, client_id, err);
    char reason[REASON_BYTES];

    if (!conf)
        return NULL;
    reader = mem_calloc(1, sizeof *reader);
    reader->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!reader->client) {
        rd_kafka_conf_destroy(conf);
        err_set(err, ERR_CONFIG, "reader of %s: %s", topic, reason);
        goto fail;
    }
    reader->topic = rd_kafka_topic_new(reader->client, topic, NULL);
    if (!reader->topic) {
        err_set(err, ERR_CONFIG, "topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
        goto fail;
    }
    reader->queue = rd_kafka_queue_new(reader->client);
    return reader;
fail:
    topic_reader_destroy(reader);
    return NULL;
}

void topic_reader_destroy(struct topic_reader *reader)
{
    if (!reader)
        return;
    while (reader->partition_count > 0)
        topic_reader_remove(reader, reader->partitions[0].partition);
    free(reader->partitions);
    if (reader->queue)
        rd_kafka_queue_destroy(reader->queue);
    if (reader->topic)
        rd_kafka_topic_destroy(reader->topic);
    if (reader->client)
        rd_kafka_destroy(reader->client);
    free(reader);
}

static struct reader_partition *find(struct topic_reader *reader, int32_t partition)
{
    for (size_t i = 0; i < reader->partition_count; i++) {
        if (reader->partitions[i].partition == partition)
            return &reader->partitions[i];
    }
    return NULL;
}

int topic_reader_add(struct topic_reader *reader, int32_t partition, int64_t offset,
                     struct err *err)
{
    topic_reader_remove(reader, partition);
    if (rd_kafka_consume_start_queue(reader->topic, partition, offset, reader->queue) != 0)
        return err_set(err, ERR_SYSTEM, "read %s partition %d: %s",
                       rd_kafka_topic_name(reader->topic), (int)partition,
                       rd_kafka_err2str(rd_kafka_last_error()));
    reader->partitions = mem_realloc_array(reader->partitions, reader->partition_count + 1,
                                           sizeof *reader->partitions);
    reader->partitions[reader->partition_count++] =
        (struct reader_partition){.partition = partition, .end = -1};
    return 0;
}

void topic_reader_remove(struct topic_reader *reader, int32_t partition)
{
    struct reader_partition *entry = find(reader, partition);

    if (!entry)
        return;
    rd_kafka_consume_stop(reader->topic, partition); /* drops what is queued of it, too */
    *entry = reader->partitions[--reader->partition_count];
}

/* The end is taken from the fetch that brought the partition's first record, so it is not before
 * the end at the time of topic_reader_add. */
static void note_record(struct topic_reader *reader, struct reader_partition *entry, int64_t offset)
{
    int64_t begin;

    if (entry->is_caught_up)
        return;
    if (entry->end < 0)
        rd_kafka_get_watermark_offsets(reader->client, rd_kafka_topic_name(reader->topic),
                                       entry->partition, &begin, &entry->end);
    if (entry->end >= 0 && offset + 1 >= entry->end)
        entry->is_caught_up = true;
}

rd_kafka_message_t *topic_reader_poll(struct topic_reader *reader, int64_t timeout_ms)
{
    rd_kafka_message_t *message;
    struct reader_partition *entry;

    rd_kafka_poll(reader->client, 0); /* brings on_error */
    message =
        rd_kafka_consume_queue(reader->queue, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);
    if (!message)
        return NULL;
    entry = find(reader, message->partition);
    if (entry && !message->err) {
        note_record(reader, entry, message->offset);
        return message;
    }
    if (entry && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        entry->is_caught_up = true; /* also when the last offsets hold no records */
    else if (entry)
        kafka_log_error(reader->client, message->err, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
    return NULL;
}

bool topic_reader_is_caught_up(struct topic_reader *reader, int32_t partition)
{
    const struct reader_partition *entry = find(reader, partition);

    return entry && entry->is_caught_up;
}
