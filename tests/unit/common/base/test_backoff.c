#include "tests/support/unit_test.h"

#include "base/backoff.h"

static int64_t greatest_delay(unsigned attempt, int64_t base_ms, int64_t cap_ms)
{
    int64_t greatest = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct backoff backoff;
        int64_t delay_ms = 0;
        backoff_init(&backoff, 0, base_ms, cap_ms, seed);
        for (unsigned i = 0; i <= attempt; i++)
            delay_ms = backoff_next_ms(&backoff);
        assert_true(delay_ms >= 0);
        greatest = delay_ms > greatest ? delay_ms : greatest;
    }
    return greatest;
}

static void the_range_doubles_up_to_the_cap(void **state)
{
    static const struct {
        unsigned attempt;
        int64_t limit_ms;
    } cases[] = {{0, 100}, {1, 200}, {2, 400}, {3, 800}, {4, 1000}, {5, 1000}, {40, 1000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t greatest = greatest_delay(cases[i].attempt, 100, 1000);
        assert_in_range(greatest, cases[i].limit_ms * 9 / 10, cases[i].limit_ms);
    }
}

static void delays_are_spread_evenly_from_zero(void **state)
{
    struct backoff backoff;
    int in_quarter[4] = {0};
    (void)state;
    backoff_init(&backoff, 0, 999, 999, 7);
    for (int i = 0; i < 40000; i++)
        in_quarter[backoff_next_ms(&backoff) / 250]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(in_quarter[i], 9500, 10500);
}

static void the_floor_is_never_undercut(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 300, 100, 1000, 7);
    for (int i = 0; i < 1000; i++)
        assert_in_range(backoff_next_ms(&backoff), 300, 1000);
}

static void attempts_are_counted_and_reset_starts_over(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 0, 10, 100000, 3);
    for (unsigned i = 0; i < 10; i++)
        (void)backoff_next_ms(&backoff);
    assert_int_equal(backoff.attempt, 10);
    backoff_reset(&backoff);
    assert_int_equal(backoff.attempt, 0);
    assert_in_range(backoff_next_ms(&backoff), 0, 10);
}

static void the_same_seed_gives_the_same_delays(void **state)
{
    struct backoff first, second, random_one, random_two;
    int same = 0;
    (void)state;
    backoff_init(&first, 0, 1000, 100000, 99);
    backoff_init(&second, 0, 1000, 100000, 99);
    backoff_init(&random_one, 0, 1000000000, 1000000000, 0);
    backoff_init(&random_two, 0, 1000000000, 1000000000, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(backoff_next_ms(&first), backoff_next_ms(&second));
        same += backoff_next_ms(&random_one) == backoff_next_ms(&random_two);
    }
    assert_in_range(same, 0, 1);
}

static void extreme_settings_do_not_overflow(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 0, INT64_MAX / 2 + 1, INT64_MAX, 5);
    for (int i = 0; i < 100; i++)
        assert_true(backoff_next_ms(&backoff) >= 0);
    backoff_init(&backoff, 0, 0, 0, 5);
    for (int i = 0; i < 100; i++)
        assert_int_equal(backoff_next_ms(&backoff), 0);
    backoff_init(&backoff, 0, 1000, 10, 5);
    assert_in_range(backoff_next_ms(&backoff), 0, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_range_doubles_up_to_the_cap),
        cmocka_unit_test(delays_are_spread_evenly_from_zero),
        cmocka_unit_test(the_floor_is_never_undercut),
        cmocka_unit_test(attempts_are_counted_and_reset_starts_over),
        cmocka_unit_test(the_same_seed_gives_the_same_delays),
        cmocka_unit_test(extreme_settings_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
