#include "io/kafka_producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/monotonic_cond.h"
#include "io/kafka_log.h"
#include "io/kafka_statistics.h"

enum {
    TOPICS_MAX = 32,
    POLL_MS = 100,
    PROBE_INTERVAL_MS = 1000, /* how often an unconnected producer looks for a broker */
    PROBE_TIMEOUT_MS = 200,
    REASON_BYTES = 256,
    CACHE_LINE_BYTES = 64,
};

/* A topic's handle and counters; librdkafka's opaque of the handle. */
struct producer_topic {
    char *name;
    rd_kafka_topic_t *handle;
    struct metric *published;
    struct metric *failed;
};

struct kafka_producer {
    rd_kafka_t *client;
    struct metrics *metrics;
    const struct kafka_settings *settings;

    /* Entries are added under lock and never change afterwards; topic_count is published last, so
     * that senders find theirs without the lock. */
    struct producer_topic topics[TOPICS_MAX];
    atomic_size_t topic_count;

    atomic_bool is_connected;
    atomic_bool is_closing;  /* takes no more records */
    atomic_bool is_stopping; /* the thread ends */
    struct metric *queue_records;
    struct metric *round_trip;

    pthread_mutex_t lock;
    pthread_cond_t all_reported; /* signalled, if anyone waits, when every record has its report */
    atomic_size_t waiting;       /* threads that wait for all_reported */
    pthread_t thread;            /* serves delivery reports, errors and statistics */

    atomic_size_t taken;          /* records since the start; moved by senders */
    char apart[CACHE_LINE_BYTES]; /* what the thread moves with every report */
    atomic_size_t reported;
};

static size_t unreported(const struct kafka_producer *producer)
{
    size_t reported = atomic_load(&producer->reported); /* first: it never overtakes taken */

    return atomic_load(&producer->taken) - reported;
}

static void count_report(struct kafka_producer *producer)
{
    atomic_fetch_add(&producer->reported, 1);
    if (atomic_load(&producer->waiting) == 0 || unreported(producer) > 0)
        return;
    pthread_mutex_lock(&producer->lock);
    pthread_cond_broadcast(&producer->all_reported);
    pthread_mutex_unlock(&producer->lock);
}

/* --- on the producer's own thread --------------------------------------------------------------
 */

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_producer *producer = opaque;
    struct kafka_receipt *receipt = message->_private; /* NULL: nobody asked for one */
    const struct producer_topic *topic = rd_kafka_topic_opaque(message->rkt);

    (void)client;
    if (message->err) {
        metric_increment(topic->failed);
    } else {
        metric_increment(topic->published);
        if (!atomic_load_explicit(&producer->is_connected, memory_order_relaxed))
            atomic_store(&producer->is_connected, true);
    }
    if (receipt) {
        const struct kafka_delivery delivery = {
            .error = message->err, .partition = message->partition, .offset = message->offset};
        bool is_owned = receipt->is_owned;

        receipt->on_delivery(&delivery, receipt->context);
        if (is_owned)
            free(receipt);
    }
    count_report(producer);
}

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct kafka_producer *producer = opaque;
    char text[REASON_BYTES] = "";

    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        error = rd_kafka_fatal_error(client, text, sizeof text);
        log_error("the Kafka producer cannot go on", LOG_STR("client", rd_kafka_name(client)),
                  LOG_STR("kind", rd_kafka_err2name(error)), LOG_STR("reason", text));
        return;
    }
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        atomic_store(&producer->is_connected, false);
    kafka_log_error(client, error, reason);
}

static int on_statistics(rd_kafka_t *client, char *text, size_t length, void *opaque)
{
    struct kafka_producer *producer = opaque;
    struct kafka_statistics *statistics = kafka_statistics_parse(text, length);
    int64_t round_trip_us;

    (void)client;
    if (!statistics)
        return 0;
    atomic_store(&producer->is_connected, kafka_statistics_is_connected(statistics));
    round_trip_us = kafka_statistics_round_trip_us(statistics);
    if (round_trip_us >= 0)
        metric_set(producer->round_trip, (round_trip_us + 999) / 1000);
    kafka_statistics_destroy(statistics);
    return 0; /* librdkafka frees text */
}

/* Statistics come every few seconds only; this tells sooner that a broker is there (again). */
static void probe_connection(struct kafka_producer *producer)
{
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(producer->client, 0, NULL, &metadata, PROBE_TIMEOUT_MS) != 0)
        return;
    rd_kafka_metadata_destroy(metadata);
    atomic_store(&producer->is_connected, true);
}

static void *serve(void *argument)
{
    struct kafka_producer *producer = argument;
    int64_t next_probe_ms = 0;

    while (!atomic_load(&producer->is_stopping)) {
        rd_kafka_poll(producer->client, POLL_MS);
        metric_set(producer->queue_records, (int64_t)unreported(producer));
        if (!atomic_load(&producer->is_connected) && clock_monotonic_ms() >= next_probe_ms) {
            probe_connection(producer);
            next_probe_ms = clock_monotonic_ms() + PROBE_INTERVAL_MS;
        }
    }
    return NULL;
}

/* --- topics ------------------------------------------------------------------------------------
 */

static struct producer_topic *find_topic(struct kafka_producer *producer, const char *name)
{
    size_t count = atomic_load_explicit(&producer->topic_count, memory_order_acquire);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(producer->topics[i].name, name) == 0)
            return &producer->topics[i];
    }
    return NULL;
}

static int open_topic(struct kafka_producer *producer, struct producer_topic *topic,
                      const char *name, struct err *err)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(producer->client);
    char *labels;

    rd_kafka_topic_conf_set_opaque(conf, topic);
    topic->handle = rd_kafka_topic_new(producer->client, name, conf);
    if (!topic->handle) {
        rd_kafka_topic_conf_destroy(conf);
        return err_set(err, ERR_CONFIG, "topic %s: %s", name,
                       rd_kafka_err2str(rd_kafka_last_error()));
    }
    labels = kafka_settings_topic_label(producer->settings, name);
    topic->name = mem_strdup(name);
    topic->published = metrics_counter(producer->metrics, "currency_trends_records_published_total",
                                       "Records acknowledged by all in-sync replicas.", labels);
    topic->failed = metrics_counter(producer->metrics, "currency_trends_publish_failures_total",
                                    "Records that Kafka did not take.", labels);
    free(labels);
    return 0;
}

static struct producer_topic *add_topic(struct kafka_producer *producer, const char *name,
                                        struct err *err)
{
    struct producer_topic *topic;
    size_t count;

    pthread_mutex_lock(&producer->lock);
    topic = find_topic(producer, name); /* another thread may have been faster */
    count = atomic_load(&producer->topic_count);
    if (!topic && count == TOPICS_MAX) {
        err_set(err, ERR_LIMIT, "topic %s: more than %d topics for one producer", name, TOPICS_MAX);
    } else if (!topic && open_topic(producer, &producer->topics[count], name, err) == 0) {
        topic = &producer->topics[count];
        atomic_store_explicit(&producer->topic_count, count + 1, memory_order_release);
    }
    pthread_mutex_unlock(&producer->lock);
    return topic;
}

/* --- public ------------------------------------------------------------------------------------
 */

/* Measured defaults that users may change; what the promises rest on is in promise_properties. */
static const struct kafka_property default_properties[] = {
    {"compression.type", "lz4"},
    {"linger.ms", "5"},
    /* A minute of 800 trades a second, in some 20 MiB. When it is full, the source has to wait. */
    {"queue.buffering.max.messages", "50000"},
    {"queue.buffering.max.kbytes", "32768"},
    {0},
};

static const struct kafka_property promise_properties[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"}, /* an outage of any length loses nothing */
    {"partitioner", "murmur2_random"},
    {"statistics.interval.ms", "5000"},
    {0},
};

static const struct kafka_client_properties properties = {default_properties, promise_properties};

static rd_kafka_conf_t *new_conf(const struct kafka_settings *settings, const char *client_id,
                                 struct err *err)
{
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, client_id, &properties, err);

    if (!conf)
        return NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_stats_cb(conf, on_statistics);
    return conf;
}

static void release(struct kafka_producer *producer)
{
    size_t count = atomic_load(&producer->topic_count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_destroy(producer->topics[i].handle);
        free(producer->topics[i].name);
    }
    if (producer->client)
        rd_kafka_destroy(producer->client);
    pthread_cond_destroy(&producer->all_reported);
    pthread_mutex_destroy(&producer->lock);
    free(producer);
}

struct kafka_producer *kafka_producer_create(const struct kafka_settings *settings,
                                             const char *client_id, struct metrics *metrics,
                                             struct err *err)
{
    struct kafka_producer *producer = NULL;
    rd_kafka_conf_t *conf = new_conf(settings, client_id, err);
    char reason[REASON_BYTES];
    int error;

    if (!conf)
        return NULL;
    producer = mem_calloc(1, sizeof *producer);
    monotonic_cond_init(&producer->all_reported);
    pthread_mutex_init(&producer->lock, NULL);
    producer->metrics = metrics;
    producer->settings = settings;
    producer->queue_records =
        metrics_gauge(metrics, "currency_trends_producer_queue_records",
                      "Records whose delivery report is still to come.", NULL);
    producer->round_trip =
        metrics_gauge_millis(metrics, "currency_trends_producer_round_trip_seconds",
                             "99th percentile of requests to the slowest broker.", NULL);
    rd_kafka_conf_set_opaque(conf, producer);
    producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!producer->client) {
        rd_kafka_conf_destroy(conf);
        err_set(err, ERR_CONFIG, "Kafka producer: %s", reason);
        release(producer);
        return NULL;
    }
    error = pthread_create(&producer->thread, NULL, serve, producer);
    if (error != 0) {
        err_set(err, ERR_SYSTEM, "Kafka producer: cannot start a thread: %s", strerror(error));
        release(producer);
        return NULL;
    }
    return producer;
}

/* Returns how many reports are still to come after waiting up to timeout_ms for none. */
static size_t await_reports(struct kafka_producer *producer, int64_t timeout_ms)
{
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    size_t left;

    pthread_mutex_lock(&producer->lock);
    atomic_fetch_add(&producer->waiting, 1);
    while ((left = unreported(producer)) > 0) {
        if (monotonic_cond_wait(&producer->all_reported, &producer->lock, deadline_us) != 0)
            break;
    }
    atomic_fetch_sub(&producer->waiting, 1);
    pthread_mutex_unlock(&producer->lock);
    return left;
}

void kafka_producer_destroy(struct kafka_producer *producer)
{
    if (!producer)
        return;
    atomic_store(&producer->is_closing, true);
    do {
        rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    } while (await_reports(producer, POLL_MS) > 0);
    atomic_store(&producer->is_stopping, true);
    pthread_join(producer->thread, NULL);
    release(producer);
}

static int set_send_error(struct err *err, const char *topic, rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return err_set_retriable(err, ERR_FULL, "the producer's queue is full");
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return err_set(err, ERR_LIMIT, "record for %s is larger than message.max.bytes", topic);
    case RD_KAFKA_RESP_ERR__FATAL:
        return err_set(err, ERR_REMOTE, "the Kafka producer had a fatal error");
    default: /* the topic or partition is unknown for now: deleted, say */
        return err_set_retriable(err, ERR_NETWORK, "topic %s: %s", topic, rd_kafka_err2str(error));
    }
}

static rd_kafka_resp_err_t produce(struct kafka_producer *producer,
                                   const struct producer_topic *topic,
                                   const struct kafka_record *record, struct kafka_receipt *receipt)
{
    if (record->headers || record->timestamp_ms != 0)
        return rd_kafka_producev(
            producer->client, RD_KAFKA_V_RKT(topic->handle),
            RD_KAFKA_V_PARTITION(record->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(record->key, record->key_length),
            RD_KAFKA_V_VALUE((void *)record->value, record->value_length),
            RD_KAFKA_V_HEADERS(record->headers), RD_KAFKA_V_TIMESTAMP(record->timestamp_ms),
            RD_KAFKA_V_OPAQUE(receipt), RD_KAFKA_V_END);
    /* Most records: without the walk over arguments. */
    if (rd_kafka_produce(topic->handle, record->partition, RD_KAFKA_MSG_F_COPY,
                         (void *)record->value, record->value_length, record->key,
                         record->key_length, receipt) == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return rd_kafka_last_error();
}

int kafka_producer_send_with(struct kafka_producer *producer, const struct kafka_record *record,
                             struct kafka_receipt *receipt, struct err *err)
{
    struct producer_topic *topic = find_topic(producer, record->topic);
    rd_kafka_resp_err_t error;

    if (atomic_load_explicit(&producer->is_closing, memory_order_relaxed))
        return err_set(err, ERR_STOPPED, "the producer is closing");
    if (!topic && !(topic = add_topic(producer, record->topic, err)))
        return -1;
    atomic_fetch_add(&producer->taken, 1); /* before: the report may come at once */
    error = produce(producer, topic, record, receipt);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    count_report(producer);
    return set_send_error(err, record->topic, error);
}

struct kafka_receipt *kafka_receipt_create(kafka_delivery_fn *on_delivery, void *context)
{
    struct kafka_receipt *receipt = NULL;

    if (on_delivery) {
        receipt = mem_alloc(sizeof *receipt);
        *receipt = (struct kafka_receipt){on_delivery, context, .is_owned = true};
    }
    return receipt;
}

int kafka_producer_send(struct kafka_producer *producer, const struct kafka_record *record,
                        kafka_delivery_fn *on_delivery, void *context, struct err *err)
{
    struct kafka_receipt *receipt = kafka_receipt_create(on_delivery, context);

    if (kafka_producer_send_with(producer, record, receipt, err) == 0)
        return 0;
    free(receipt);
    return -1;
}

int kafka_producer_flush(struct kafka_producer *producer, int64_t timeout_ms, struct err *err)
{
    size_t left = await_reports(producer, timeout_ms);

    if (left == 0)
        return 0;
    return err_set_retriable(err, ERR_TIMEOUT, "%zu records are not acknowledged after %lld ms",
                             left, (long long)timeout_ms);
}

size_t kafka_producer_queue_length(struct kafka_producer *producer)
{
    return unreported(producer);
}

bool kafka_producer_is_lost(struct kafka_producer *producer)
{
    char reason[1];

    return rd_kafka_fatal_error(producer->client, reason, sizeof reason) !=
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool kafka_producer_is_connected(struct kafka_producer *producer)
{
    return atomic_load(&producer->is_connected);
}

int32_t kafka_partition_for_key(const char *key, size_t key_length, int32_t partition_count)
{
    /* librdkafka's own function for "murmur2" uses neither topic nor opaques. */
    return rd_kafka_msg_partitioner_murmur2(NULL, key, key_length, partition_count, NULL, NULL);
}
