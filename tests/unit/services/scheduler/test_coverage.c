#include "tests/support/unit_test.h"

#include <string.h>

#include "scheduler/coverage.h"

enum { UNIVERSE = 64, ROUNDS = 20000 };

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* The same set as a plain array of flags is the judge. */
static void assert_same(const struct coverage *coverage, const bool members[UNIVERSE])
{
    for (size_t i = 0; i < coverage->count; i++) {
        assert_true(coverage->ranges[i].from_ms < coverage->ranges[i].to_ms);
        if (i > 0) /* disjoint, and not even touching */
            assert_true(coverage->ranges[i - 1].to_ms < coverage->ranges[i].from_ms);
    }
    for (int64_t time = 0; time < UNIVERSE; time++)
        assert_int_equal(coverage_contains(coverage, time, time + 1), members[time]);
}

static bool expected_missing(const bool members[UNIVERSE], int64_t from, int64_t to,
                             struct time_range *missing)
{
    while (to > from && members[to - 1])
        to--;
    if (to <= from)
        return false;
    missing->to_ms = to;
    while (to > from && !members[to - 1])
        to--;
    missing->from_ms = to;
    return true;
}

static void random_changes_agree_with_a_plain_array(void **state)
{
    uint64_t random = 3;
    bool members[UNIVERSE] = {false};
    struct coverage coverage = {0};

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t from = (int64_t)(next_random(&random) % UNIVERSE);
        const int64_t length = (int64_t)(next_random(&random) % 12);
        const int64_t to = from + length < UNIVERSE ? from + length : UNIVERSE;
        const bool is_addition = next_random(&random) % 2;
        struct time_range missing = {-1, -1};
        struct time_range expected = {-1, -1};

        for (int64_t time = from; time < to; time++)
            members[time] = is_addition;
        if (is_addition)
            coverage_add(&coverage, from, to);
        else
            coverage_subtract(&coverage, from, to);
        if (i % 16 == 0)
            assert_same(&coverage, members);
        assert_int_equal(coverage_last_missing(&coverage, from / 2, to, &missing),
                         expected_missing(members, from / 2, to, &expected));
        assert_memory_equal(&missing, &expected, sizeof missing);
    }
    coverage_clear(&coverage);
}

static void ranges_that_touch_become_one(void **state)
{
    struct coverage coverage = {0};

    (void)state;
    for (int64_t day = 0; day < 100; day += 2)
        coverage_add(&coverage, day, day + 1);
    assert_int_equal(coverage.count, 50);
    for (int64_t day = 1; day < 100; day += 2)
        coverage_add(&coverage, day, day + 1);
    assert_int_equal(coverage.count, 1);
    assert_true(coverage_contains(&coverage, 0, 100));
    coverage_clear(&coverage);
}

static void empty_and_inverted_ranges_change_nothing(void **state)
{
    struct coverage coverage = {0};
    struct time_range missing;

    (void)state;
    coverage_add(&coverage, 5, 5);
    coverage_add(&coverage, 9, 3);
    coverage_subtract(&coverage, 0, 10);
    assert_int_equal(coverage.count, 0);
    coverage_add(&coverage, 0, 10);
    coverage_subtract(&coverage, 5, 5);
    coverage_subtract(&coverage, 7, 2);
    assert_int_equal(coverage.count, 1);
    assert_false(coverage_last_missing(&coverage, 4, 4, &missing));
    assert_false(coverage_last_missing(&coverage, 6, 2, &missing));
    coverage_clear(&coverage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_a_plain_array),
        cmocka_unit_test(ranges_that_touch_become_one),
        cmocka_unit_test(empty_and_inverted_ranges_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
