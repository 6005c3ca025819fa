#include "io/topic_lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/shutdown.h"

enum { TURN_MS = 250, PAUSE_MS = 50, REASON_BYTES = 256, NAMES_BYTES_MAX = 160 };

struct topic_lookup {
    const struct kafka_settings *settings;
    rd_kafka_t *client;
    char last_error[REASON_BYTES]; /* why the brokers could not be reached, as librdkafka says */
};

static void on_error(rd_kafka_t *client, int error, const char *text, void *context)
{
    struct topic_lookup *lookup = context;

    (void)client;
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) /* says less than the one before it */
        snprintf(lookup->last_error, sizeof lookup->last_error, "%s", text);
}

static rd_kafka_t *create_client(struct topic_lookup *lookup, const char *client_id,
                                 struct err *err)
{
    rd_kafka_conf_t *conf = kafka_settings_new_conf(lookup->settings, client_id, NULL, err);
    rd_kafka_t *client = NULL;
    char reason[REASON_BYTES];

    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, lookup);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, NULL); /* the one line that main prints is enough */
    if (kafka_conf_set(conf, "allow.auto.create.topics", "false", err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        (void)err_set(err, ERR_CONFIG, "Kafka client: %s", reason);
    }
    return client;
}

struct topic_lookup *topic_lookup_create(const struct kafka_settings *settings,
                                         const char *client_id, struct err *err)
{
    struct topic_lookup *lookup = mem_calloc(1, sizeof *lookup);

    lookup->settings = settings;
    lookup->client = create_client(lookup, client_id, err);
    if (!lookup->client) {
        free(lookup);
        return NULL;
    }
    return lookup;
}

void topic_lookup_destroy(struct topic_lookup *lookup)
{
    if (!lookup)
        return;
    rd_kafka_destroy(lookup->client);
    free(lookup);
}

static int set_unreachable(const struct topic_lookup *lookup, rd_kafka_resp_err_t error,
                           struct err *err)
{
    return err_set_retriable(err, ERR_NETWORK, "cannot reach Kafka at %.100s: %s",
                             lookup->settings->bootstrap_servers,
                             lookup->last_error[0] ? lookup->last_error : rd_kafka_err2str(error));
}

/* Returns owned the metadata of all topics. */
static const struct rd_kafka_metadata *ask(struct topic_lookup *lookup, int64_t timeout_ms,
                                           struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;

    while (clock_monotonic_ms() < deadline_ms) {
        error = rd_kafka_metadata(lookup->client, 1, NULL, &metadata, TURN_MS);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            return metadata;
        (void)rd_kafka_poll(lookup->client, 0); /* brings on_error */
        if (shutdown_wait_ms(PAUSE_MS)) {
            (void)err_set(err, ERR_STOPPED, "interrupted");
            return NULL;
        }
    }
    (void)set_unreachable(lookup, error, err);
    return NULL;
}

static int set_not_found(const struct rd_kafka_metadata *metadata, const char *topic,
                         struct err *err)
{
    struct buf names = {0};
    const char *separator = "";

    buf_init(&names, NAMES_BYTES_MAX);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strncmp(metadata->topics[i].topic, "__", 2) == 0) /* Kafka's own */
            continue;
        if (buf_append_format(&names, "%s%s", separator, metadata->topics[i].topic) != 0)
            break;
        separator = ", ";
    }
    (void)err_set(err, ERR_NOT_FOUND, "topic %.100s does not exist; %s%s%s", topic,
                  names.length ? "there are: " : "there are none", names.data ? names.data : "",
                  names.overflowed ? ", ..." : "");
    buf_clear(&names);
    return -1;
}

static int read_count(const struct rd_kafka_metadata *metadata, const char *topic, int32_t *count,
                      struct err *err)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *found = &metadata->topics[i];

        if (strcmp(found->topic, topic) != 0)
            continue;
        if (found->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
            return err_set(err, ERR_UNAUTHORIZED, "topic %.100s may not be read by this user",
                           topic);
        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return err_set_retriable(err, ERR_REMOTE, "topic %.100s: %s", topic,
                                     rd_kafka_err2str(found->err));
        *count = found->partition_cnt;
        return 0;
    }
    return set_not_found(metadata, topic, err);
}

int topic_lookup_partitions(struct topic_lookup *lookup, const char *topic, int64_t timeout_ms,
                            int32_t *count, struct err *err)
{
    const struct rd_kafka_metadata *metadata = ask(lookup, timeout_ms, err);
    int status = -1;

    if (!metadata)
        return -1;
    status = read_count(metadata, topic, count, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

int topic_lookup_end(struct topic_lookup *lookup, const char *topic, int32_t partition,
                     int64_t timeout_ms, int64_t *end, struct err *err)
{
    int64_t first = 0, next = 0;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(lookup->client, topic, partition,
                                                                 &first, &next, (int)timeout_ms);

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        return set_unreachable(lookup, error, err);
    *end = next;
    return 0;
}
