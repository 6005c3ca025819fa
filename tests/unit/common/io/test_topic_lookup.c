#include "io/topic_lookup.h"

#include <string.h>

#include "base/clock.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

static void a_topic_is_found_with_its_partitions_and_ends(void **state)
{
    struct mock_cluster mock = {0};
    struct err err = {0};
    int32_t count = 0;
    int64_t end = 42;

    (void)state;
    mock_cluster_start(&mock, 1);
    mock_cluster_create_topic(&mock, "prices", 5);
    struct topic_lookup *lookup = topic_lookup_create(&mock.settings, "test", &err);
    assert_non_null(lookup);
    assert_int_equal(topic_lookup_partitions(lookup, "prices", 10000, &count, &err), 0);
    assert_int_equal(count, 5);
    assert_int_equal(topic_lookup_end(lookup, "prices", 4, 10000, &end, &err), 0);
    assert_int_equal(end, 0);
    topic_lookup_destroy(lookup);
    mock_cluster_stop(&mock);
}

static void an_unknown_topic_is_named_with_those_that_exist(void **state)
{
    struct mock_cluster mock = {0};
    struct err err = {0};
    int32_t count = 42;

    (void)state;
    mock_cluster_start(&mock, 1);
    mock_cluster_create_topic(&mock, "prices", 1);
    struct topic_lookup *lookup = topic_lookup_create(&mock.settings, "test", &err);
    assert_non_null(lookup);
    assert_int_equal(topic_lookup_partitions(lookup, "price", 10000, &count, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.message, "topic price does not exist; there are: prices");
    assert_int_equal(count, 42);
    topic_lookup_destroy(lookup);
    mock_cluster_stop(&mock);
}

static void unreachable_brokers_are_given_up_in_time_with_the_reason(void **state)
{
    struct kafka_settings settings = {.bootstrap_servers = "127.0.0.1:1"};
    struct err err = {0};
    int64_t started_ms = clock_monotonic_ms();
    struct topic_lookup *lookup = topic_lookup_create(&settings, "test", &err);
    int32_t count = 42;

    (void)state;
    assert_non_null(lookup);
    assert_int_equal(topic_lookup_partitions(lookup, "prices", 1000, &count, &err), -1);
    assert_int_equal(err.code, ERR_NETWORK);
    assert_non_null(strstr(err.message, "cannot reach Kafka at 127.0.0.1:1: "));
    assert_non_null(strstr(err.message, "Connection refused"));
    assert_true(clock_monotonic_ms() - started_ms < 5000);
    topic_lookup_destroy(lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_is_found_with_its_partitions_and_ends),
        cmocka_unit_test(an_unknown_topic_is_named_with_those_that_exist),
        cmocka_unit_test(unreachable_brokers_are_given_up_in_time_with_the_reason),
    };
    return cmocka_run_group_tests_name("avrocat topic_lookup", tests, NULL, NULL);
}
