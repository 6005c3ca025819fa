/*
 * One piece of REST work and what its steps have in common. A job is a small state machine: a step
 * makes at most one request, then the job goes back into the queue, so that a gap repair never
 * waits for more than the requests under way.
 *
 * Ownership: a job belongs to whoever popped it from the queue; while its last records wait for
 * their acknowledgements it belongs to them, and the last one puts it back into the queue.
 */
#ifndef INGESTOR_FETCH_JOB_H
#define INGESTOR_FETCH_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "domain/candle_bar.h"
#include "domain/fetch_result.h"
#include "fetch_queue.h"
#include "ingestor_metrics.h"
#include "io/record_writer.h"
#include "okx_rest_client.h"
#include "range_cover.h"
#include "service_failure.h"

enum fetch_job_kind {
    FETCH_JOB_COMMAND,     /* of the control topic */
    FETCH_JOB_LAST_TRADE,  /* which trade is an instrument's newest, or begins its series */
    FETCH_JOB_INSTRUMENTS, /* the list of instruments; comes back for ever */
};

/* What a LAST_TRADE job learnt. */
struct last_trade {
    char inst_id[INST_ID_BYTES];
    bool is_beginning;              /* the series begins behind it; else it is the newest */
    bool is_refused;                /* no trade, and asking again will not help */
    struct optional_int64 trade_id; /* absent: there is none, or it could not be learnt */
    struct optional_int64 event_time_ms;
};

struct fetch_job {
    enum fetch_job_kind kind;
    struct fetch_result result; /* with the command; LAST_TRADE uses its inst_id only */
    int32_t partition;          /* of the command's record in control */
    int64_t offset;

    bool is_begun;
    bool is_reporting; /* the data is out: the result is next */
    bool is_abandoned; /* nobody wants the result any more */
    bool has_synced_clock;
    int64_t begun_at_ms;      /* monotonic */
    int64_t progressed_at_ms; /* the last answer that brought it on, or begun_at_ms */
    struct backoff backoff;

    /* Ranges: what of the command has arrived, and how far down this pass has come. */
    const struct candle_bar *bar;
    struct range_cover cover;
    size_t bound;  /* positions from here on are done with in this pass */
    unsigned pass; /* how often the whole range was gone through */
    bool saw_unconfirmed;

    /* LAST_TRADE. */
    int64_t since_ms; /* monotonic: when the series begins; INT64_MAX: the newest trade is asked */
    int64_t below_id; /* as far down as the pages came; INT64_MAX: there was none yet */
    struct last_trade last;

    /* For the queue. */
    int64_t ready_at_ms; /* monotonic */
    uint64_t sequence;

    /* Records without their acknowledgement, and one more until all of them are sent. */
    atomic_int unacknowledged;
    atomic_bool delivery_failed;
    struct fetch_queue *queue; /* borrowed */
    void *owner;               /* borrowed; fetch_worker's */
};

struct fetch_job *fetch_job_create(enum fetch_job_kind kind, struct fetch_queue *queue) MUST_CHECK;
void fetch_job_destroy(struct fetch_job *job);
/* Gives up a job that is not reporting yet: it goes once its last record is acknowledged. */
void fetch_job_abandon(struct fetch_job *job);

/* What the steps work with; one per thread. All borrowed. */
struct fetch_context {
    struct okx_rest_client *rest;
    struct okx_rest_session *session;
    struct record_writer *writer;
    struct kafka_producer *producer;
    const struct topic_names *topics;
    struct ingestor_metrics *metrics;
    struct service_failure *failure;
    int64_t deadline_ms; /* how long a job may go without progress */
};

enum fetch_step {
    FETCH_STEP_AGAIN,    /* back into the queue, until job->ready_at_ms */
    FETCH_STEP_FINISHED, /* job->result says what came of it */
};

enum fetch_step fetch_again(struct fetch_job *job, int64_t delay_ms);
/* The command failed; err->retriable says whether asking again may help. */
enum fetch_step fetch_fail(struct fetch_job *job, const struct err *err);
enum fetch_step fetch_finish(struct fetch_job *job, enum fetch_status status);
/* A failed request: again after a pause while that makes sense, else fetch_fail. */
enum fetch_step fetch_retry(const struct fetch_context *context, struct fetch_job *job,
                            const struct err *err);

/* The answer brought the job on: its retries count from now. */
void fetch_note_progress(struct fetch_job *job);

/*
 * One GET within the endpoint's budget. Returns owned the rows, or NULL and in *step what the
 * caller is to return.
 */
struct okx_rows *fetch_get(const struct fetch_context *context, struct fetch_job *job,
                           enum okx_endpoint endpoint, const char *path,
                           enum fetch_step *step) MUST_CHECK;

/* Publishes a record of the job, waiting while the queue to Kafka is full. -1 when the process is
 * stopping or failed: the job is to be abandoned with fetch_again. */
int fetch_publish(const struct fetch_context *context, struct fetch_job *job, enum record_kind kind,
                  const void *record) MUST_CHECK;
/* Sends a row that cannot be used to dead-letters. */
void fetch_reject_row(const struct fetch_context *context, struct fetch_job *job,
                      enum okx_endpoint endpoint, const struct okx_rows *rows, size_t index,
                      const struct err *reason);

#endif
