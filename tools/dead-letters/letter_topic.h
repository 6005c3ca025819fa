/*
 * The topic dead-letters, as it stood when it was opened, outside any consumer group. One thread.
 */
#ifndef DEAD_LETTERS_LETTER_TOPIC_H
#define DEAD_LETTERS_LETTER_TOPIC_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"
#include "letter.h"

struct letter_topic;

/* Reads any topic of ours. Borrows settings and name for its lifetime. Errors: ERR_NOT_FOUND (no
 * such topic), ERR_NETWORK (Kafka cannot be reached), ERR_UNAUTHORIZED, ERR_CONFIG, ERR_STOPPED. */
struct letter_topic *letter_topic_open(const struct kafka_settings *settings, const char *name,
                                       struct err *err) MUST_CHECK;
/* Accepts NULL. */
void letter_topic_close(struct letter_topic *topic);

/* Returns 0 to go on, or -1 to end the scan with err. */
typedef int letter_visit_fn(const rd_kafka_message_t *message, void *context, struct err *err);

/* Visits every record, partition by partition, in order. Errors: visit's own; ERR_TIMEOUT when
 * Kafka gives nothing any more; ERR_STOPPED. */
int letter_topic_scan(struct letter_topic *topic, letter_visit_fn *visit, void *context,
                      struct err *err) MUST_CHECK;
/* As letter_topic_scan, of one partition, from an offset on. */
int letter_topic_scan_partition(struct letter_topic *topic, int32_t partition, int64_t from_offset,
                                letter_visit_fn *visit, void *context, struct err *err) MUST_CHECK;
/* Returns owned. Errors: ERR_NOT_FOUND, and as letter_topic_scan. */
rd_kafka_message_t *letter_topic_get(struct letter_topic *topic, struct letter_position position,
                                     struct err *err) MUST_CHECK;
int32_t letter_topic_partitions(const struct letter_topic *topic);

#endif
