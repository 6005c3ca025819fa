#include "persist_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "completion.h"
#include "io/kafka_consumer.h"
#include "item_chain.h"
#include "source_table.h"

enum {
    POLL_MS = 50,
    /* To wait for a busy writer before its partitions are paused, which throws away what was read
     * ahead of them. */
    OFFER_MS = 5000,
    OFFER_SLICE_MS = 100,
    BUSY_POLL_MS = 5,
    TURN_RECORDS = 256,       /* taken before anything else is looked at */
    REVOKE_TIMEOUT_MS = 3000, /* well under the session timeout */
    DRAIN_TIMEOUT_MS = 2500,
    ABANDON_TIMEOUT_MS = 1000,
    DRAIN_SLICE_MS = 50,
    REPORT_INTERVAL_MS = 250,
    SLOW_BATCH_MS = 10000, /* a batch takes milliseconds; this long, PostgreSQL is in trouble */
    SUMMARY_INTERVAL_MS = 60000,
    COMPLETIONS_MAX = 1024,
    GROUP_ID_BYTES = 300,
};

/* A writer, and the items that go to it next. */
struct writer_slot {
    struct writer *writer;
    struct item_chain chain;
    bool is_stuck; /* had no room for the chain in time: the partitions of its items are paused */
};

struct persist_loop {
    const struct kafka_settings *kafka;
    struct status_server *status;
    struct persist_metrics *series;
    struct kafka_consumer *consumer;
    struct bounded_queue *completions; /* of struct completion */
    struct source_table sources;
    struct source_partition *recent; /* of the last record: they come in runs */
    struct writer_slot *slots;
    size_t slot_count;
    bool is_ready;           /* as last reported */
    bool is_stuck;           /* a writer did not stop, and still holds records */
    int64_t next_report_ms;  /* monotonic */
    int64_t next_summary_ms; /* monotonic */
};

/* --- from Kafka to the writers -------------------------------------------------------------------
 */

static void apply_completions(struct persist_loop *loop, int64_t timeout_ms);
static void report(struct persist_loop *loop);

static void pause_source(struct persist_loop *loop, struct source_partition *source)
{
    source->is_paused = true;
    kafka_consumer_pause(loop->consumer, source->topic_name, source->partition);
}

static struct source_partition *source_of_message(struct persist_loop *loop,
                                                  const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);

    if (!loop->recent || loop->recent->partition != message->partition ||
        strcmp(loop->recent->topic_name, topic) != 0)
        loop->recent = source_table_get(&loop->sources, topic, message->partition);
    return loop->recent;
}

/* Takes message, to the end of its writer's chain. */
static void dispatch(struct persist_loop *loop, rd_kafka_message_t *message)
{
    struct source_partition *source = source_of_message(loop, message);
    struct writer_slot *slot;

    if (!source) { /* cannot: we subscribed to our own topics only */
        rd_kafka_message_destroy(message);
        return;
    }
    slot = &loop->slots[source->writer];
    item_chain_append(&slot->chain, persist_item_create(message, source));
    if (slot->is_stuck)
        pause_source(loop, source);
}

static bool has_pending(const struct persist_loop *loop)
{
    for (size_t i = 0; i < loop->slot_count; i++) {
        if (loop->slots[i].chain.first)
            return true;
    }
    return false;
}

/* Up to a turn's records. Waits for the first, less long while some wait to be handed over or the
 * group is being joined. */
static int take_records(struct persist_loop *loop, struct err *err)
{
    /* An assignment does not end a poll that waits for records. */
    bool is_busy = has_pending(loop) || !kafka_consumer_has_assignment(loop->consumer);
    int64_t wait_ms = is_busy ? BUSY_POLL_MS : POLL_MS;

    for (int i = 0; i < TURN_RECORDS; i++) {
        rd_kafka_message_t *message = kafka_consumer_poll(loop->consumer, wait_ms, err);

        if (!message)
            return err->code == ERR_NONE ? 0 : -1;
        dispatch(loop, message);
        wait_ms = 0;
    }
    return 0;
}

/* In flight before the writer has them: it may be done with them at once. */
static void count_in_flight(const struct writer_slot *slot, int64_t sign)
{
    for (const struct persist_item *item = slot->chain.first; item; item = item->next)
        item->source->in_flight += sign;
}

static void pause_sources(struct persist_loop *loop, struct writer_slot *slot)
{
    slot->is_stuck = true;
    for (const struct persist_item *item = slot->chain.first; item; item = item->next)
        pause_source(loop, item->source);
}

struct resume_context {
    struct persist_loop *loop;
    size_t writer;
};

static void resume_source(struct source_partition *source, void *context)
{
    struct resume_context *resume = context;

    if (!source->is_paused || source->writer != resume->writer)
        return;
    source->is_paused = false;
    kafka_consumer_resume(resume->loop->consumer, source->topic_name, source->partition);
}

static bool offer(struct persist_loop *loop, struct writer_slot *slot, int64_t timeout_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

    while (!writer_offer(slot->writer, slot->chain.first, timeout_ms > 0 ? OFFER_SLICE_MS : 0)) {
        if (clock_monotonic_ms() >= deadline_ms || shutdown_requested())
            return false;
        apply_completions(loop, 0);
        report(loop);
    }
    return true;
}

/* Hands the chain over when there is room. A short one may wait for the next turn. */
static void hand_over(struct persist_loop *loop, size_t index)
{
    struct writer_slot *slot = &loop->slots[index];
    bool is_urgent = slot->chain.count >= TURN_RECORDS && !slot->is_stuck;

    item_chain_drop_stale(&slot->chain);
    if (slot->chain.first) {
        count_in_flight(slot, 1);
        if (!offer(loop, slot, is_urgent ? OFFER_MS : 0)) {
            count_in_flight(slot, -1);
            if (is_urgent)
                pause_sources(loop, slot);
            return;
        }
        slot->chain = (struct item_chain){0};
    }
    if (slot->is_stuck && writer_has_room(slot->writer)) {
        slot->is_stuck = false;
        source_table_visit(&loop->sources, resume_source,
                           &(struct resume_context){.loop = loop, .writer = index});
    }
}

/* --- from the writers to Kafka -------------------------------------------------------------------
 */

static void apply_completion(struct persist_loop *loop, struct completion *completion)
{
    for (size_t i = 0; i < completion->count; i++) {
        const struct completed_partition *done = &completion->partitions[i];
        struct source_partition *source = done->source;

        if (done->generation != atomic_load(&source->generation))
            continue; /* given up since: its next owner begins at the committed offset */
        source->in_flight -= done->records;
        kafka_consumer_store_offset(loop->consumer, source->topic_name, source->partition,
                                    done->next_offset);
    }
    free(completion);
}

/* Waits up to timeout_ms for the first. */
static void apply_completions(struct persist_loop *loop, int64_t timeout_ms)
{
    struct completion *completion = bounded_queue_pop(loop->completions, timeout_ms);

    while (completion) {
        apply_completion(loop, completion);
        completion = bounded_queue_pop(loop->completions, 0);
    }
}

/* --- rebalances ----------------------------------------------------------------------------------
 */

static struct source_partition *source_of(struct persist_loop *loop,
                                          const rd_kafka_topic_partition_t *entry)
{
    return source_table_get(&loop->sources, entry->topic, entry->partition);
}

static bool is_any_in_flight(struct persist_loop *loop,
                             const rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        const struct source_partition *source = source_of(loop, &partitions->elems[i]);

        if (source && source->in_flight > 0)
            return true;
    }
    return false;
}

static void on_revoke(const rd_kafka_topic_partition_list_t *revoked, bool lost, void *context)
{
    struct persist_loop *loop = context;
    int64_t deadline_ms = clock_monotonic_ms() + (lost ? 0 : REVOKE_TIMEOUT_MS);

    while (is_any_in_flight(loop, revoked) && clock_monotonic_ms() < deadline_ms)
        apply_completions(loop, DRAIN_SLICE_MS);
    for (int i = 0; i < revoked->cnt; i++) {
        struct source_partition *source = source_of(loop, &revoked->elems[i]);

        if (!source)
            continue;
        atomic_fetch_add(&source->generation, 1);
        source->in_flight = 0;
    }
}

/* The new assignment begins with everything running; what is full pauses again. */
static void on_assigned(const rd_kafka_topic_partition_list_t *gained,
                        const rd_kafka_topic_partition_list_t *dropped, void *context)
{
    struct persist_loop *loop = context;

    kafka_consumer_resume_all(loop->consumer);
    log_info("assignment changed", LOG_INT("gained", gained->cnt),
             LOG_INT("dropped", dropped->cnt));
}

/* --- reports -------------------------------------------------------------------------------------
 */

/* Returns whether all is well. */
static bool report_kafka(struct persist_loop *loop)
{
    bool is_connected = kafka_consumer_is_connected(loop->consumer);
    const char *reason = NULL;

    if (!is_connected)
        reason = "not connected";
    else if (kafka_consumer_denial(loop->consumer))
        reason = kafka_consumer_denial(loop->consumer);
    else if (!kafka_consumer_has_assignment(loop->consumer))
        reason = "waiting for an assignment";
    status_server_set_condition(loop->status, "kafka", !reason, reason);
    return !reason;
}

/* Returns whether all is well. */
static bool report_health(struct persist_loop *loop)
{
    struct writer_health worst = {0};

    for (size_t i = 0; i < loop->slot_count; i++) {
        struct writer_health health;

        writer_health(loop->slots[i].writer, &health);
        if (health.database[0])
            (void)snprintf(worst.database, sizeof worst.database, "%s", health.database);
        if (health.registry[0])
            (void)snprintf(worst.registry, sizeof worst.registry, "%s", health.registry);
        if (health.writing_ms > worst.writing_ms)
            worst.writing_ms = health.writing_ms;
    }
    metric_set(loop->series->database_up, !worst.database[0]);
    if (!worst.database[0] && worst.writing_ms > SLOW_BATCH_MS)
        (void)snprintf(worst.database, sizeof worst.database,
                       "slow: a batch is under way for %lld s",
                       (long long)(worst.writing_ms / 1000));
    status_server_set_condition(loop->status, "postgresql", !worst.database[0], worst.database);
    status_server_set_condition(loop->status, "schema-registry", !worst.registry[0],
                                worst.registry);
    return !worst.database[0] && !worst.registry[0];
}

static void log_summary(struct persist_loop *loop)
{
    log_info("progress",
             LOG_INT("trades_written", metric_value(loop->series->rows_written[TABLE_TRADES])),
             LOG_INT("trades_duplicate", metric_value(loop->series->rows_duplicate[TABLE_TRADES])),
             LOG_INT("candles_written", metric_value(loop->series->rows_written[TABLE_CANDLES])),
             LOG_INT("lag", kafka_consumer_lag(loop->consumer)));
}

static void report(struct persist_loop *loop)
{
    int64_t now_ms = clock_monotonic_ms();

    if (!loop->is_ready || now_ms >= loop->next_report_ms) {
        loop->next_report_ms = now_ms + REPORT_INTERVAL_MS;
        bool is_kafka_well = report_kafka(loop);
        loop->is_ready = report_health(loop) && is_kafka_well;
        status_server_beat(loop->status);
    }
    if (now_ms >= loop->next_summary_ms) {
        loop->next_summary_ms = now_ms + SUMMARY_INTERVAL_MS;
        log_summary(loop);
    }
}

/* --- life cycle ----------------------------------------------------------------------------------
 */

static struct kafka_consumer *join_group(struct persist_loop *loop, struct metrics *metrics,
                                         struct err *err)
{
    const char *topics[PERSIST_TOPIC_COUNT];
    char group_id[GROUP_ID_BYTES];

    for (size_t i = 0; i < PERSIST_TOPIC_COUNT; i++)
        topics[i] = topic_name(&loop->kafka->topics, persist_topics[i]);
    (void)snprintf(group_id, sizeof group_id, "%spersister",
                   loop->kafka->topic_prefix ? loop->kafka->topic_prefix : "");
    return kafka_consumer_create(
        loop->kafka,
        &(struct kafka_consumer_options){
            .client_id = "persister",
            .group_id = group_id,
            .topics = topics,
            .topic_count = PERSIST_TOPIC_COUNT,
            .offset_reset = "earliest",
            .handler = {.on_revoke = on_revoke, .on_assigned = on_assigned, .context = loop},
        },
        metrics, err);
}

static int start_writers(struct persist_loop *loop, const struct persist_loop_options *options,
                         struct err *err)
{
    for (size_t i = 0; i < options->writer_count; i++) {
        struct writer_options writer = options->writer;

        writer.completions = loop->completions;
        if (i > 0)
            writer.retention_ms = 0; /* one is enough to drop partitions */
        loop->slots[i].writer = writer_start(&writer, err);
        if (!loop->slots[i].writer)
            return -1;
        loop->slot_count++;
    }
    return 0;
}

static void stop_writers(struct persist_loop *loop);

struct persist_loop *persist_loop_create(const struct persist_loop_options *options,
                                         struct err *err)
{
    struct persist_loop *loop = mem_calloc(1, sizeof *loop);

    loop->kafka = options->kafka;
    loop->status = options->status;
    loop->series = options->series;
    loop->completions = bounded_queue_create(COMPLETIONS_MAX);
    loop->slots = mem_calloc(options->writer_count, sizeof *loop->slots);
    source_table_init(&loop->sources, &options->kafka->topics, options->writer_count);
    loop->next_summary_ms = clock_monotonic_ms() + SUMMARY_INTERVAL_MS;
    if (start_writers(loop, options, err) == 0)
        loop->consumer = join_group(loop, options->metrics, err);
    if (loop->consumer)
        return loop;
    stop_writers(loop);
    persist_loop_destroy(loop);
    return NULL;
}

static bool stop_writer(struct persist_loop *loop, struct writer *writer, int64_t deadline_ms)
{
    while (clock_monotonic_ms() < deadline_ms) {
        if (writer_join(writer, DRAIN_SLICE_MS))
            return true;
        if (loop->consumer)
            apply_completions(loop, 0);
    }
    log_warn("records in hand are left for the next owner of their partitions");
    writer_abandon(writer);
    return writer_join(writer, ABANDON_TIMEOUT_MS);
}

/* Lets the writers finish what they hold for a while, then makes them let go. */
static void stop_writers(struct persist_loop *loop)
{
    int64_t deadline_ms = clock_monotonic_ms() + DRAIN_TIMEOUT_MS;

    for (size_t i = 0; i < loop->slot_count; i++) {
        item_chain_clear(&loop->slots[i].chain); /* read again by whoever owns the partition next */
        writer_close(loop->slots[i].writer);
    }
    for (size_t i = 0; i < loop->slot_count; i++) {
        if (!stop_writer(loop, loop->slots[i].writer, deadline_ms))
            loop->is_stuck = true;
    }
}

static void forget_in_flight(struct source_partition *source, void *context)
{
    (void)context;
    source->in_flight = 0;
}

static void leave_group(struct persist_loop *loop)
{
    struct err err = {0};

    apply_completions(loop, 0);
    source_table_visit(&loop->sources, forget_in_flight, NULL);
    if (!loop->is_stuck) {
        kafka_consumer_destroy(loop->consumer); /* commits first */
        loop->consumer = NULL;
    } else if (kafka_consumer_commit(loop->consumer, &err) != 0) {
        log_warn("offsets not committed: some records will be written again",
                 LOG_STR("reason", err.message));
    }
}

bool persist_loop_is_stuck(const struct persist_loop *loop)
{
    return loop && loop->is_stuck;
}

int persist_loop_run(struct persist_loop *loop, struct err *err)
{
    int status = 0;

    while (status == 0 && !shutdown_requested()) {
        status = take_records(loop, err);
        for (size_t i = 0; i < loop->slot_count; i++)
            hand_over(loop, i);
        apply_completions(loop, 0);
        report(loop);
    }
    status_server_set_condition(loop->status, "running", false, "stopping");
    stop_writers(loop);
    leave_group(loop);
    return status;
}

void persist_loop_destroy(struct persist_loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < loop->slot_count; i++)
        writer_destroy(loop->slots[i].writer);
    bounded_queue_destroy(loop->completions);
    source_table_clear(&loop->sources);
    free(loop->slots);
    free(loop);
}
