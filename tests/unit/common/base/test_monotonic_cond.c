#include "base/monotonic_cond.h"

#include <errno.h>

#include "base/clock.h"
#include "tests/support/unit_test.h"

static void a_wait_ends_at_its_deadline_and_not_before(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int64_t deadline_us = clock_monotonic_us() + 20000;
    int result = 0;

    (void)state;
    monotonic_cond_init(&cond);
    pthread_mutex_lock(&lock);
    while (result == 0)
        result = monotonic_cond_wait(&cond, &lock, deadline_us);
    assert_int_equal(result, ETIMEDOUT);
    assert_true(clock_monotonic_us() >= deadline_us);
    assert_int_equal(monotonic_cond_wait(&cond, &lock, deadline_us), ETIMEDOUT); /* it is past */
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_at_its_deadline_and_not_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
