#include "fetch_worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "last_trade_fetch.h"
#include "range_fetch.h"

enum { FULL_QUEUE_RETRY_MS = 50, INSTRUMENTS_RETRY_MS = 10000 };

struct fetch_worker {
    struct fetch_workers *workers;
    struct fetch_context context;
    pthread_t thread;
    bool is_started;
};

struct fetch_workers {
    struct fetch_worker_options options;
    struct fetch_worker *threads;
};

/* --- results ------------------------------------------------------------------------------------
 */

static void on_result_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct fetch_job *job = context;
    struct fetch_workers *workers = job->owner;
    const struct fetch_sink *sink = &workers->options.sink;

    if (delivery->error == RD_KAFKA_RESP_ERR_NO_ERROR)
        sink->on_finished(job->partition, job->offset, sink->context);
    else
        service_failure_raise(workers->options.failure, "Kafka refused a fetch result",
                              rd_kafka_err2str(delivery->error));
    fetch_job_destroy(job);
}

static void log_result(const struct fetch_result *result)
{
    enum log_level level = result->status == FETCH_STATUS_FAILED        ? LOG_LEVEL_WARN
                           : result->command.reason == FETCH_REASON_GAP ? LOG_LEVEL_INFO
                                                                        : LOG_LEVEL_DEBUG;

    LOG_AT(level, "fetch finished", LOG_STR("command", result->command.id),
           LOG_STR("status", fetch_status_name(result->status)),
           LOG_INT("records", result->records), LOG_INT("requests", result->requests),
           LOG_INT("missing_ranges", result->missing_count),
           LOG_BOOL("retriable", result->retriable), LOG_STR("error", result->error));
}

/* Takes the job, whose data records are all reported. */
static void report(struct fetch_workers *workers, struct fetch_job *job)
{
    struct err err = {0};

    if (atomic_load(&job->delivery_failed)) {
        err_set_retriable(&err, ERR_REMOTE, "Kafka did not take all records");
        fetch_fail(job, &err);
    }
    job->result.finished_at_ms = clock_wall_ms();
    enum fetch_kind kind = job->result.command.kind;
    enum fetch_status status = job->result.status;
    if (record_writer_send(workers->options.writer, RECORD_FETCH_RESULT, &job->result,
                           on_result_delivery, job, &err) == 0) {
        ingestor_metrics_count_fetch(workers->options.metrics, kind, status);
        return;
    }
    if (!err.retriable)
        service_failure_raise(workers->options.failure, "cannot publish a fetch result",
                              err.message);
    fetch_again(job, FULL_QUEUE_RETRY_MS);
    fetch_queue_push(workers->options.queue, job);
}

/* --- steps --------------------------------------------------------------------------------------
 */

static enum fetch_step step_command(const struct fetch_context *context, struct fetch_job *job)
{
    switch (job->result.command.kind) {
    case FETCH_KIND_TRADES:
        return trade_fetch_step(context, job);
    case FETCH_KIND_CANDLES:
        return candle_fetch_step(context, job);
    case FETCH_KIND_CURRENCIES:
        return currency_fetch_step(context, job);
    }
    return fetch_finish(job, FETCH_STATUS_SKIPPED);
}

static void run_command(struct fetch_worker *worker, struct fetch_job *job)
{
    struct fetch_queue *queue = worker->workers->options.queue;

    if (job->is_abandoned) {
        fetch_job_destroy(job);
        return;
    }
    if (job->is_reporting) {
        report(worker->workers, job);
        return;
    }
    if (step_command(&worker->context, job) == FETCH_STEP_AGAIN) {
        fetch_queue_push(queue, job);
        return;
    }
    log_result(&job->result);
    job->is_reporting = true;
    job->ready_at_ms = 0;
    if (atomic_fetch_sub(&job->unacknowledged, 1) == 1)
        fetch_queue_push(queue, job);
}

static void run_last_trade(struct fetch_worker *worker, struct fetch_job *job)
{
    const struct fetch_sink *sink = &worker->workers->options.sink;

    if (last_trade_fetch_step(&worker->context, job) == FETCH_STEP_AGAIN) {
        fetch_queue_push(worker->workers->options.queue, job);
        return;
    }
    if (job->result.status == FETCH_STATUS_FAILED) {
        job->last.is_refused = !job->result.retriable;
        log_warn("last trade not learnt", LOG_STR("inst_id", job->last.inst_id),
                 LOG_BOOL("is_beginning", job->last.is_beginning),
                 LOG_STR("reason", job->result.error));
    }
    sink->on_last_trade(&job->last, sink->context);
    fetch_job_destroy(job);
}

static void run_instruments(struct fetch_worker *worker, struct fetch_job *job)
{
    const struct fetch_worker_options *options = &worker->workers->options;
    struct instrument_list *list = NULL;

    if (instrument_fetch_step(&worker->context, job, options->base_currency, &list) ==
        FETCH_STEP_FINISHED) {
        if (list)
            options->sink.on_instruments(list, options->sink.context);
        else
            log_warn("list of instruments not fetched", LOG_STR("reason", job->result.error));
        fetch_again(job, list ? options->instruments_refresh_ms : INSTRUMENTS_RETRY_MS);
        fetch_note_progress(job);
    }
    fetch_queue_push(options->queue, job);
}

static void *run_worker(void *argument)
{
    struct fetch_worker *worker = argument;
    struct fetch_job *job;

    while ((job = fetch_queue_pop(worker->workers->options.queue))) {
        if (!job->is_begun) {
            job->is_begun = true;
            job->begun_at_ms = clock_monotonic_ms();
            job->progressed_at_ms = job->begun_at_ms;
        }
        switch (job->kind) {
        case FETCH_JOB_COMMAND:
            run_command(worker, job);
            break;
        case FETCH_JOB_LAST_TRADE:
            run_last_trade(worker, job);
            break;
        case FETCH_JOB_INSTRUMENTS:
            run_instruments(worker, job);
            break;
        }
    }
    return NULL;
}

/* --- life cycle ---------------------------------------------------------------------------------
 */

static int start_worker(struct fetch_workers *workers, struct fetch_worker *worker, struct err *err)
{
    const struct fetch_worker_options *options = &workers->options;

    worker->workers = workers;
    worker->context = (struct fetch_context){
        .rest = options->rest,
        .session = okx_rest_session_create(options->rest, err),
        .writer = options->writer,
        .producer = options->producer,
        .topics = options->topics,
        .metrics = options->metrics,
        .failure = options->failure,
        .deadline_ms = options->deadline_ms,
    };
    if (!worker->context.session)
        return -1;
    if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
        return err_set(err, ERR_SYSTEM, "cannot start a fetch thread");
    worker->is_started = true;
    return 0;
}

struct fetch_workers *fetch_workers_start(const struct fetch_worker_options *options,
                                          struct err *err)
{
    struct fetch_workers *workers = mem_calloc(1, sizeof *workers);

    workers->options = *options;
    workers->threads = mem_calloc(options->thread_count, sizeof *workers->threads);
    for (size_t i = 0; i < options->thread_count; i++) {
        if (start_worker(workers, &workers->threads[i], err) != 0) {
            fetch_workers_stop(workers);
            fetch_workers_destroy(workers);
            return NULL;
        }
    }
    return workers;
}

void fetch_workers_stop(struct fetch_workers *workers)
{
    if (!workers)
        return;
    fetch_queue_close(workers->options.queue);
    for (size_t i = 0; i < workers->options.thread_count; i++) {
        struct fetch_worker *worker = &workers->threads[i];

        if (worker->is_started)
            pthread_join(worker->thread, NULL);
        worker->is_started = false;
    }
}

void fetch_workers_destroy(struct fetch_workers *workers)
{
    if (!workers)
        return;
    for (size_t i = 0; i < workers->options.thread_count; i++)
        okx_rest_session_destroy(workers->threads[i].context.session);
    free(workers->threads);
    free(workers);
}

void fetch_workers_run_command(struct fetch_workers *workers, const struct fetch_command *command,
                               int32_t partition, int64_t offset)
{
    struct fetch_job *job = fetch_job_create(FETCH_JOB_COMMAND, workers->options.queue);

    job->result.command = *command;
    job->partition = partition;
    job->offset = offset;
    job->owner = workers;
    fetch_queue_push(workers->options.queue, job);
}

void fetch_workers_follow_instruments(struct fetch_workers *workers)
{
    fetch_queue_push(workers->options.queue,
                     fetch_job_create(FETCH_JOB_INSTRUMENTS, workers->options.queue));
}

void fetch_queue_ask_last_trade(struct fetch_queue *queue, const char *inst_id, int64_t since_ms)
{
    struct fetch_job *job = fetch_job_create(FETCH_JOB_LAST_TRADE, queue);

    snprintf(job->result.command.inst_id, sizeof job->result.command.inst_id, "%s", inst_id);
    job->since_ms = since_ms;
    job->below_id = INT64_MAX;
    job->last.is_beginning = since_ms != INT64_MAX;
    snprintf(job->last.inst_id, sizeof job->last.inst_id, "%s", inst_id);
    fetch_queue_push(queue, job);
}
