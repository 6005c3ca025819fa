#include "io/consumer_lag.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/monotonic_cond.h"

enum {
    ASK_INTERVAL_MS = 5000,
    ANSWER_TIMEOUT_MS = 1000, /* the end of the process may have to wait for it */
};

struct lag_topic {
    char *name;
    struct metric *records;
};

struct consumer_lag {
    rd_kafka_t *client;
    struct lag_topic *topics;
    size_t topic_count;
    const struct partition_set *held; /* borrowed; NULL: none */
    atomic_llong total;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stops;
    bool is_stopping;
    rd_kafka_topic_partition_list_t *ends; /* of those held; offset: as last asked, or negative */
};

/* --- the thread that asks ----------------------------------------------------------------------
 */

/* Returns owned the held partitions, as the question where they end. */
static rd_kafka_topic_partition_list_t *new_question(const struct consumer_lag *lag)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(lag->ends);

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    return list;
}

static void note_answer(struct consumer_lag *lag, const rd_kafka_topic_partition_list_t *answer)
{
    for (int i = 0; i < answer->cnt; i++) {
        const rd_kafka_topic_partition_t *told = &answer->elems[i];
        rd_kafka_topic_partition_t *end =
            rd_kafka_topic_partition_list_find(lag->ends, told->topic, told->partition);

        if (end && !told->err && told->offset >= 0)
            end->offset = told->offset;
    }
}

/* Called, and returns, with the lock held. */
static void ask(struct consumer_lag *lag)
{
    rd_kafka_topic_partition_list_t *list = new_question(lag);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    pthread_mutex_unlock(&lag->lock);
    if (list->cnt > 0)
        error = rd_kafka_offsets_for_times(lag->client, list, ANSWER_TIMEOUT_MS);
    pthread_mutex_lock(&lag->lock);
    if (!error)
        note_answer(lag, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void *run(void *argument)
{
    struct consumer_lag *lag = argument;

    pthread_mutex_lock(&lag->lock);
    while (!lag->is_stopping) {
        int64_t next_us = clock_monotonic_us() + ASK_INTERVAL_MS * INT64_C(1000);

        ask(lag);
        while (!lag->is_stopping && clock_monotonic_us() < next_us)
            monotonic_cond_wait(&lag->stops, &lag->lock, next_us);
    }
    pthread_mutex_unlock(&lag->lock);
    return NULL;
}

/* --- life cycle --------------------------------------------------------------------------------
 */

static void open_topic(struct lag_topic *topic, const struct kafka_settings *settings,
                       const char *name, struct metrics *metrics)
{
    char *labels = kafka_settings_topic_label(settings, name);

    topic->name = mem_strdup(name);
    topic->records =
        metrics_gauge(metrics, "currency_trends_consumer_lag_records",
                      "Records of the assigned partitions that are still to be done.", labels);
    free(labels);
}

static void release(struct consumer_lag *lag)
{
    rd_kafka_topic_partition_list_destroy(lag->ends);
    pthread_cond_destroy(&lag->stops);
    pthread_mutex_destroy(&lag->lock);
    for (size_t i = 0; i < lag->topic_count; i++)
        free(lag->topics[i].name);
    free(lag->topics);
    free(lag);
}

struct consumer_lag *consumer_lag_create(rd_kafka_t *client, const struct kafka_settings *settings,
                                         const char *const *topics, size_t topic_count,
                                         struct metrics *metrics, struct err *err)
{
    struct consumer_lag *lag = mem_calloc(1, sizeof *lag);
    int error;

    lag->client = client;
    lag->topics = mem_calloc(topic_count, sizeof *lag->topics);
    lag->topic_count = topic_count;
    for (size_t i = 0; i < topic_count; i++)
        open_topic(&lag->topics[i], settings, topics[i], metrics);
    atomic_init(&lag->total, -1);
    lag->ends = rd_kafka_topic_partition_list_new(0);
    monotonic_cond_init(&lag->stops);
    pthread_mutex_init(&lag->lock, NULL);
    error = pthread_create(&lag->thread, NULL, run, lag);
    if (error != 0) {
        err_set(err, ERR_SYSTEM, "Kafka consumer: cannot start a thread: %s", strerror(error));
        release(lag);
        return NULL;
    }
    return lag;
}

void consumer_lag_destroy(struct consumer_lag *lag)
{
    if (!lag)
        return;
    pthread_mutex_lock(&lag->lock);
    lag->is_stopping = true;
    pthread_cond_signal(&lag->stops);
    pthread_mutex_unlock(&lag->lock);
    pthread_join(lag->thread, NULL);
    release(lag);
}

/* --- what is held ------------------------------------------------------------------------------
 */

void consumer_lag_set_partitions(struct consumer_lag *lag, const struct partition_set *held)
{
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(0);

    for (size_t i = 0; held && i < held->count; i++)
        rd_kafka_topic_partition_list_add(ends, held->states[i].topic, held->states[i].partition);
    pthread_mutex_lock(&lag->lock);
    rd_kafka_topic_partition_list_destroy(lag->ends);
    lag->ends = ends;
    pthread_mutex_unlock(&lag->lock);
    lag->held = held;
}

/* Called with the lock held. Returns -1 while it is unknown. */
static int64_t partition_lag(const struct consumer_lag *lag, const struct partition_state *state)
{
    const rd_kafka_topic_partition_t *asked =
        rd_kafka_topic_partition_list_find(lag->ends, state->topic, state->partition);
    int64_t begin = -1, end = -1, next = state->next_offset;

    /* What the last fetch said; asks no broker. */
    rd_kafka_get_watermark_offsets(lag->client, state->topic, state->partition, &begin, &end);
    if (asked && asked->offset > end)
        end = asked->offset;
    if (next < 0 || end < 0)
        return -1;
    if (next < begin)
        next = begin; /* expired unread */
    return end > next ? end - next : 0;
}

/* As partition_lag, of all that are held of a topic. */
static int64_t topic_lag(const struct consumer_lag *lag, const char *topic)
{
    int64_t sum = 0;

    for (size_t i = 0; i < lag->held->count; i++) {
        const struct partition_state *state = &lag->held->states[i];
        int64_t records = strcmp(state->topic, topic) == 0 ? partition_lag(lag, state) : 0;

        if (records < 0)
            return -1;
        sum += records;
    }
    return sum;
}

static int64_t refresh_topics(struct consumer_lag *lag)
{
    int64_t total = 0;

    for (size_t i = 0; i < lag->topic_count; i++) {
        int64_t records = topic_lag(lag, lag->topics[i].name);

        if (records >= 0)
            metric_set(lag->topics[i].records, records);
        total = records < 0 || total < 0 ? -1 : total + records;
    }
    return total;
}

void consumer_lag_refresh(struct consumer_lag *lag)
{
    int64_t total = -1;

    if (lag->held) {
        pthread_mutex_lock(&lag->lock);
        total = refresh_topics(lag);
        pthread_mutex_unlock(&lag->lock);
    }
    atomic_store(&lag->total, total);
}

int64_t consumer_lag_total(struct consumer_lag *lag)
{
    return atomic_load(&lag->total);
}
