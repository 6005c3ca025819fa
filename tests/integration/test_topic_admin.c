/* Topics on the real Kafka of KAFKA_BOOTSTRAP_SERVERS: one broker. */
#include "io/topic_admin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "tests/support/test_topics.h"
#include "tests/support/unit_test.h"

enum { REQUEST_TIMEOUT_MS = 10000 };

static int start(void **state)
{
    struct kafka_settings *settings = calloc(1, sizeof *settings);

    test_topics_init(settings, 6);
    *state = settings;
    return 0;
}

static int stop(void **state)
{
    test_topics_clear(*state);
    free(*state);
    return 0;
}

static void ensure(const struct kafka_settings *settings)
{
    struct err err = {0};

    if (topic_admin_ensure(settings, &err) != 0)
        fail_msg("%s", err.message);
}

static rd_kafka_t *new_client(const struct kafka_settings *settings)
{
    struct err err = {0};
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, "test", NULL, &err);
    char reason[256];
    rd_kafka_t *client;

    assert_non_null(conf);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    assert_non_null(client);
    return client;
}

static void every_topic_has_its_partitions(void **state)
{
    static const int partitions[TOPIC_COUNT] = {
        [TOPIC_TRADES] = 6,       [TOPIC_CANDLES] = 6,    [TOPIC_CONTROL] = 6,
        [TOPIC_POSITIONS] = 6,    [TOPIC_CURRENCIES] = 1, [TOPIC_FETCH_RESULTS] = 1,
        [TOPIC_DEAD_LETTERS] = 1,
    };
    const struct kafka_settings *settings = *state;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *client;
    int found = 0;

    ensure(settings);
    ensure(settings); /* nothing to do, and nothing wrong */
    client = new_client(settings);
    assert_int_equal(rd_kafka_metadata(client, 1, NULL, &metadata, REQUEST_TIMEOUT_MS), 0);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        enum topic topic = topic_from_name(&settings->topics, metadata->topics[i].topic);

        if (topic == TOPIC_COUNT)
            continue;
        assert_int_equal(metadata->topics[i].partition_cnt, partitions[topic]);
        found++;
    }
    assert_int_equal(found, TOPIC_COUNT);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(client);
}

/* The topic's setting as the broker has it; the caller frees it. */
static char *describe(rd_kafka_t *client, const char *topic, const char *setting)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    const rd_kafka_ConfigResource_t **resources;
    const rd_kafka_ConfigEntry_t **entries;
    rd_kafka_event_t *event;
    char *value = NULL;
    size_t count;

    rd_kafka_DescribeConfigs(client, &resource, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, REQUEST_TIMEOUT_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), 0);
    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    assert_int_equal(count, 1);
    entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count && !value; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), setting) == 0)
            value = strdup(rd_kafka_ConfigEntry_value(entries[i]));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    assert_non_null(value);
    return value;
}

static void topics_are_created_with_their_cleanup_and_retention(void **state)
{
    static const struct {
        enum topic topic;
        const char *setting, *value;
    } cases[] = {
        {TOPIC_TRADES, "cleanup.policy", "delete"},
        {TOPIC_TRADES, "retention.ms", "604800000"},
        {TOPIC_TRADES, "min.insync.replicas", "1"},
        {TOPIC_FETCH_RESULTS, "cleanup.policy", "compact"},
        {TOPIC_POSITIONS, "cleanup.policy", "compact"},
        {TOPIC_DEAD_LETTERS, "retention.ms", "2592000000"},
    };
    const struct kafka_settings *settings = *state;
    rd_kafka_t *client;

    ensure(settings);
    client = new_client(settings);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *value =
            describe(client, topic_name(&settings->topics, cases[i].topic), cases[i].setting);

        assert_string_equal(value, cases[i].value);
        free(value);
    }
    rd_kafka_destroy(client);
}

static void other_partition_counts_are_all_named_in_one_error(void **state)
{
    struct kafka_settings *settings = *state;
    struct err err = {0};

    ensure(settings);
    settings->topic_partitions = 12;
    assert_int_equal(topic_admin_ensure(settings, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_false(err.retriable);
    assert_non_null(strstr(err.message, topic_name(&settings->topics, TOPIC_TRADES)));
    assert_non_null(strstr(err.message, "has 6 partitions"));
    assert_non_null(strstr(err.message, topic_name(&settings->topics, TOPIC_POSITIONS)));
    assert_non_null(strstr(err.message, "TOPIC_PARTITIONS says 12"));
}

static void *ensure_on_thread(void *argument)
{
    struct err err = {0};

    return topic_admin_ensure(argument, &err) == 0 ? NULL : argument;
}

static void services_that_start_together_do_not_disturb_each_other(void **state)
{
    enum { SERVICES = 3 };
    pthread_t threads[SERVICES];

    for (int i = 0; i < SERVICES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ensure_on_thread, *state), 0);
    for (int i = 0; i < SERVICES; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void more_copies_than_brokers_may_come_true_later(void **state)
{
    struct kafka_settings *settings = *state;
    struct err err = {0};

    settings->topic_replication_factor = 15;
    assert_int_equal(topic_admin_ensure(settings, &err), -1);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "TOPIC_REPLICATION_FACTOR is 15, but "));
}

static void unreachable_brokers_are_worth_another_attempt(void **state)
{
    struct kafka_settings *settings = *state;
    struct kafka_settings nowhere = *settings;
    struct err err = {0};
    int64_t begun_ms = clock_monotonic_ms();

    nowhere.bootstrap_servers = (char *)"127.0.0.1:1";
    assert_int_equal(topic_admin_ensure(&nowhere, &err), -1);
    assert_true(clock_monotonic_ms() - begun_ms < 9000);
    assert_int_equal(err.code, ERR_NETWORK);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "127.0.0.1:1"));
    assert_non_null(strstr(err.message, "refused"));
}

/* Last, since a request to stop cannot be taken back. */
static void shutdown_ends_an_attempt(void **state)
{
    struct err err = {0};

    shutdown_request();
    assert_int_equal(topic_admin_ensure(*state, &err), -1);
    assert_int_equal(err.code, ERR_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        TEST(every_topic_has_its_partitions),
        TEST(topics_are_created_with_their_cleanup_and_retention),
        TEST(other_partition_counts_are_all_named_in_one_error),
        TEST(services_that_start_together_do_not_disturb_each_other),
        TEST(more_copies_than_brokers_may_come_true_later),
        TEST(unreachable_brokers_are_worth_another_attempt),
        TEST(shutdown_ends_an_attempt),
    };

    shutdown_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
