/*
 * Sends what cannot be used to the dead-letters topic, unchanged, with Kafka Connect's headers that
 * say where it came from and why. Thread-safe. Source: KIP-298 (__connect.errors.topic, .partition,
 * .offset, .stage, .class.name, .exception.class.name, .exception.message, .connector.name,
 * .task.id); sqlstate, attempts and retried-from are ours.
 *
 * A record that was put back on its topic carries attempts and retried-from, the letter that it
 * was; should it become a letter again, the count goes on and shows that trying again does not
 * help.
 *
 * A letter that no broker would take for its size, which has to hold the reason as well, carries
 * the beginning of the value, and truncated-from says how long that was.
 */
#ifndef IO_DEAD_LETTER_H
#define IO_DEAD_LETTER_H

#include <librdkafka/rdkafka.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_producer.h"

#define DEAD_LETTER_HEADERS      "__connect.errors." /* what all headers of a letter begin with */
#define DEAD_LETTER_TOPIC        DEAD_LETTER_HEADERS "topic"
#define DEAD_LETTER_PARTITION    DEAD_LETTER_HEADERS "partition"
#define DEAD_LETTER_OFFSET       DEAD_LETTER_HEADERS "offset"
#define DEAD_LETTER_SERVICE      DEAD_LETTER_HEADERS "connector.name"
#define DEAD_LETTER_STAGE        DEAD_LETTER_HEADERS "stage"
#define DEAD_LETTER_REASON       DEAD_LETTER_HEADERS "exception.class.name"
#define DEAD_LETTER_MESSAGE      DEAD_LETTER_HEADERS "exception.message"
#define DEAD_LETTER_SQLSTATE     DEAD_LETTER_HEADERS "sqlstate"
#define DEAD_LETTER_ATTEMPTS     DEAD_LETTER_HEADERS "attempts" /* times it became a letter, from 1 */
#define DEAD_LETTER_RETRIED_FROM DEAD_LETTER_HEADERS "retried-from" /* PARTITION:OFFSET */

#define DEAD_LETTER_TRUNCATED_FROM DEAD_LETTER_HEADERS "truncated-from" /* bytes of the value */

enum {
    DEAD_LETTER_ATTEMPTS_MAX = 1000000, /* the count stays there */
    DEAD_LETTER_BYTES_MAX = 900000,     /* below Kafka's usual limit of a record */
    DEAD_LETTER_HEAD_BYTES = 64 << 10,  /* of the value of one that is larger */
};

struct dead_letter {
    const char *service;      /* "persister": connector.name */
    const char *source_topic; /* a topic, or "okx:trades-all" for a WebSocket frame */
    int32_t source_partition; /* -1: none */
    int64_t source_offset;    /* -1: none */
    const char *stage;        /* "parse", "decode", "store" */
    enum err_code reason;     /* exception.class.name, by its name */
    const char *message;
    const char *sqlstate; /* or NULL */
    const void *key;
    size_t key_length;
    const void *value;
    size_t value_length;
    const rd_kafka_headers_t *headers; /* of the source record, copied through; or NULL */
};

/* Errors as kafka_producer_send. Nothing may be committed before on_delivery reports success. */
int dead_letter_send(struct kafka_producer *producer, const struct topic_names *topics,
                     const struct dead_letter *letter, kafka_delivery_fn *on_delivery,
                     void *context, struct err *err) MUST_CHECK;

#endif
