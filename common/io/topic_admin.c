#include "io/topic_admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/shutdown.h"

enum {
    CONNECT_TIMEOUT_MS = 6000,
    REQUEST_STEP_MS = 1000, /* between looks at the shutdown flag */
    CREATE_TIMEOUT_MS = 10000,
    LEADERS_TIMEOUT_MS = 10000,
    LEADERS_INTERVAL_MS = 100,
    REASON_BYTES = 200,
    TEXT_BYTES_MAX = 1024,
};

struct topic_admin {
    const struct kafka_settings *settings;
    rd_kafka_t *client;
    char reason[REASON_BYTES]; /* the last thing that librdkafka complained about */
    bool is_refused;           /* and it was about our credentials */
};

static void on_error(rd_kafka_t *client, int error, const char *reason, void *opaque)
{
    struct topic_admin *admin = opaque;

    (void)client;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) /* the lines before it say why */
        return;
    admin->is_refused = error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    snprintf(admin->reason, sizeof admin->reason, "%s", reason);
}

static int32_t wanted_partitions(const struct kafka_settings *settings, enum topic topic)
{
    return topic_is_partitioned_by_instrument(topic) ? (int32_t)settings->topic_partitions : 1;
}

/* It sends the nonce twice, which these brokers refuse as if the password were wrong. */
static bool is_scram_outdated(const struct kafka_settings *settings)
{
    enum { VERSION_2_6_1 = 0x020601 };

    for (size_t i = 0; i < settings->property_count; i++) {
        if (strcmp(settings->properties[i].name, "sasl.mechanism") == 0 ||
            strcmp(settings->properties[i].name, "sasl.mechanisms") == 0)
            return rd_kafka_version() >> 8 < VERSION_2_6_1 &&
                   strncmp(settings->properties[i].value, "SCRAM-", 6) == 0;
    }
    return false;
}

/* --- looking -----------------------------------------------------------------------------------
 */

/* All topics, since asking for one by name may create it on brokers with auto-creation. */
/* Returns owned (rd_kafka_metadata_destroy). */
static const struct rd_kafka_metadata *get_metadata(struct topic_admin *admin, struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error;

    do {
        if (shutdown_requested()) {
            err_set(err, ERR_STOPPED, "stopped while asking Kafka for its topics");
            return NULL;
        }
        error = rd_kafka_metadata(admin->client, 1, NULL, &metadata, REQUEST_STEP_MS);
        rd_kafka_poll(admin->client, 0); /* brings on_error */
    } while (error && clock_monotonic_ms() < deadline_ms);
    if (!error)
        return metadata;
    if (admin->is_refused && is_scram_outdated(admin->settings))
        snprintf(admin->reason, sizeof admin->reason,
                 "credentials refused; librdkafka before 2.6.1 cannot do SCRAM with this Kafka if "
                 "it is 3.7.2 or later: use PLAIN, or a newer library");
    err_set_retriable(err, admin->is_refused ? ERR_UNAUTHORIZED : ERR_NETWORK, "Kafka at %s: %s",
                      admin->settings->bootstrap_servers,
                      admin->reason[0] ? admin->reason : rd_kafka_err2str(error));
    return NULL;
}

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *metadata,
                                                        const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (strcmp(topic->topic, name) == 0 &&
            topic->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return topic;
    }
    return NULL;
}

static bool has_leaders(const struct rd_kafka_metadata_topic *topic)
{
    if (!topic || topic->err || topic->partition_cnt == 0)
        return false;
    for (int i = 0; i < topic->partition_cnt; i++) {
        if (topic->partitions[i].leader < 0)
            return false;
    }
    return true;
}

/* Appends "topic trades has 6 partitions, candles 6, TOPIC_PARTITIONS says 12" for the topics of
 * one kind that differ. */
static void describe_mismatches(const struct kafka_settings *settings,
                                const struct rd_kafka_metadata *metadata, bool by_instrument,
                                struct buf *text)
{
    int mismatches = 0;

    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        const char *name = topic_name(&settings->topics, topic);
        const struct rd_kafka_metadata_topic *found = find_topic(metadata, name);

        if (topic_is_partitioned_by_instrument(topic) != by_instrument || !found ||
            found->partition_cnt == 0 || found->partition_cnt == wanted_partitions(settings, topic))
            continue;
        if (mismatches++ == 0)
            buf_append_format(text, "%stopic %s has %d partition%s", text->length > 0 ? "; " : "",
                              name, found->partition_cnt, found->partition_cnt == 1 ? "" : "s");
        else
            buf_append_format(text, ", %s %d", name, found->partition_cnt);
    }
    if (mismatches > 0 && by_instrument)
        buf_append_format(text, ", TOPIC_PARTITIONS says %lld",
                          (long long)settings->topic_partitions);
    else if (mismatches > 0)
        buf_append_text(text, ", must be 1");
}

static int check_partitions(const struct kafka_settings *settings,
                            const struct rd_kafka_metadata *metadata, struct err *err)
{
    struct buf text;
    int status = 0;

    buf_init(&text, TEXT_BYTES_MAX);
    describe_mismatches(settings, metadata, true, &text);
    describe_mismatches(settings, metadata, false, &text);
    if (text.length > 0)
        status = err_set(err, ERR_CONFIG, "%s", text.data);
    buf_clear(&text);
    return status;
}

/* --- creating ----------------------------------------------------------------------------------
 */

/* Returns owned the order for a topic, or NULL. */
static rd_kafka_NewTopic_t *new_topic(const struct kafka_settings *settings, enum topic topic,
                                      struct err *err)
{
    int64_t copies = settings->topic_replication_factor;
    int64_t retention_ms = topic_retention_ms(topic);
    char number[24], reason[REASON_BYTES];
    rd_kafka_NewTopic_t *order = rd_kafka_NewTopic_new(topic_name(&settings->topics, topic),
                                                       wanted_partitions(settings, topic),
                                                       (int)copies, reason, sizeof reason);

    if (!order) {
        err_set(err, ERR_CONFIG, "topic %s: %s", topic_name(&settings->topics, topic), reason);
        return NULL;
    }
    rd_kafka_NewTopic_set_config(order, "cleanup.policy",
                                 topic_is_compacted(topic) ? "compact" : "delete");
    if (retention_ms >= 0) {
        snprintf(number, sizeof number, "%lld", (long long)retention_ms);
        rd_kafka_NewTopic_set_config(order, "retention.ms", number);
    }
    /* One replica may be away without stopping the producers. */
    snprintf(number, sizeof number, "%lld", (long long)(copies > 1 ? copies - 1 : 1));
    rd_kafka_NewTopic_set_config(order, "min.insync.replicas", number);
    return order;
}

static bool passes_with_time(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
        return false;
    default: /* too few brokers yet, no controller yet, timeouts */
        return true;
    }
}

static int check_created(const rd_kafka_topic_result_t *result, struct err *err)
{
    rd_kafka_resp_err_t error = rd_kafka_topic_result_error(result);
    const char *name = rd_kafka_topic_result_name(result);
    const char *reason = rd_kafka_topic_result_error_string(result);

    if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return 0;
    if (!reason)
        reason = rd_kafka_err2str(error);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return err_set_retriable(err, ERR_UNAUTHORIZED,
                                 "create topic %s: %s (if it exists, we may not describe it)", name,
                                 reason);
    if (!passes_with_time(error))
        return err_set(err, ERR_CONFIG, "create topic %s: %s", name, reason);
    return err_set_retriable(err, ERR_REMOTE, "create topic %s: %s", name, reason);
}

static int check_answer(rd_kafka_event_t *event, struct err *err)
{
    const rd_kafka_CreateTopics_result_t *result;
    const rd_kafka_topic_result_t **topics;
    size_t count;

    if (rd_kafka_event_error(event))
        return err_set_retriable(err, ERR_NETWORK, "create topics: %s",
                                 rd_kafka_event_error_string(event));
    result = rd_kafka_event_CreateTopics_result(event);
    topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (check_created(topics[i], err) != 0)
            return -1;
    }
    return 0;
}

/* Sends the orders and waits for the answer. */
static int request_topics(rd_kafka_t *client, rd_kafka_NewTopic_t **orders, size_t count,
                          struct err *err)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    int64_t deadline_ms = clock_monotonic_ms() + CREATE_TIMEOUT_MS + REQUEST_STEP_MS;
    rd_kafka_event_t *event = NULL;
    char reason[REASON_BYTES];
    int status = -1;

    rd_kafka_AdminOptions_set_request_timeout(options, CREATE_TIMEOUT_MS, reason, sizeof reason);
    rd_kafka_CreateTopics(client, orders, count, options, queue);
    while (!event && !shutdown_requested() && clock_monotonic_ms() < deadline_ms)
        event = rd_kafka_queue_poll(queue, REQUEST_STEP_MS);
    if (event)
        status = check_answer(event, err);
    else if (shutdown_requested())
        err_set(err, ERR_STOPPED, "stopped while creating topics");
    else
        err_set_retriable(err, ERR_TIMEOUT, "create topics: no answer");
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return status;
}

static int create_missing(struct topic_admin *admin, const struct rd_kafka_metadata *metadata,
                          struct err *err)
{
    rd_kafka_NewTopic_t *orders[TOPIC_COUNT];
    size_t count = 0;
    int status = 0;

    for (enum topic topic = 0; status == 0 && topic < TOPIC_COUNT; topic++) {
        if (find_topic(metadata, topic_name(&admin->settings->topics, topic)))
            continue;
        orders[count] = new_topic(admin->settings, topic, err);
        if (orders[count])
            count++;
        else
            status = -1;
    }
    if (status == 0 && count > 0 &&
        metadata->broker_cnt < (int)admin->settings->topic_replication_factor)
        status = err_set_retriable(
            err, ERR_CONFIG, "TOPIC_REPLICATION_FACTOR is %lld, but %d broker%s up",
            (long long)admin->settings->topic_replication_factor, metadata->broker_cnt,
            metadata->broker_cnt == 1 ? " is" : "s are");
    if (status == 0 && count > 0)
        status = request_topics(admin->client, orders, count, err);
    rd_kafka_NewTopic_destroy_array(orders, count);
    return status;
}

/* --- one attempt -------------------------------------------------------------------------------
 */

/* The name of a topic that is not there with all its leaders, or NULL. */
static const char *find_unready(const struct kafka_settings *settings,
                                const struct rd_kafka_metadata *metadata)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        const char *name = topic_name(&settings->topics, topic);

        if (!has_leaders(find_topic(metadata, name)))
            return name;
    }
    return NULL;
}

/* Metadata spreads among the brokers with some delay. */
static int await_leaders(struct topic_admin *admin, struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + LEADERS_TIMEOUT_MS;

    for (;;) {
        const struct rd_kafka_metadata *metadata = get_metadata(admin, err);
        const char *unready;
        int status;

        if (!metadata)
            return -1;
        status = check_partitions(admin->settings, metadata, err);
        unready = find_unready(admin->settings, metadata);
        rd_kafka_metadata_destroy(metadata);
        if (status != 0 || !unready)
            return status;
        if (clock_monotonic_ms() >= deadline_ms)
            return err_set_retriable(err, ERR_TIMEOUT, "topic %s has no leader yet", unready);
        if (shutdown_wait_ms(LEADERS_INTERVAL_MS))
            return err_set(err, ERR_STOPPED, "stopped while waiting for leaders of topics");
    }
}

static int ensure(struct topic_admin *admin, struct err *err)
{
    const struct rd_kafka_metadata *metadata = get_metadata(admin, err);
    int status;

    if (!metadata)
        return -1;
    status = check_partitions(admin->settings, metadata, err);
    if (status == 0)
        status = create_missing(admin, metadata, err);
    rd_kafka_metadata_destroy(metadata);
    return status == 0 ? await_leaders(admin, err) : -1;
}

int topic_admin_ensure(const struct kafka_settings *settings, struct err *err)
{
    struct topic_admin admin = {.settings = settings};
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, "topic-admin", NULL, err);
    char reason[REASON_BYTES];
    int status;

    if (!conf)
        return -1;
    rd_kafka_conf_set_opaque(conf, &admin);
    rd_kafka_conf_set_error_cb(conf, on_error);
    admin.client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!admin.client) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, ERR_CONFIG, "Kafka: %s", reason);
    }
    status = ensure(&admin, err);
    rd_kafka_destroy(admin.client);
    return status;
}
