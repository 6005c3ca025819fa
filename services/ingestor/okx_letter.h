/*
 * What OKX sent and nobody can use, as a dead letter: a WebSocket frame, or a row of one or of a
 * REST answer. Its source is "okx:" and where it came from, its stage "parse". Thread-safe.
 */
#ifndef INGESTOR_OKX_LETTER_H
#define INGESTOR_OKX_LETTER_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "domain/topics.h"
#include "io/kafka_producer.h"

/* All borrowed. */
struct okx_letter {
    const char *origin; /* a channel, "trades-all", or an endpoint, "market/trades" */
    const char *key;    /* what the record would have had; "": not known */
    const char *text;
    size_t length;
    const struct err *reason;
};

/* Errors as dead_letter_send. */
int okx_letter_send(struct kafka_producer *producer, const struct topic_names *topics,
                    const struct okx_letter *letter, kafka_delivery_fn *on_delivery, void *context,
                    struct err *err) MUST_CHECK;

#endif
