/*
 * A thread that owns one connection to PostgreSQL: items in, completions out.
 *
 *   main thread → queue of chains of items → decode → batch → batch_store → queue of completions →
 * main thread
 *
 * Promise: a completion is reported only after PostgreSQL has committed every record it stands for
 * and Kafka has acknowledged the dead letters among them. Items of partitions that were given up
 * meanwhile are dropped where that saves work. A batch ends when the queue is empty, so an idle
 * system writes at once and a busy one fills its transactions. While PostgreSQL works on one batch
 * the next is decoded and encoded.
 */
#ifndef PERSISTER_WRITER_H
#define PERSISTER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bounded_queue.h"
#include "base/err.h"
#include "batch.h"
#include "io/kafka_producer.h"
#include "io/schema_registry.h"
#include "persist_metrics.h"

struct writer;

struct writer_options {
    struct batch_limits limits;
    const char *database_password;    /* NULL: libpq's; copied */
    int64_t retention_ms;             /* of trades; 0: this writer drops nothing */
    struct schema_registry *registry; /* this and the following: borrowed */
    struct kafka_producer *producer;  /* must be destroyed before the writer */
    const struct topic_names *topics;
    const struct persist_metrics *metrics;
    struct bounded_queue *completions; /* of struct completion, owned by who pops it */
};

/* Starts the thread. */
struct writer *writer_start(const struct writer_options *options, struct err *err) MUST_CHECK;

enum { WRITER_QUEUE_CHAINS = 40 };

/* Takes the items chained to this one; false when the queue has no room. timeout_ms: how long to
 * wait for some. */
bool writer_offer(struct writer *writer, struct persist_item *first, int64_t timeout_ms) MUST_CHECK;
bool writer_has_room(struct writer *writer); /* half of its queue is free */

/* No more items come; what is there is finished. */
void writer_close(struct writer *writer);
/* Let go of what is not finished. */
void writer_abandon(struct writer *writer);
/* Waits for the thread to end; false when it has not in time (libpq may be resolving a name). */
bool writer_join(struct writer *writer, int64_t timeout_ms) MUST_CHECK;
/* The thread must have ended. */
void writer_destroy(struct writer *writer);

/* Why something does not work, "" while it does. Filled by the writer. */
struct writer_health {
    char database[256];
    char registry[256];
    int64_t writing_ms; /* for how long a batch has been under way; 0: none is */
};
void writer_health(struct writer *writer, struct writer_health *health); /* thread-safe */

#endif
