#include "tests/support/unit_test.h"

#include <time.h>

#include "base/clock.h"

static void wall_time_is_unix_time_in_the_named_unit(void **state)
{
    int64_t before_s = (int64_t)time(NULL) - 1;
    int64_t us = clock_wall_us();
    int64_t ms = clock_wall_ms();
    int64_t after_s = (int64_t)time(NULL) + 1;
    (void)state;
    assert_true(us / 1000000 >= before_s && us / 1000000 <= after_s);
    assert_true(ms / 1000 >= before_s && ms / 1000 <= after_s);
}

static void monotonic_time_goes_forward_in_the_named_unit(void **state)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000000};
    int64_t from_us = clock_monotonic_us();
    int64_t from_ms = clock_monotonic_ms();
    (void)state;
    nanosleep(&pause, NULL);
    assert_true(clock_monotonic_us() - from_us >= 20000);
    assert_true(clock_monotonic_ms() - from_ms >= 19);
    assert_true(clock_monotonic_ms() - from_ms < 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_unix_time_in_the_named_unit),
        cmocka_unit_test(monotonic_time_goes_forward_in_the_named_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
