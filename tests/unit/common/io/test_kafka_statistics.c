#include "io/kafka_statistics.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit_test.h"

/* In the shape of librdkafka's STATISTICS.md, less what we do not read. */
static const char example[] =
    "{\"name\":\"x#consumer-1\",\"brokers\":{"
    "\"a:1/bootstrap\":{\"name\":\"a:1/bootstrap\",\"nodeid\":-1,\"state\":\"DOWN\"},"
    "\"a:1/1\":{\"nodeid\":1,\"state\":\"UP\",\"rtt\":{\"p99\":1500,\"cnt\":3}},"
    "\"a:2/2\":{\"nodeid\":2,\"state\":\"CONNECT\",\"rtt\":{\"p99\":9000,\"cnt\":0}}},"
    "\"topics\":{\"t\":{\"partitions\":{"
    "\"0\":{\"next_offset\":15,\"fetchq_cnt\":5,\"hi_offset\":20},"
    "\"1\":{\"next_offset\":0,\"fetchq_cnt\":0,\"hi_offset\":-1001},"
    "\"-1\":{\"next_offset\":0,\"fetchq_cnt\":0,\"hi_offset\":-1001}}}}}";

static struct kafka_statistics *parse(const char *text)
{
    return kafka_statistics_parse(text, strlen(text));
}

static void one_broker_that_is_up_is_a_connection(void **state)
{
    static const struct {
        const char *text;
        bool is_connected;
    } cases[] = {
        {example, true},
        {"{\"brokers\":{\"a\":{\"state\":\"UPDATE\"}}}", true},
        {"{\"brokers\":{\"a\":{\"state\":\"DOWN\"},\"b\":{\"state\":\"AUTH_LEGACY\"}}}", false},
        {"{\"brokers\":{\"a\":{\"state\":1},\"b\":7}}", false},
        {"{\"brokers\":[]}", false},
        {"{}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kafka_statistics *statistics = parse(cases[i].text);

        assert_non_null(statistics);
        if (kafka_statistics_is_connected(statistics) != cases[i].is_connected)
            fail_msg("%s", cases[i].text);
        kafka_statistics_destroy(statistics);
    }
}

static void the_round_trip_is_that_of_the_slowest_broker_that_answered(void **state)
{
    struct kafka_statistics *statistics = parse(example);

    (void)state;
    assert_int_equal(kafka_statistics_round_trip_us(statistics), 1500);
    kafka_statistics_destroy(statistics);
    statistics = parse("{\"brokers\":{}}");
    assert_int_equal(kafka_statistics_round_trip_us(statistics), -1);
    kafka_statistics_destroy(statistics);
}

static void a_partition_begins_before_what_is_queued_of_it(void **state)
{
    struct kafka_statistics *statistics = parse(example);

    (void)state;
    assert_int_equal(kafka_statistics_start_offset(statistics, "t", 0), 10);
    assert_int_equal(kafka_statistics_start_offset(statistics, "t", 1), -1); /* not fetched yet */
    assert_int_equal(kafka_statistics_start_offset(statistics, "t", 2), -1);
    assert_int_equal(kafka_statistics_start_offset(statistics, "u", 0), -1);
    kafka_statistics_destroy(statistics);
}

static void figures_that_tell_of_no_place_are_no_offset(void **state)
{
    static const char *const figures[] = {
        "\"next_offset\":-1001,\"fetchq_cnt\":0",
        "\"next_offset\":3,\"fetchq_cnt\":4",
        "\"next_offset\":3,\"fetchq_cnt\":-1",
        "\"next_offset\":-9223372036854775808,\"fetchq_cnt\":1",
        "\"next_offset\":9223372036854775807,\"fetchq_cnt\":-1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        char text[256];
        struct kafka_statistics *statistics;

        snprintf(text, sizeof text,
                 "{\"topics\":{\"t\":{\"partitions\":{\"0\":{%s,\"hi_offset\":20}}}}}", figures[i]);
        statistics = parse(text);
        assert_non_null(statistics);
        assert_int_equal(kafka_statistics_start_offset(statistics, "t", 0), -1);
        kafka_statistics_destroy(statistics);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "7", "{", "{}x"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_null(parse(texts[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_broker_that_is_up_is_a_connection),
        cmocka_unit_test(the_round_trip_is_that_of_the_slowest_broker_that_answered),
        cmocka_unit_test(a_partition_begins_before_what_is_queued_of_it),
        cmocka_unit_test(figures_that_tell_of_no_place_are_no_offset),
        cmocka_unit_test(what_is_no_object_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
