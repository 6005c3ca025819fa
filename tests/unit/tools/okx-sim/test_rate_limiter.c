#include "tests/support/unit_test.h"

#include <stdio.h>

#include "okx-sim/rate_limiter.h"
#include "okx-sim/sliding_window.h"

#define SECOND_US INT64_C(1000000)

static void no_window_of_two_seconds_holds_more_than_the_limit(void **state)
{
    struct rate_limiter *limiter = rate_limiter_create(20, 2000);
    int64_t admitted[1000];
    size_t count = 0;

    (void)state;
    for (int64_t now = 0; now < 30 * SECOND_US; now += 37001) {
        if (rate_limiter_admit(limiter, "127.0.0.1", now))
            admitted[count++] = now;
    }
    assert_true(count > 200);
    for (size_t i = 20; i < count; i++)
        assert_true(admitted[i] - admitted[i - 20] >= 2 * SECOND_US);
    assert_int_equal(rate_limiter_max_in_window(limiter), 55); /* tried, not admitted */
    rate_limiter_destroy(limiter);
}

static void the_window_slides_and_does_not_jump(void **state)
{
    struct rate_limiter *limiter = rate_limiter_create(2, 2000);

    (void)state;
    assert_true(rate_limiter_admit(limiter, "a", 1900000));
    assert_true(rate_limiter_admit(limiter, "a", 2100000));
    assert_false(rate_limiter_admit(limiter, "a", 3899999));
    assert_true(rate_limiter_admit(limiter, "a", 3900000));
    assert_false(rate_limiter_admit(limiter, "a", 4099999));
    assert_true(rate_limiter_admit(limiter, "a", 4100000));
    rate_limiter_destroy(limiter);
}

static void keys_do_not_share_their_limit(void **state)
{
    struct rate_limiter *limiter = rate_limiter_create(1, 1000);

    (void)state;
    assert_true(rate_limiter_admit(limiter, "a", 0));
    assert_true(rate_limiter_admit(limiter, "b", 0));
    assert_false(rate_limiter_admit(limiter, "a", 1));
    assert_int_equal(rate_limiter_max_in_window(limiter), 2);
    rate_limiter_destroy(limiter);
}

static void very_many_keys_take_bounded_memory(void **state)
{
    struct rate_limiter *limiter = rate_limiter_create(1, 1000);
    char key[16];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(rate_limiter_admit(limiter, key, i));
    }
    assert_false(rate_limiter_admit(limiter, "k4999", 5000)); /* the newest are remembered */
    rate_limiter_destroy(limiter);
}

static void a_window_forgets_the_oldest_beyond_its_capacity(void **state)
{
    struct sliding_window window;

    (void)state;
    sliding_window_init(&window, SECOND_US, 40);
    for (int64_t i = 0; i < 100; i++)
        assert_int_equal(sliding_window_add(&window, i), i < 40 ? i + 1 : 40);
    assert_int_equal(sliding_window_count(&window, SECOND_US + 60), 39);
    assert_int_equal(sliding_window_count(&window, 3 * SECOND_US), 0);
    sliding_window_clear(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_of_two_seconds_holds_more_than_the_limit),
        cmocka_unit_test(the_window_slides_and_does_not_jump),
        cmocka_unit_test(keys_do_not_share_their_limit),
        cmocka_unit_test(very_many_keys_take_bounded_memory),
        cmocka_unit_test(a_window_forgets_the_oldest_beyond_its_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
