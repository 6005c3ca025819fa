/*
 * Reads chosen partitions of one topic from their beginning and then follows them, outside any
 * group: for state that lives in a topic. One thread.
 */
#ifndef IO_TOPIC_READER_H
#define IO_TOPIC_READER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"

struct topic_reader;

struct topic_reader *topic_reader_create(const struct kafka_settings *settings,
                                         const char *client_id, const char *topic,
                                         struct err *err) MUST_CHECK;
void topic_reader_destroy(struct topic_reader *reader);

/* Adds a partition, to be read from offset (RD_KAFKA_OFFSET_BEGINNING, or a number); already added:
 * starts over. */
int topic_reader_add(struct topic_reader *reader, int32_t partition, int64_t offset,
                     struct err *err) MUST_CHECK;
void topic_reader_remove(struct topic_reader *reader, int32_t partition);

/* Returns owned the next record, or NULL when none came in time. Connection errors as in
 * kafka_consumer. */
rd_kafka_message_t *topic_reader_poll(struct topic_reader *reader, int64_t timeout_ms) MUST_CHECK;
/* True once everything that the partition held when it was added has been returned by poll. */
bool topic_reader_is_caught_up(struct topic_reader *reader, int32_t partition);

#endif
