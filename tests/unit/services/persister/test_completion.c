#include "tests/support/unit_test.h"

#include <stdlib.h>

#include "persister/completion.h"
#include "persister/source_table.h"

static void completion_reports_the_last_offset_of_each_partition_and_generation(void **state)
{
    struct source_partition first = {.partition = 1};
    struct source_partition second = {.partition = 2};
    rd_kafka_message_t messages[] = {
        {.offset = 10}, {.offset = 70}, {.offset = 11}, {.offset = 5}, {.offset = 71}};
    struct persist_item items[] = {
        {.message = &messages[0], .source = &first},
        {.message = &messages[1], .source = &second},
        {.message = &messages[2], .source = &first},
        {.message = &messages[3], .source = &first, .generation = 1},
        {.message = &messages[4], .source = &second},
    };
    struct persist_item *pointers[] = {&items[0], &items[1], &items[2], &items[3], &items[4]};
    struct completion *completion = completion_create(pointers, 5);

    (void)state;
    assert_int_equal(completion->count, 3);
    assert_ptr_equal(completion->partitions[0].source, &first);
    assert_int_equal(completion->partitions[0].next_offset, 12);
    assert_int_equal(completion->partitions[0].records, 2);
    assert_ptr_equal(completion->partitions[1].source, &second);
    assert_int_equal(completion->partitions[1].next_offset, 72);
    assert_int_equal(completion->partitions[1].records, 2);
    assert_int_equal(completion->partitions[2].generation, 1);
    assert_int_equal(completion->partitions[2].next_offset, 6);
    free(completion);
}

static int table_set_up(void **state)
{
    static struct topic_names names;
    static struct source_table table;
    struct err err;

    if (topic_names_init(&names, "t.", &err) != 0)
        return -1;
    source_table_init(&table, &names, 3);
    *state = &table;
    return 0;
}

static int table_tear_down(void **state)
{
    source_table_clear(*state);
    return 0;
}

static void a_partition_keeps_its_source_and_its_writer(void **state)
{
    struct source_table *table = *state;
    struct source_partition *source = source_table_get(table, "t.trades", 7);

    assert_ptr_equal(source_table_get(table, "t.trades", 7), source);
    assert_ptr_not_equal(source_table_get(table, "t.candles", 7), source);
    assert_ptr_equal(source_table_get(table, "t.trades", 7), source);
    assert_int_equal(source->writer, 7 % 3);
    assert_int_equal(source->topic, TOPIC_TRADES);
    assert_string_equal(source->topic_name, "t.trades");
}

static void commands_and_results_share_a_writer(void **state)
{
    struct source_table *table = *state;

    assert_int_equal(source_table_get(table, "t.control", 5)->writer,
                     source_table_get(table, "t.fetch-results", 0)->writer);
}

static void foreign_topics_have_no_source(void **state)
{
    assert_null(source_table_get(*state, "trades", 0));
    assert_null(source_table_get(*state, "t.trades", -1));
}

static void count_source(struct source_partition *source, void *context)
{
    (void)source;
    ++*(int *)context;
}

static void visit_reaches_what_was_seen(void **state)
{
    struct source_table *table = *state;
    int count = 0;

    assert_non_null(source_table_get(table, "t.trades", 4));
    assert_non_null(source_table_get(table, "t.currencies", 0));
    source_table_visit(table, count_source, &count);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completion_reports_the_last_offset_of_each_partition_and_generation),
        cmocka_unit_test_setup_teardown(a_partition_keeps_its_source_and_its_writer, table_set_up,
                                        table_tear_down),
        cmocka_unit_test_setup_teardown(commands_and_results_share_a_writer, table_set_up,
                                        table_tear_down),
        cmocka_unit_test_setup_teardown(foreign_topics_have_no_source, table_set_up,
                                        table_tear_down),
        cmocka_unit_test_setup_teardown(visit_reaches_what_was_seen, table_set_up, table_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
