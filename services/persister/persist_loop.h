/*
 * The pipeline: Kafka's records to the writers, what they finished back to Kafka as offsets.
 *
 *   kafka_consumer → persist_loop ─(queue of items)→ writer 1…N → PostgreSQL
 *                        ↑──────────(queue of completions)──┘
 *
 * Threads: the caller's runs the consumer and is the only one that knows offsets; each writer has
 * its own and owns what was handed to it.
 *
 * Promise: the offset of a record is committed only after PostgreSQL has committed its row or Kafka
 * has acknowledged its dead letter. A record may thus be written twice, never not at all; rows are
 * keyed and their states ordered, so writing twice changes nothing.
 *
 * While PostgreSQL is away the queues fill, their partitions are paused and polling goes on, so the
 * group membership is kept for as long as it takes.
 */
#ifndef PERSISTER_PERSIST_LOOP_H
#define PERSISTER_PERSIST_LOOP_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "io/kafka_settings.h"
#include "io/status_server.h"
#include "writer.h"

struct persist_loop;

struct persist_loop_options {
    const struct kafka_settings *kafka; /* borrowed, as everything here */
    struct metrics *metrics;
    struct status_server *status;
    struct persist_metrics *series;
    size_t writer_count;
    struct writer_options writer; /* for each; completions is the loop's to fill in */
};

/* Starts the writers and joins the group. */
struct persist_loop *persist_loop_create(const struct persist_loop_options *options,
                                         struct err *err) MUST_CHECK;

/* Runs until shutdown is requested, then finishes what the writers hold (for 2.5 s at most),
 * commits and leaves the group. Errors: ERR_REMOTE for what only a new process heals. */
int persist_loop_run(struct persist_loop *loop, struct err *err) MUST_CHECK;

/*
 * True when a writer did not stop in time: libpq resolves names without limit. It still holds
 * records of the consumer, so nothing may be destroyed; offsets are committed, the process may just
 * end.
 */
bool persist_loop_is_stuck(const struct persist_loop *loop);

/* Not while stuck. The producer of the dead letters must be destroyed before. Accepts NULL. */
void persist_loop_destroy(struct persist_loop *loop);

#endif
