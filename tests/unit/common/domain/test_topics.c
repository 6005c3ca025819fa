#include "tests/support/unit_test.h"

#include <string.h>

#include "domain/topics.h"

#define DAYS(count) ((count)*INT64_C(86400000))

static const struct topic_case {
    enum topic topic;
    const char *name;
    bool is_partitioned_by_instrument, is_compacted;
    int64_t retention_ms;
} topic_cases[] = {
    {TOPIC_TRADES, "trades", true, false, DAYS(7)},
    {TOPIC_CANDLES, "candles", true, false, DAYS(7)},
    {TOPIC_CURRENCIES, "currencies", false, true, -1},
    {TOPIC_CONTROL, "control", true, false, DAYS(7)},
    {TOPIC_FETCH_RESULTS, "fetch-results", false, true, -1},
    {TOPIC_POSITIONS, "positions", true, true, -1},
    {TOPIC_DEAD_LETTERS, "dead-letters", false, false, DAYS(30)},
};

static void each_topic_is_as_the_design_says(void **state)
{
    struct topic_names names;
    struct err err;
    (void)state;
    assert_int_equal(sizeof topic_cases / sizeof topic_cases[0], TOPIC_COUNT);
    assert_int_equal(topic_names_init(&names, NULL, &err), 0);
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        const struct topic_case *expected = &topic_cases[i];
        assert_string_equal(topic_name(&names, expected->topic), expected->name);
        assert_int_equal(topic_from_name(&names, expected->name), expected->topic);
        assert_int_equal(topic_is_partitioned_by_instrument(expected->topic),
                         expected->is_partitioned_by_instrument);
        assert_int_equal(topic_is_compacted(expected->topic), expected->is_compacted);
        assert_true(topic_retention_ms(expected->topic) == expected->retention_ms);
    }
}

static void the_prefix_stands_before_each_name(void **state)
{
    struct topic_names names;
    struct err err;
    (void)state;
    assert_int_equal(topic_names_init(&names, "test.A-1_", &err), 0);
    assert_string_equal(topic_name(&names, TOPIC_DEAD_LETTERS), "test.A-1_dead-letters");
    assert_int_equal(topic_from_name(&names, "test.A-1_trades"), TOPIC_TRADES);
    assert_int_equal(topic_from_name(&names, "trades"), TOPIC_COUNT);
    assert_int_equal(topic_from_name(&names, ""), TOPIC_COUNT);
}

static void a_prefix_that_kafka_refuses_is_refused(void **state)
{
    static const char *const prefixes[] = {"a b", "a/b", "a:", "\xC3\xA9", "a\n", "*"};
    struct topic_names names;
    (void)state;
    memset(&names, 'x', sizeof names);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct err err = {0};
        assert_int_equal(topic_names_init(&names, prefixes[i], &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(names.names[0][0], 'x');
    }
}

static void names_are_as_long_as_kafka_allows_and_no_longer(void **state)
{
    char prefix[300];
    struct topic_names names;
    struct err err = {0};
    const size_t room = 249 - strlen("fetch-results");
    (void)state;
    memset(prefix, 'p', sizeof prefix);
    prefix[room] = '\0';
    assert_int_equal(topic_names_init(&names, prefix, &err), 0);
    assert_int_equal(strlen(topic_name(&names, TOPIC_FETCH_RESULTS)), 249);
    assert_int_equal(topic_from_name(&names, topic_name(&names, TOPIC_FETCH_RESULTS)),
                     TOPIC_FETCH_RESULTS);
    prefix[room] = 'p';
    prefix[room + 1] = '\0';
    assert_int_equal(topic_names_init(&names, prefix, &err), -1);
    assert_string_equal(err.message, "topic prefix is longer than 236 characters");
}

static void plain_names_of_ours_get_the_prefix(void **state)
{
    struct topic_names names;
    struct err err = {0};
    (void)state;
    assert_int_equal(topic_names_init(&names, "a.", &err), 0);
    assert_string_equal(topic_full_name(&names, "trades"), "a.trades");
    assert_string_equal(topic_full_name(&names, "a.trades"), "a.trades");
    assert_string_equal(topic_full_name(&names, "okx:trades-all"), "okx:trades-all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_topic_is_as_the_design_says),
        cmocka_unit_test(the_prefix_stands_before_each_name),
        cmocka_unit_test(a_prefix_that_kafka_refuses_is_refused),
        cmocka_unit_test(names_are_as_long_as_kafka_allows_and_no_longer),
        cmocka_unit_test(plain_names_of_ours_get_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
