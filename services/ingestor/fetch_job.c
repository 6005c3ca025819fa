#include "fetch_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "okx_letter.h"

enum {
    RETRY_BASE_MS = 1000,
    RETRY_CAP_MS = 30000,
    FULL_QUEUE_PAUSE_MS = 20,
};

struct fetch_job *fetch_job_create(enum fetch_job_kind kind, struct fetch_queue *queue)
{
    struct fetch_job *job = mem_calloc(1, sizeof *job);

    job->kind = kind;
    job->queue = queue;
    atomic_init(&job->unacknowledged, 1);
    backoff_init(&job->backoff, 200, RETRY_BASE_MS, RETRY_CAP_MS, 0);
    if (kind == FETCH_JOB_COMMAND)
        fetch_queue_count_command(queue, 1);
    return job;
}

void fetch_job_destroy(struct fetch_job *job)
{
    if (!job)
        return;
    if (job->kind == FETCH_JOB_COMMAND)
        fetch_queue_count_command(job->queue, -1);
    fetch_result_clear(&job->result);
    range_cover_clear(&job->cover);
    free(job);
}

void fetch_job_abandon(struct fetch_job *job)
{
    job->is_abandoned = true;
    if (atomic_fetch_sub(&job->unacknowledged, 1) == 1)
        fetch_job_destroy(job);
}

enum fetch_step fetch_again(struct fetch_job *job, int64_t delay_ms)
{
    job->ready_at_ms = clock_monotonic_ms() + delay_ms;
    return FETCH_STEP_AGAIN;
}

enum fetch_step fetch_fail(struct fetch_job *job, const struct err *err)
{
    job->result.status = FETCH_STATUS_FAILED;
    job->result.retriable = err->retriable;
    snprintf(job->result.error, sizeof job->result.error, "%.170s%s", err->message,
             err->code == ERR_UNAUTHORIZED
                 ? "; look at OKX_API_KEY, OKX_API_SECRET and OKX_API_PASSPHRASE"
                 : "");
    return FETCH_STEP_FINISHED;
}

enum fetch_step fetch_finish(struct fetch_job *job, enum fetch_status status)
{
    job->result.status = status;
    return FETCH_STEP_FINISHED;
}

enum fetch_step fetch_retry(const struct fetch_context *context, struct fetch_job *job,
                            const struct err *err)
{
    if (err->code == ERR_STOPPED)
        return fetch_again(job, 0);
    if (!err->retriable)
        return fetch_fail(job, err);
    if (err->code == ERR_UNAUTHORIZED) { /* the clock is off: once, after setting it */
        struct err sync_err = {0};
        struct err final_err = *err;

        final_err.retriable = false;
        if (job->has_synced_clock)
            return fetch_fail(job, &final_err);
        if (okx_rest_session_sync_clock(context->session, &sync_err) == 0) {
            job->has_synced_clock = true;
            return fetch_again(job, 0);
        }
    }
    if (clock_monotonic_ms() - job->progressed_at_ms > context->deadline_ms)
        return fetch_fail(job, err);
    log_debug("asking OKX again", LOG_STR("command", job->result.command.id),
              LOG_STR("reason", err->message));
    return fetch_again(job, backoff_next_ms(&job->backoff));
}

struct okx_rows *fetch_get(const struct fetch_context *context, struct fetch_job *job,
                           enum okx_endpoint endpoint, const char *path, enum fetch_step *step)
{
    struct err err = {0};
    size_t ticket = 0;
    int64_t wait_ms = okx_rest_client_take(context->rest, endpoint, &ticket);

    if (wait_ms > 0) {
        *step = fetch_again(job, wait_ms);
        return NULL;
    }
    job->result.requests++;
    struct okx_rows *rows = okx_rest_session_get(context->session, endpoint, ticket, path, &err);
    if (!rows) {
        *step = fetch_retry(context, job, &err);
        return NULL;
    }
    return rows;
}

void fetch_note_progress(struct fetch_job *job)
{
    job->progressed_at_ms = clock_monotonic_ms();
    backoff_reset(&job->backoff);
}

/* --- publishing ---------------------------------------------------------------------------------
 */

static void on_record_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct fetch_job *job = context;

    if (delivery->error != RD_KAFKA_RESP_ERR_NO_ERROR)
        atomic_store(&job->delivery_failed, true);
    if (atomic_fetch_sub(&job->unacknowledged, 1) == 1)
        fetch_queue_push(job->queue, job);
}

int fetch_publish(const struct fetch_context *context, struct fetch_job *job, enum record_kind kind,
                  const void *record)
{
    struct err err = {0};

    atomic_fetch_add(&job->unacknowledged, 1);
    while (record_writer_send(context->writer, kind, record, on_record_delivery, job, &err) != 0) {
        if (err.retriable && !shutdown_wait_ms(FULL_QUEUE_PAUSE_MS))
            continue;
        if (!err.retriable)
            service_failure_raise(context->failure, "cannot publish fetched records", err.message);
        atomic_fetch_sub(&job->unacknowledged, 1);
        return -1;
    }
    job->result.records++;
    return 0;
}

void fetch_reject_row(const struct fetch_context *context, struct fetch_job *job,
                      enum okx_endpoint endpoint, const struct okx_rows *rows, size_t index,
                      const struct err *reason)
{
    struct err err = {0};
    char *text = okx_rows_text(rows, index);
    const struct okx_letter letter = {
        .origin = okx_endpoint_name(endpoint),
        .key = fetch_command_key(&job->result.command),
        .text = text,
        .length = strlen(text),
        .reason = reason,
    };

    ingestor_metrics_count_bad(context->metrics, reason->code);
    log_warn("row of OKX cannot be used", LOG_STR("endpoint", letter.origin),
             LOG_STR("command", job->result.command.id), LOG_STR("reason", reason->message));
    atomic_fetch_add(&job->unacknowledged, 1);
    while (okx_letter_send(context->producer, context->topics, &letter, on_record_delivery, job,
                           &err) != 0) {
        if (err.retriable && !shutdown_wait_ms(FULL_QUEUE_PAUSE_MS))
            continue;
        atomic_fetch_sub(&job->unacknowledged, 1);
        log_warn("row could not be sent to dead-letters", LOG_STR("reason", err.message));
        break;
    }
    free(text);
}
