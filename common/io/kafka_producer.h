/*
 * An idempotent producer: acks=all, murmur2 partitioner, no message timeout, a bounded queue, and
 * exactly one delivery report for every record it took. Thread-safe.
 *
 * Threads: one of its own serves delivery reports; callbacks run there and must not block.
 */
#ifndef IO_KAFKA_PRODUCER_H
#define IO_KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "io/kafka_settings.h"

struct kafka_producer;

/*
 * error is RD_KAFKA_RESP_ERR_NO_ERROR once the record is acknowledged by all in-sync replicas. An
 * outage never ends a record; an error means that Kafka refused it (too large for the topic, topic
 * deleted, no permission), that the producer is lost (fatal) or that it was purged at the end.
 */
struct kafka_delivery {
    rd_kafka_resp_err_t error;
    int32_t partition;
    int64_t offset;
};
typedef void kafka_delivery_fn(const struct kafka_delivery *delivery, void *context);

/* Whom to tell of a record's delivery. It is called once, and not looked at afterwards: the
 * callback may free or reuse it. */
struct kafka_receipt {
    kafka_delivery_fn *on_delivery;
    void *context;
    bool is_owned; /* by the producer, which frees it behind the call; false in yours */
};
/* Returns owned by free() until a record was sent with it; NULL for no callback. */
struct kafka_receipt *kafka_receipt_create(kafka_delivery_fn *on_delivery,
                                           void *context) MUST_CHECK;

struct kafka_record {
    const char *topic;
    const void *key; /* NULL: no key */
    size_t key_length;
    const void *value; /* NULL: a tombstone */
    size_t value_length;
    int32_t partition;           /* RD_KAFKA_PARTITION_UA: by key */
    rd_kafka_headers_t *headers; /* taken on success; or NULL */
    int64_t timestamp_ms;        /* 0: now */
};

/* metrics: queue length, acknowledged and failed records per topic, broker round trips. Both are
 * borrowed.
 */
struct kafka_producer *kafka_producer_create(const struct kafka_settings *settings,
                                             const char *client_id, struct metrics *metrics,
                                             struct err *err) MUST_CHECK;
/* Purges what is unsent (each record still gets its delivery report, with an error). Accepts NULL.
 */
void kafka_producer_destroy(struct kafka_producer *producer);

/*
 * Copies key and value into the queue. on_delivery may be NULL. Errors: ERR_FULL (retriable: the
 * queue has no room, nothing was taken; push back on the source), ERR_LIMIT (record too large),
 * ERR_NETWORK (retriable: the topic is gone for now), ERR_REMOTE (fatal: the producer is lost),
 * ERR_STOPPED (kafka_producer_destroy has begun).
 */
int kafka_producer_send(struct kafka_producer *producer, const struct kafka_record *record,
                        kafka_delivery_fn *on_delivery, void *context, struct err *err) MUST_CHECK;
/* The same with a receipt, or NULL: borrowed until the delivery is reported, unless it is_owned. */
int kafka_producer_send_with(struct kafka_producer *producer, const struct kafka_record *record,
                             struct kafka_receipt *receipt, struct err *err) MUST_CHECK;

/* Waits until every record has its report. ERR_TIMEOUT says how many are left. */
int kafka_producer_flush(struct kafka_producer *producer, int64_t timeout_ms,
                         struct err *err) MUST_CHECK;
size_t kafka_producer_queue_length(struct kafka_producer *producer);
/* A fatal error happened, such as the loss of the order that idempotence rests on: every record
 * that is not acknowledged fails, and only another producer can go on. Thread-safe. */
bool kafka_producer_is_lost(struct kafka_producer *producer);
/* True while at least one broker connection is up. */
bool kafka_producer_is_connected(struct kafka_producer *producer);
/* The partition that records with this key go to, by the topic's partition count. Pure. */
int32_t kafka_partition_for_key(const char *key, size_t key_length, int32_t partition_count);

#endif
