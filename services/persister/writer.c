#include "writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "batch_store.h"
#include "completion.h"
#include "dead_letter_box.h"
#include "gap_watch.h"
#include "io/record_reader.h"
#include "partition_keeper.h"
#include "pg_client.h"
#include "schema_check.h"
#include "wait.h"

enum {
    IDLE_MS = 500, /* how often an idle writer looks after its connection */
    RETRY_FLOOR_MS = 50,
    RETRY_BASE_MS = 100,
    RETRY_CAP_MS = 5000,
    LOG_INTERVAL_MS = 5000,
    PUSH_SLICE_MS = 100,
};

struct writer {
    struct bounded_queue *queue; /* of chains of struct persist_item */
    struct bounded_queue *completions;
    const struct persist_metrics *metrics;
    pthread_t thread;
    atomic_bool abandon;
    atomic_bool is_closed;         /* no more items come */
    atomic_llong writing_since_ms; /* monotonic; 0: not writing */

    /* The thread's own: */
    struct batch batch;        /* is being filled, then written */
    struct batch ahead;        /* the next one, filled while the other is being written */
    bool is_ahead_done;        /* full and encoded, or its next item takes more than decoding */
    struct persist_item *next; /* what was taken from the queue and is in no batch yet */
    int64_t now_ms;            /* monotonic, when that was taken */
    bool awaits_registry;      /* the next item does */
    int64_t registry_retry_ms; /* monotonic */
    struct backoff registry_backoff;
    struct backoff database_backoff;
    struct log_limiter limiter;
    struct record_reader *reader;
    struct pg_client *client;
    struct partition_keeper partitions;
    struct gap_watch gap_watch;
    struct dead_letter_box *dead_letters;
    struct batch_store *store;

    pthread_mutex_t health_lock;
    struct writer_health health;
};

/* --- health --------------------------------------------------------------------------------------
 */

static void set_reason(struct writer *writer, char *reason, const char *text)
{
    pthread_mutex_lock(&writer->health_lock);
    (void)snprintf(reason, sizeof writer->health.database, "%s", text);
    pthread_mutex_unlock(&writer->health_lock);
}

void writer_health(struct writer *writer, struct writer_health *health)
{
    pthread_mutex_lock(&writer->health_lock);
    *health = writer->health;
    pthread_mutex_unlock(&writer->health_lock);

    int64_t since_ms = atomic_load(&writer->writing_since_ms);
    health->writing_ms = since_ms > 0 ? clock_monotonic_ms() - since_ms : 0;
}

static void report_trouble(struct writer *writer, const char *msg, const struct err *err,
                           int64_t delay_ms)
{
    int64_t suppressed = 0;

    if (log_limiter_allow(&writer->limiter, clock_monotonic_ms(), &suppressed))
        log_warn(msg, LOG_STR("reason", err->message), LOG_STR("code", err_code_name(err->code)),
                 LOG_INT("retry_ms", delay_ms), LOG_INT("suppressed", suppressed));
}

/* --- the database --------------------------------------------------------------------------------
 */

static int open_session(struct writer *writer, struct err *err)
{
    if (pg_client_connect(writer->client, err) != 0)
        return -1;
    if (schema_check(writer->client, err) != 0 ||
        batch_store_prepare_session(writer->store, err) != 0) {
        pg_client_disconnect(writer->client);
        return -1;
    }
    partition_keeper_forget(&writer->partitions);
    log_info("connected to PostgreSQL");
    return 0;
}

static int ensure_session(struct writer *writer, struct err *err)
{
    if (pg_client_is_connected(writer->client))
        return 0;
    return open_session(writer, err);
}

/* Says what is wrong and waits; the caller tries again. */
static void endure_failure(struct writer *writer, const struct err *err)
{
    int64_t delay_ms = backoff_next_ms(&writer->database_backoff);

    if (err->code == ERR_STOPPED)
        return;
    if (err->code == ERR_CONFIG) /* the session rests on what is missing */
        pg_client_disconnect(writer->client);
    set_reason(writer, writer->health.database, err->message);
    report_trouble(writer, "waiting for PostgreSQL", err, delay_ms);
    wait_unless(&writer->abandon, delay_ms);
}

static void note_database_works(struct writer *writer)
{
    backoff_reset(&writer->database_backoff);
    set_reason(writer, writer->health.database, "");
}

/* Partitions ahead, retention and the count of gaps, when due; a failure harms nothing today. */
static void keep_up(struct writer *writer)
{
    struct err err = {0};

    if (partition_keeper_upkeep(&writer->partitions, writer->client, clock_wall_ms(), &err) != 0)
        log_warn("upkeep of partitions failed", LOG_STR("reason", err.message));
    if (gap_watch_refresh(&writer->gap_watch, writer->client, clock_wall_ms(), writer->metrics,
                          &err) != 0)
        log_warn("gaps not counted", LOG_STR("reason", err.message));
}

static void tend_connection(struct writer *writer)
{
    struct err err = {0};

    if (ensure_session(writer, &err) != 0) {
        endure_failure(writer, &err);
        return;
    }
    note_database_works(writer);
    keep_up(writer);
}

/* --- collecting ----------------------------------------------------------------------------------
 */

/* The next item, which stays where it is; waits up to timeout_ms for one. NULL: none came. */
static struct persist_item *peek_item(struct writer *writer, int64_t timeout_ms)
{
    if (!writer->next)
        writer->next = bounded_queue_pop(writer->queue, timeout_ms);
    return writer->next;
}

static struct persist_item *take_item(struct writer *writer)
{
    struct persist_item *item = writer->next;

    writer->next = item->next;
    item->next = NULL;
    return item;
}

static void note_registry_fails(struct writer *writer, const struct err *err)
{
    int64_t delay_ms = backoff_next_ms(&writer->registry_backoff);

    set_reason(writer, writer->health.registry, err->message);
    report_trouble(writer, "waiting for the schema registry", err, delay_ms);
    writer->registry_retry_ms = clock_monotonic_ms() + delay_ms;
    writer->awaits_registry = true;
}

static void note_registry_works(struct writer *writer)
{
    if (writer->awaits_registry)
        set_reason(writer, writer->health.registry, "");
    writer->awaits_registry = false;
    backoff_reset(&writer->registry_backoff);
}

/* Brings the next item into the batch. False when it stays: it cannot be decoded yet, or, for the
 * batch ahead, it takes more than decoding and waits for its turn. */
static bool admit(struct writer *writer, struct batch *batch, int64_t now_wall_ms)
{
    struct persist_item *item = writer->next;
    bool is_ahead = batch == &writer->ahead;
    struct err err = {0};

    if (persist_item_is_stale(item)) {
        persist_item_destroy(take_item(writer));
        note_registry_works(writer); /* it may have been the one that waited */
        return true;
    }
    if (!item->message->payload && topic_is_compacted(item->source->topic)) {
        item->is_excluded = true;
        metric_increment(writer->metrics->tombstones[item->source->topic]);
    } else if (is_ahead && !persist_item_is_decodable(item, writer->reader)) {
        return false;
    } else if (persist_item_decode(item, writer->reader, now_wall_ms, &err) == 0) {
        note_registry_works(writer);
    } else if (is_ahead) {
        persist_item_forget_record(item);
        return false;
    } else if (err.retriable) {
        note_registry_fails(writer, &err);
        return false;
    } else {
        note_registry_works(writer); /* what is wrong is the record */
        dead_letter_box_add(writer->dead_letters, item, DEAD_STAGE_DECODE, &err, NULL);
    }
    batch_add(batch, take_item(writer), writer->now_ms);
    return true;
}

/* True when it is time to ask the registry again, or nothing waits for it. */
static bool may_decode(struct writer *writer)
{
    int64_t delay_ms = writer->registry_retry_ms - clock_monotonic_ms();

    if (!writer->awaits_registry || persist_item_is_stale(writer->next) || delay_ms <= 0)
        return true;
    wait_unless(&writer->abandon, delay_ms < IDLE_MS ? delay_ms : IDLE_MS);
    return false;
}

/* One chain of items, or the encoding of a full batch. */
static bool work_ahead(void *context)
{
    struct writer *writer = context;
    struct batch *ahead = &writer->ahead;
    int64_t now_wall_ms = clock_wall_ms();

    if (writer->is_ahead_done || writer->awaits_registry)
        return false;
    if (batch_is_full(ahead, ahead->first_ms)) { /* however old: there is time */
        batch_store_encode_ahead(writer->store, ahead->items, ahead->count);
        writer->is_ahead_done = true;
        return false;
    }
    writer->now_ms = clock_monotonic_ms();
    if (!peek_item(writer, 0))
        return false;
    while (writer->next && !batch_is_full(ahead, ahead->first_ms)) {
        writer->is_ahead_done = !admit(writer, ahead, now_wall_ms);
        if (writer->is_ahead_done)
            return false;
    }
    return true;
}

/* Only once its batch is written: the order of records is that of their batches. */
static void turn_to_ahead(struct writer *writer)
{
    struct batch written = writer->batch;

    writer->batch = writer->ahead;
    writer->batch.first_ms = clock_monotonic_ms(); /* its collecting begins, or goes on */
    writer->ahead = written;
    writer->is_ahead_done = false;
}

/* Fills the batch with what is there. False once the queue is closed and empty. */
static bool collect(struct writer *writer)
{
    int64_t wait_ms = IDLE_MS;
    int64_t now_wall_ms;

    turn_to_ahead(writer);
    if (!may_decode(writer))
        return true;
    writer->now_ms = clock_monotonic_ms();
    while (!batch_is_full(&writer->batch, writer->now_ms) &&
           peek_item(writer, writer->batch.count > 0 ? 0 : wait_ms)) {
        wait_ms = 0;
        writer->now_ms = clock_monotonic_ms();
        now_wall_ms = clock_wall_ms();
        do { /* the items of a chain came at one time */
            if (!admit(writer, &writer->batch, now_wall_ms))
                return true;
        } while (writer->next && !batch_is_full(&writer->batch, writer->now_ms));
    }
    return writer->batch.count > 0 || writer->next || !atomic_load(&writer->is_closed) ||
           bounded_queue_length(writer->queue) > 0;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static bool is_all_stale(const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (!persist_item_is_stale(batch->items[i]))
            return false;
    }
    return true;
}

static void drop_items(struct writer *writer, struct batch *batch)
{
    batch_store_forget(writer->store, batch->items);
    for (size_t i = 0; i < batch->count; i++)
        persist_item_destroy(batch->items[i]);
    batch_reset(batch);
}

static void drop_batch(struct writer *writer)
{
    dead_letter_box_empty(writer->dead_letters); /* letters borrow their items */
    drop_items(writer, &writer->batch);
}

static int try_batch(struct writer *writer, struct err *err)
{
    if (ensure_session(writer, err) != 0 ||
        batch_store_write(writer->store, writer->batch.items, writer->batch.count, err) != 0)
        return -1;
    note_database_works(writer);
    keep_up(writer);
    return dead_letter_box_deliver(writer->dead_letters, err);
}

static void report_completion(struct writer *writer)
{
    struct completion *completion = completion_create(writer->batch.items, writer->batch.count);

    while (!bounded_queue_push(writer->completions, completion, PUSH_SLICE_MS)) {
        if (atomic_load(&writer->abandon)) {
            free(completion);
            return;
        }
    }
}

/* Tries until the batch is finished, nobody wants it any more, or the writer is abandoned. */
static void finish_batch(struct writer *writer)
{
    int64_t start_us = clock_monotonic_us();
    struct err err = {0};

    atomic_store(&writer->writing_since_ms, start_us / 1000);
    while (!atomic_load(&writer->abandon) && !is_all_stale(&writer->batch)) {
        if (try_batch(writer, &err) == 0) {
            metric_observe_us(writer->metrics->batch_seconds, clock_monotonic_us() - start_us);
            report_completion(writer);
            break;
        }
        endure_failure(writer, &err);
    }
    atomic_store(&writer->writing_since_ms, 0);
    drop_batch(writer);
}

/* --- the thread ----------------------------------------------------------------------------------
 */

static void drop_queue(struct writer *writer)
{
    while (peek_item(writer, 0))
        persist_item_destroy(take_item(writer));
}

static void *run(void *context)
{
    struct writer *writer = context;

    tend_connection(writer);
    while (!atomic_load(&writer->abandon) && collect(writer)) {
        if (writer->batch.count > 0)
            finish_batch(writer);
        else
            tend_connection(writer);
    }
    drop_batch(writer);
    drop_items(writer, &writer->ahead);
    drop_queue(writer);
    pg_client_disconnect(writer->client);
    return NULL;
}

static struct writer *create(const struct writer_options *options)
{
    struct writer *writer = mem_calloc(1, sizeof *writer);

    writer->queue = bounded_queue_create(WRITER_QUEUE_CHAINS);
    writer->completions = options->completions;
    writer->metrics = options->metrics;
    atomic_init(&writer->abandon, false);
    atomic_init(&writer->writing_since_ms, 0);
    pthread_mutex_init(&writer->health_lock, NULL);
    (void)snprintf(writer->health.database, sizeof writer->health.database, "not connected yet");
    batch_init(&writer->batch, &options->limits);
    batch_init(&writer->ahead, &options->limits);
    backoff_init(&writer->registry_backoff, RETRY_FLOOR_MS, RETRY_BASE_MS, RETRY_CAP_MS, 0);
    backoff_init(&writer->database_backoff, RETRY_FLOOR_MS, RETRY_BASE_MS, RETRY_CAP_MS, 0);
    writer->limiter.interval_ms = LOG_INTERVAL_MS;
    writer->reader = record_reader_create(options->registry);
    writer->client = pg_client_create(&(struct pg_client_options){
        .password = options->database_password,
        .application_name = "persister",
        .abandon = &writer->abandon,
        .work_meanwhile = work_ahead,
        .context = writer,
    });
    partition_keeper_init(&writer->partitions, options->retention_ms);
    writer->dead_letters = dead_letter_box_create(options->producer, options->topics,
                                                  options->metrics, &writer->abandon);
    writer->store = batch_store_create(&(struct batch_store_options){
        .client = writer->client,
        .partitions = &writer->partitions,
        .dead_letters = writer->dead_letters,
        .metrics = options->metrics,
        .rows_max = options->limits.rows_max,
    });
    return writer;
}

struct writer *writer_start(const struct writer_options *options, struct err *err)
{
    struct writer *writer = create(options);
    int error = pthread_create(&writer->thread, NULL, run, writer);

    if (error == 0)
        return writer;
    writer_destroy(writer);
    err_set(err, ERR_SYSTEM, "start a writer: %s", strerror(error));
    return NULL;
}

bool writer_offer(struct writer *writer, struct persist_item *first, int64_t timeout_ms)
{
    return timeout_ms > 0 ? bounded_queue_push(writer->queue, first, timeout_ms)
                          : bounded_queue_try_push(writer->queue, first);
}

bool writer_has_room(struct writer *writer)
{
    return bounded_queue_length(writer->queue) <= WRITER_QUEUE_CHAINS / 2;
}

void writer_close(struct writer *writer)
{
    atomic_store(&writer->is_closed, true);
    bounded_queue_close(writer->queue);
}

void writer_abandon(struct writer *writer)
{
    atomic_store(&writer->abandon, true);
    writer_close(writer);
}

bool writer_join(struct writer *writer, int64_t timeout_ms)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += timeout_ms % 1000 * 1000 * 1000;
    if (deadline.tv_nsec >= 1000 * 1000 * 1000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000 * 1000 * 1000;
    }
    return pthread_timedjoin_np(writer->thread, NULL, &deadline) == 0;
}

void writer_destroy(struct writer *writer)
{
    if (!writer)
        return;
    batch_store_destroy(writer->store);
    dead_letter_box_destroy(writer->dead_letters);
    pg_client_destroy(writer->client);
    record_reader_destroy(writer->reader);
    batch_clear(&writer->batch);
    batch_clear(&writer->ahead);
    bounded_queue_destroy(writer->queue);
    pthread_mutex_destroy(&writer->health_lock);
    free(writer);
}
