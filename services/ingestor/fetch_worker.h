/*
 * Pipeline 2: commands of the control topic → OKX REST → data topics → fetch-results.
 *
 * Promise: a command's offset is reported as finished only after its data records and then its
 * result were acknowledged by Kafka. A command that ran twice does no harm: its records have the
 * same keys and ids, its result the same key.
 */
#ifndef INGESTOR_FETCH_WORKER_H
#define INGESTOR_FETCH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "fetch_job.h"
#include "fetch_queue.h"
#include "ingestor_metrics.h"
#include "io/record_writer.h"
#include "list_fetch.h"
#include "okx_rest_client.h"
#include "service_failure.h"

/* Called from fetch threads, or from the producer's thread: brief, thread-safe. */
struct fetch_sink {
    void (*on_finished)(int32_t partition, int64_t offset, void *context);
    void (*on_last_trade)(const struct last_trade *last, void *context); /* found or not */
    void (*on_instruments)(struct instrument_list *list, void *context); /* takes the list */
    void *context;
};

struct fetch_worker_options {
    struct okx_rest_client *rest;
    struct record_writer *writer;
    struct kafka_producer *producer;
    const struct topic_names *topics;
    struct fetch_queue *queue;
    struct ingestor_metrics *metrics;
    struct service_failure *failure;
    const char *base_currency; /* for the list of instruments */
    size_t thread_count;
    int64_t deadline_ms;
    int64_t instruments_refresh_ms;
    struct fetch_sink sink;
};

struct fetch_workers;

/* Starts the threads. Copies the options, borrows what they point to. */
struct fetch_workers *fetch_workers_start(const struct fetch_worker_options *options,
                                          struct err *err) MUST_CHECK;
/* Closes the queue and waits for the threads, which abandon what they were doing. Accepts NULL. */
void fetch_workers_stop(struct fetch_workers *workers);
/* After the producer is gone: no delivery report may come any more. Accepts NULL. */
void fetch_workers_destroy(struct fetch_workers *workers);

/* Queues a command that was read from control. */
void fetch_workers_run_command(struct fetch_workers *workers, const struct fetch_command *command,
                               int32_t partition, int64_t offset);
/* Begins to fetch the list of instruments, now and then every instruments_refresh_ms. */
void fetch_workers_follow_instruments(struct fetch_workers *workers);

/* Queues the question where the instrument's series begins that is followed since since_ms
 * (monotonic), or which trade is its newest (INT64_MAX); the answer goes to the sink. */
void fetch_queue_ask_last_trade(struct fetch_queue *queue, const char *inst_id, int64_t since_ms);

#endif
