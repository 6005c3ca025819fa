#include "io/partition_set.h"

#include "tests/support/unit_test.h"

/* Partitions of topic "t", ended by -1. */
static rd_kafka_topic_partition_list_t *list_of(const int32_t *partitions)
{
    rd_kafka_topic_partition_list_t *made = rd_kafka_topic_partition_list_new(4);

    for (; *partitions >= 0; partitions++)
        rd_kafka_topic_partition_list_add(made, "t", *partitions);
    return made;
}

static void assert_list(const rd_kafka_topic_partition_list_t *actual, const int32_t *expected)
{
    int count = 0;

    for (; expected[count] >= 0; count++) {
        bool found = false;

        for (int i = 0; i < actual->cnt; i++)
            found = found || actual->elems[i].partition == expected[count];
        assert_true(found);
    }
    assert_int_equal(actual->cnt, count);
}

static void replace(struct partition_set *set, const int32_t *assigned, const int32_t *gained,
                    const int32_t *dropped)
{
    rd_kafka_topic_partition_list_t *next = list_of(assigned), *actual_gained, *actual_dropped;

    partition_set_replace(set, next, &actual_gained, &actual_dropped);
    assert_list(actual_gained, gained);
    assert_list(actual_dropped, dropped);
    assert_int_equal(set->count, next->cnt);
    rd_kafka_topic_partition_list_destroy(actual_gained);
    rd_kafka_topic_partition_list_destroy(actual_dropped);
    rd_kafka_topic_partition_list_destroy(next);
}

#define LIST(...) ((const int32_t[]){__VA_ARGS__, -1})
#define NOTHING   ((const int32_t[]){-1})

static void assignments_are_compared_with_the_one_before(void **state)
{
    struct partition_set set = {0};

    (void)state;
    replace(&set, LIST(0, 1, 2), LIST(0, 1, 2), NOTHING);
    replace(&set, LIST(0, 1, 2), NOTHING, NOTHING);
    replace(&set, LIST(2, 3), LIST(3), LIST(0, 1));
    replace(&set, NOTHING, NOTHING, LIST(2, 3));
    replace(&set, LIST(2), LIST(2), NOTHING);
    partition_set_clear(&set);
}

static void what_stays_keeps_its_state_and_what_returns_later_does_not(void **state)
{
    struct partition_set set = {0};

    (void)state;
    replace(&set, LIST(0, 1), LIST(0, 1), NOTHING);
    partition_set_find(&set, "t", 1)->is_paused = true;
    partition_set_find(&set, "t", 1)->next_offset = 42;
    replace(&set, LIST(1, 2), LIST(2), LIST(0));
    assert_true(partition_set_find(&set, "t", 1)->is_paused);
    assert_int_equal(partition_set_find(&set, "t", 1)->next_offset, 42);
    assert_int_equal(partition_set_find(&set, "t", 2)->next_offset, -1);
    replace(&set, LIST(2), NOTHING, LIST(1));
    replace(&set, LIST(1, 2), LIST(1), NOTHING);
    assert_false(partition_set_find(&set, "t", 1)->is_paused);
    assert_int_equal(partition_set_find(&set, "t", 1)->next_offset, -1);
    partition_set_clear(&set);
}

static void partitions_are_found_by_topic_and_number(void **state)
{
    struct partition_set set = {0};

    (void)state;
    replace(&set, LIST(3), LIST(3), NOTHING);
    assert_non_null(partition_set_find(&set, "t", 3));
    assert_null(partition_set_find(&set, "t", 4));
    assert_null(partition_set_find(&set, "u", 3));
    partition_set_clear(&set);
}

static void lists_are_split_by_the_pause(void **state)
{
    struct partition_set set = {0};
    rd_kafka_topic_partition_list_t *actual;

    (void)state;
    replace(&set, LIST(0, 1, 2), LIST(0, 1, 2), NOTHING);
    partition_set_find(&set, "t", 1)->is_paused = true;
    actual = partition_set_list(&set, true);
    assert_list(actual, LIST(1));
    rd_kafka_topic_partition_list_destroy(actual);
    actual = partition_set_list(&set, false);
    assert_list(actual, LIST(0, 2));
    rd_kafka_topic_partition_list_destroy(actual);
    partition_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignments_are_compared_with_the_one_before),
        cmocka_unit_test(what_stays_keeps_its_state_and_what_returns_later_does_not),
        cmocka_unit_test(partitions_are_found_by_topic_and_number),
        cmocka_unit_test(lists_are_split_by_the_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
