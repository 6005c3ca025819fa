#include "dead_letter_box.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "io/dead_letter.h"
#include "pg_error.h"
#include "wait.h"

enum { LOG_INTERVAL_MS = 1000, WAIT_SLICE_MS = 50, RETRY_BASE_MS = 100, RETRY_CAP_MS = 5000 };

enum letter_state { LETTER_UNSENT, LETTER_SENT, LETTER_DELIVERED };

struct letter {
    struct dead_letter_box *box;
    struct persist_item *item;
    enum dead_stage stage;
    struct err reason;
    char sqlstate[SQLSTATE_BYTES];
    /* Under the box's lock: */
    enum letter_state state;
    bool is_orphan; /* the box forgot it; the delivery report frees it */
};

struct dead_letter_box {
    struct kafka_producer *producer;
    const struct topic_names *topics;
    const struct persist_metrics *metrics;
    const atomic_bool *abandon;
    struct letter **letters;
    size_t count;
    size_t capacity;
    struct log_limiter limiter;
    pthread_mutex_t lock; /* of the letters' states */
};

struct dead_letter_box *dead_letter_box_create(struct kafka_producer *producer,
                                               const struct topic_names *topics,
                                               const struct persist_metrics *metrics,
                                               const atomic_bool *abandon)
{
    struct dead_letter_box *box = mem_calloc(1, sizeof *box);

    box->producer = producer;
    box->topics = topics;
    box->metrics = metrics;
    box->abandon = abandon;
    box->limiter.interval_ms = LOG_INTERVAL_MS;
    pthread_mutex_init(&box->lock, NULL);
    return box;
}

void dead_letter_box_destroy(struct dead_letter_box *box)
{
    if (!box)
        return;
    dead_letter_box_empty(box);
    pthread_mutex_destroy(&box->lock);
    free(box->letters);
    free(box);
}

static void log_letter(struct dead_letter_box *box, const struct letter *letter)
{
    const struct persist_item *item = letter->item;
    int64_t suppressed = 0;

    if (log_limiter_allow(&box->limiter, clock_monotonic_ms(), &suppressed))
        log_warn("record put aside to dead-letters", LOG_STR("topic", item->source->topic_name),
                 LOG_INT("partition", item->message->partition),
                 LOG_INT("offset", item->message->offset),
                 LOG_STR("stage", dead_stage_name(letter->stage)),
                 LOG_STR("reason", letter->reason.message), LOG_INT("suppressed", suppressed));
}

void dead_letter_box_add(struct dead_letter_box *box, struct persist_item *item,
                         enum dead_stage stage, const struct err *reason, const char *sqlstate)
{
    struct letter *letter = mem_calloc(1, sizeof *letter);

    letter->box = box;
    letter->item = item;
    letter->stage = stage;
    letter->reason = *reason;
    if (sqlstate && strlen(sqlstate) == SQLSTATE_BYTES - 1)
        memcpy(letter->sqlstate, sqlstate, SQLSTATE_BYTES);
    if (box->count == box->capacity) {
        box->capacity = box->capacity ? box->capacity * 2 : 16;
        box->letters = mem_realloc_array(box->letters, box->capacity, sizeof *box->letters);
    }
    box->letters[box->count++] = letter;
    item->is_excluded = true;
    log_letter(box, letter);
}

static void on_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct letter *letter = context;
    struct dead_letter_box *box = letter->box;
    bool is_orphan;

    pthread_mutex_lock(&box->lock);
    letter->state =
        delivery->error == RD_KAFKA_RESP_ERR_NO_ERROR ? LETTER_DELIVERED : LETTER_UNSENT;
    is_orphan = letter->is_orphan;
    pthread_mutex_unlock(&box->lock);
    if (is_orphan)
        free(letter);
}

static enum letter_state state_of(struct dead_letter_box *box, const struct letter *letter)
{
    enum letter_state state;

    pthread_mutex_lock(&box->lock);
    state = letter->state;
    pthread_mutex_unlock(&box->lock);
    return state;
}

static int send_letter(struct dead_letter_box *box, struct letter *letter, struct err *err)
{
    const rd_kafka_message_t *message = letter->item->message;
    rd_kafka_headers_t *headers = NULL;
    struct dead_letter content = {
        .service = "persister",
        .source_topic = letter->item->source->topic_name,
        .source_partition = message->partition,
        .source_offset = message->offset,
        .stage = dead_stage_name(letter->stage),
        .reason = letter->reason.code,
        .message = letter->reason.message,
        .sqlstate = letter->sqlstate[0] ? letter->sqlstate : NULL,
        .key = message->key,
        .key_length = message->key_len,
        .value = message->payload,
        .value_length = message->len,
    };

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        content.headers = headers;
    letter->state = LETTER_SENT; /* no report is under way, so no lock is needed */
    if (dead_letter_send(box->producer, box->topics, &content, on_delivery, letter, err) == 0)
        return 0;
    letter->state = LETTER_UNSENT;
    return -1;
}

/* Sends what is to be sent; how many are not delivered yet. *failed: some could not be sent. */
static size_t send_round(struct dead_letter_box *box, bool *failed, struct err *err)
{
    size_t open = 0;

    for (size_t i = 0; i < box->count; i++) {
        enum letter_state state = state_of(box, box->letters[i]);

        if (state == LETTER_DELIVERED)
            continue;
        open++;
        if (state == LETTER_UNSENT && !*failed)
            *failed = send_letter(box, box->letters[i], err) != 0;
    }
    return open;
}

static void log_failure(struct dead_letter_box *box, const struct err *err)
{
    int64_t suppressed = 0;

    if (log_limiter_allow(&box->limiter, clock_monotonic_ms(), &suppressed))
        log_warn("waiting to deliver dead letters", LOG_STR("reason", err->message));
}

static void count_letters(struct dead_letter_box *box)
{
    for (size_t i = 0; i < box->count; i++) {
        const struct letter *letter = box->letters[i];

        metric_increment(box->metrics->dead_letters[letter->item->source->topic][letter->stage]);
    }
}

int dead_letter_box_deliver(struct dead_letter_box *box, struct err *err)
{
    struct backoff backoff;

    backoff_init(&backoff, RETRY_BASE_MS, RETRY_BASE_MS, RETRY_CAP_MS, 0);
    for (;;) {
        bool failed = false;
        int64_t delay_ms = WAIT_SLICE_MS / 10;

        if (send_round(box, &failed, err) == 0)
            break;
        if (failed) {
            log_failure(box, err);
            if (kafka_producer_is_lost(box->producer))
                shutdown_request(); /* for main to begin anew with another one */
            delay_ms = backoff_next_ms(&backoff);
        }
        if (wait_unless(box->abandon, delay_ms))
            return err_set(err, ERR_STOPPED, "gave up on dead letters: stopping");
    }
    count_letters(box);
    dead_letter_box_empty(box);
    return 0;
}

void dead_letter_box_empty(struct dead_letter_box *box)
{
    for (size_t i = 0; i < box->count; i++) {
        struct letter *letter = box->letters[i];
        bool is_reported;

        pthread_mutex_lock(&box->lock);
        is_reported = letter->state != LETTER_SENT;
        letter->is_orphan = !is_reported;
        pthread_mutex_unlock(&box->lock);
        if (is_reported)
            free(letter);
    }
    box->count = 0;
}
