#include "io/kafka_consumer.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/consumer_lag.h"
#include "io/fetch_waker.h"
#include "io/kafka_denial.h"
#include "io/kafka_log.h"
#include "io/kafka_statistics.h"
#include "io/partition_set.h"

enum {
    LOOK_INTERVAL_MS = 1000,
    COMMIT_TIMEOUT_MS = 4000,
    /* From SIGTERM to the end of the process there are 10 s, and librdkafka waits some on its own.
     */
    LAST_COMMIT_TIMEOUT_MS = 1500,
    CLOSE_TIMEOUT_MS = 4000,
    CLOSE_POLL_MS = 100,
    REASON_BYTES = 256,
};

struct kafka_consumer {
    rd_kafka_t *client;
    struct fetch_waker waker;
    struct kafka_consumer_handler handler;
    bool starts_at_beginning;
    bool has_fatal_error;
    bool is_closing;

    struct partition_set partitions; /* of the last assignment, kept while none is held */
    bool holds_assignment;
    struct metric *assigned_partitions;
    int64_t next_look_ms; /* monotonic; at the lag and at what is denied */
    struct consumer_lag *lag;
    struct kafka_denial denial;

    atomic_bool has_assignment;
    atomic_bool is_connected;
};

/* --- offsets -----------------------------------------------------------------------------------
 */

struct commit_result {
    bool is_done;
    rd_kafka_resp_err_t error;
};

static void on_commit(rd_kafka_t *client, rd_kafka_resp_err_t error,
                      rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct commit_result *result = opaque;

    (void)client;
    (void)offsets;
    result->error = error;
    result->is_done = true;
}

/* rd_kafka_commit would wait without limit for a coordinator that is away. */
static rd_kafka_resp_err_t commit_stored(struct kafka_consumer *consumer, int64_t timeout_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->client);
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    struct commit_result result = {.error = RD_KAFKA_RESP_ERR__TIMED_OUT};
    rd_kafka_resp_err_t error =
        rd_kafka_commit_queue(consumer->client, NULL, queue, on_commit, &result);
    int64_t left_ms = timeout_ms;

    while (!error && !result.is_done && left_ms > 0) {
        rd_kafka_queue_poll_callback(queue, (int)left_ms);
        left_ms = deadline_ms - clock_monotonic_ms();
    }
    rd_kafka_queue_destroy(queue); /* a late answer is dropped with it */
    if (!error)
        error = result.error;
    return error == RD_KAFKA_RESP_ERR__NO_OFFSET ? RD_KAFKA_RESP_ERR_NO_ERROR : error;
}

int kafka_consumer_commit(struct kafka_consumer *consumer, struct err *err)
{
    rd_kafka_resp_err_t error = commit_stored(consumer, COMMIT_TIMEOUT_MS);

    if (!error)
        return 0;
    return err_set_retriable(err, error == RD_KAFKA_RESP_ERR__TIMED_OUT ? ERR_TIMEOUT : ERR_REMOTE,
                             "commit offsets: %s", rd_kafka_err2str(error));
}

static struct partition_state *find_held(struct kafka_consumer *consumer, const char *topic,
                                         int32_t partition)
{
    return consumer->holds_assignment ? partition_set_find(&consumer->partitions, topic, partition)
                                      : NULL;
}

void kafka_consumer_store_offset(struct kafka_consumer *consumer, const char *topic,
                                 int32_t partition, int64_t next_offset)
{
    struct partition_state *state = find_held(consumer, topic, partition);
    rd_kafka_topic_partition_list_t *offsets;
    rd_kafka_resp_err_t error;

    if (!state)
        return;
    offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, topic, partition)->offset = next_offset;
    error = rd_kafka_offsets_store(consumer->client, offsets);
    rd_kafka_topic_partition_list_destroy(offsets);
    if (error) /* lost meanwhile: its next owner does the records again */
        kafka_log_error(consumer->client, error, "offset not stored");
    else
        state->next_offset = next_offset;
}

/* --- callbacks, all within poll or destroy -----------------------------------------------------
 */

static void publish_assignment(struct kafka_consumer *consumer, bool is_held)
{
    consumer->holds_assignment = is_held;
    consumer->next_look_ms = 0;
    consumer_lag_set_partitions(consumer->lag, is_held ? &consumer->partitions : NULL);
    atomic_store(&consumer->has_assignment, is_held);
    metric_set(consumer->assigned_partitions, is_held ? (int64_t)consumer->partitions.count : 0);
}

static void set_paused(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *partitions,
                       bool is_paused)
{
    if (partitions->cnt == 0)
        return;
    if (is_paused)
        rd_kafka_pause_partitions(consumer->client, partitions);
    else
        rd_kafka_resume_partitions(consumer->client, partitions);
}

/* Tells librdkafka to pause, or to resume, what we have paused. Its own pause outlives the loss of
 * a partition, which would be silent for ever if it came back later; ours stays, for those that
 * come back at once. */
static void pass_on_pauses(struct kafka_consumer *consumer, bool are_paused)
{
    rd_kafka_topic_partition_list_t *paused = partition_set_list(&consumer->partitions, true);

    set_paused(consumer, paused, are_paused);
    rd_kafka_topic_partition_list_destroy(paused);
}

static void revoke(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *revoked)
{
    bool lost = rd_kafka_assignment_lost(consumer->client);

    if (consumer->handler.on_revoke)
        consumer->handler.on_revoke(revoked, lost, consumer->handler.context);
    if (!lost) {
        rd_kafka_resp_err_t error = commit_stored(
            consumer, consumer->is_closing ? LAST_COMMIT_TIMEOUT_MS : COMMIT_TIMEOUT_MS);

        if (error)
            kafka_log_error(consumer->client, error,
                            "offsets not committed before a rebalance: records will come again");
    }
    publish_assignment(consumer, false);
    pass_on_pauses(consumer, false);
    rd_kafka_assign(consumer->client, NULL);
}

/* Where to begin: a partition that came back goes on behind what it gave us. */
static void set_beginnings(const struct kafka_consumer *consumer,
                           rd_kafka_topic_partition_list_t *assigned)
{
    for (int i = 0; i < assigned->cnt; i++) {
        rd_kafka_topic_partition_t *entry = &assigned->elems[i];
        const struct partition_state *known =
            partition_set_find(&consumer->partitions, entry->topic, entry->partition);

        entry->offset =
            known && known->next_offset >= 0 ? known->next_offset : RD_KAFKA_OFFSET_BEGINNING;
    }
}

static void assign(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *assigned)
{
    rd_kafka_topic_partition_list_t *gained, *dropped;

    if (consumer->starts_at_beginning)
        set_beginnings(consumer, assigned);
    partition_set_replace(&consumer->partitions, assigned, &gained, &dropped);
    for (size_t i = 0; !consumer->starts_at_beginning && i < consumer->partitions.count; i++)
        consumer->partitions.states[i].next_offset = -1; /* the committed one, not known to us */
    rd_kafka_assign(consumer->client, assigned);
    pass_on_pauses(consumer, true);
    publish_assignment(consumer, true);
    kafka_denial_joined(&consumer->denial);
    atomic_store(&consumer->is_connected, true);
    if (consumer->handler.on_assigned)
        consumer->handler.on_assigned(gained, dropped, consumer->handler.context);
    rd_kafka_topic_partition_list_destroy(dropped);
    rd_kafka_topic_partition_list_destroy(gained);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t event,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(consumer, partitions);
        return;
    }
    if (event != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        kafka_log_error(client, event, "rebalance failed");
    revoke(consumer, partitions);
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct kafka_consumer *consumer = opaque;

    if (error == RD_KAFKA_RESP_ERR__FATAL)
        consumer->has_fatal_error = true;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        atomic_store(&consumer->is_connected, false);
    kafka_log_error(client, error, reason);
}

static int on_statistics(rd_kafka_t *client, char *text, size_t length, void *opaque)
{
    struct kafka_consumer *consumer = opaque;
    struct kafka_statistics *statistics = kafka_statistics_parse(text, length);

    (void)client;
    if (!statistics)
        return 0;
    atomic_store(&consumer->is_connected, kafka_statistics_is_connected(statistics));
    for (size_t i = 0; consumer->holds_assignment && i < consumer->partitions.count; i++) {
        struct partition_state *state = &consumer->partitions.states[i];

        /* Without a record we have no other way to know where a partition began. */
        if (state->next_offset < 0)
            state->next_offset =
                kafka_statistics_start_offset(statistics, state->topic, state->partition);
    }
    kafka_statistics_destroy(statistics);
    return 0; /* librdkafka frees text */
}

/* --- life cycle --------------------------------------------------------------------------------
 */

static const struct kafka_property default_properties[] = {
    /* How soon librdkafka looks again whether it should fetch. The first, since older versions do
     * not know it. */
    {"fetch.queue.backoff.ms", "10"},
    /* The least that brokers allow by default: how soon a member that died is replaced, and how
     * long librdkafka waits at the end for a coordinator that is away. */
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "2000"},
    {"max.poll.interval.ms", "300000"},
    /* What is read ahead, in all. A fetch brings about as many records as may be waiting when it
     * is asked for, which bounds the memory that they take. */
    {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "8192"},
    {"fetch.max.bytes", "1048576"},
    {"fetch.message.max.bytes", "65536"},
    {0},
};

static const struct kafka_property promise_properties[] = {
    {"partition.assignment.strategy", "range"},
    {"enable.auto.offset.store", "false"}, /* only what store_offset was told … */
    {"enable.auto.commit", "true"},        /* … is committed, in the background */
    {"auto.commit.interval.ms", "1000"},
    {"enable.partition.eof", "false"},
    {"allow.auto.create.topics", "false"},
    {"statistics.interval.ms", "5000"},
    {0},
};

static rd_kafka_conf_t *new_conf(const struct kafka_settings *settings,
                                 const struct kafka_consumer_options *options, struct err *err)
{
    const struct kafka_client_properties properties = {
        .defaults = default_properties + (fetch_waker_is_needed() ? 1 : 0),
        .promises = promise_properties,
    };
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, options->client_id, &properties, err);

    if (!conf)
        return NULL;
    if (kafka_conf_set(conf, "group.id", options->group_id, err) != 0 ||
        kafka_conf_set(conf, "auto.offset.reset", options->offset_reset, err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    return conf;
}

static int subscribe(struct kafka_consumer *consumer, const struct kafka_consumer_options *options,
                     struct err *err)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)options->topic_count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < options->topic_count; i++)
        rd_kafka_topic_partition_list_add(topics, options->topics[i], RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(consumer->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (!error)
        return 0;
    return err_set(err, ERR_CONFIG, "subscribe: %s", rd_kafka_err2str(error));
}

static void release(struct kafka_consumer *consumer)
{
    fetch_waker_clear(&consumer->waker);
    consumer_lag_destroy(consumer->lag);
    if (consumer->client)
        rd_kafka_destroy_flags(consumer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    partition_set_clear(&consumer->partitions);
    kafka_denial_clear(&consumer->denial);
    free(consumer);
}

struct kafka_consumer *kafka_consumer_create(const struct kafka_settings *settings,
                                             const struct kafka_consumer_options *options,
                                             struct metrics *metrics, struct err *err)
{
    struct kafka_consumer *consumer = NULL;
    rd_kafka_conf_t *conf = new_conf(settings, options, err);
    char reason[REASON_BYTES];

    if (!conf)
        return NULL;
    consumer = mem_calloc(1, sizeof *consumer);
    kafka_denial_init(&consumer->denial, options->group_id);
    consumer->handler = options->handler;
    consumer->starts_at_beginning = options->starts_at_beginning;
    consumer->assigned_partitions =
        metrics_gauge(metrics, "currency_trends_consumer_assigned_partitions",
                      "Partitions that the group gave to this process.", NULL);
    rd_kafka_conf_set_opaque(conf, consumer);
    consumer->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!consumer->client) {
        rd_kafka_conf_destroy(conf);
        err_set(err, ERR_CONFIG, "Kafka consumer: %s", reason);
        release(consumer);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer->client);
    fetch_waker_init(&consumer->waker, consumer->client);
    consumer->lag = consumer_lag_create(consumer->client, settings, options->topics,
                                        options->topic_count, metrics, err);
    if (!consumer->lag || subscribe(consumer, options, err) != 0) {
        release(consumer);
        return NULL;
    }
    return consumer;
}

/* Records that are still queued come along here, and are dropped: their offsets were not stored. */
static void serve_while_closing(struct kafka_consumer *consumer, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLOSE_POLL_MS);

    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        on_rebalance(consumer->client, rd_kafka_event_error(event),
                     rd_kafka_event_topic_partition_list(event), consumer);
    rd_kafka_event_destroy(event);
}

/* rd_kafka_consumer_close would wait for an unreachable coordinator for as long as it takes. */
static void leave_group(struct kafka_consumer *consumer)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->client);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->client, queue);
    int64_t deadline_ms = clock_monotonic_ms() + CLOSE_TIMEOUT_MS;

    while (!error && !rd_kafka_consumer_closed(consumer->client) &&
           clock_monotonic_ms() < deadline_ms)
        serve_while_closing(consumer, queue);
    rd_kafka_queue_destroy(queue);
    if (error)
        rd_kafka_error_destroy(error);
}

void kafka_consumer_destroy(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    consumer->is_closing = true;
    leave_group(consumer);
    publish_assignment(consumer, false);
    release(consumer);
}

/* --- records -----------------------------------------------------------------------------------
 */

static void note_record(struct kafka_consumer *consumer, const rd_kafka_message_t *message)
{
    struct partition_state *state =
        find_held(consumer, rd_kafka_topic_name(message->rkt), message->partition);

    if (!state)
        return;
    if (consumer->starts_at_beginning)
        state->next_offset = message->offset + 1;
    else if (state->next_offset < 0)
        state->next_offset = message->offset;
}

static void look(struct kafka_consumer *consumer)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < consumer->next_look_ms)
        return;
    consumer->next_look_ms = now_ms + LOOK_INTERVAL_MS;
    kafka_denial_refresh(&consumer->denial, consumer->client, &consumer->partitions);
    consumer_lag_refresh(consumer->lag);
}

rd_kafka_message_t *kafka_consumer_poll(struct kafka_consumer *consumer, int64_t timeout_ms,
                                        struct err *err)
{
    rd_kafka_message_t *message =
        rd_kafka_consumer_poll(consumer->client, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);

    err->code = ERR_NONE;
    if (message && !message->err) {
        note_record(consumer, message);
        fetch_waker_note_record(&consumer->waker, &consumer->partitions);
    } else if (message) {
        if (message->err == RD_KAFKA_RESP_ERR__FATAL)
            consumer->has_fatal_error = true;
        if (kafka_denial_note(&consumer->denial, &consumer->partitions, message))
            consumer->next_look_ms = 0; /* looked at in a moment */
        kafka_log_error(consumer->client, message->err, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
        message = NULL;
    }
    look(consumer);
    if (!message && consumer->has_fatal_error)
        err_set(err, ERR_REMOTE, "the Kafka consumer had a fatal error");
    return message;
}

const char *kafka_consumer_denial(const struct kafka_consumer *consumer)
{
    return kafka_denial_text(&consumer->denial);
}

/* --- pausing -----------------------------------------------------------------------------------
 */

/* librdkafka up to 2.3 fetches old records again when it is told to resume what is not paused, so
 * only changes are passed on. */
static void set_one_paused(struct kafka_consumer *consumer, const char *topic, int32_t partition,
                           bool is_paused)
{
    struct partition_state *state = find_held(consumer, topic, partition);
    rd_kafka_topic_partition_list_t *list;

    if (!state || state->is_paused == is_paused)
        return;
    state->is_paused = is_paused;
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    set_paused(consumer, list, is_paused);
    rd_kafka_topic_partition_list_destroy(list);
}

static void set_all_paused(struct kafka_consumer *consumer, bool is_paused)
{
    rd_kafka_topic_partition_list_t *list;

    if (!consumer->holds_assignment)
        return;
    list = partition_set_list(&consumer->partitions, !is_paused);
    set_paused(consumer, list, is_paused);
    for (size_t i = 0; i < consumer->partitions.count; i++)
        consumer->partitions.states[i].is_paused = is_paused;
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_consumer_pause(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    set_one_paused(consumer, topic, partition, true);
}

void kafka_consumer_resume(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    set_one_paused(consumer, topic, partition, false);
}

void kafka_consumer_pause_all(struct kafka_consumer *consumer)
{
    set_all_paused(consumer, true);
}

void kafka_consumer_resume_all(struct kafka_consumer *consumer)
{
    set_all_paused(consumer, false);
}

/* --- for other threads -------------------------------------------------------------------------
 */

bool kafka_consumer_has_assignment(struct kafka_consumer *consumer)
{
    return atomic_load(&consumer->has_assignment);
}

bool kafka_consumer_is_connected(struct kafka_consumer *consumer)
{
    return atomic_load(&consumer->is_connected);
}

int64_t kafka_consumer_lag(struct kafka_consumer *consumer)
{
    return consumer_lag_total(consumer->lag);
}
