#include "tests/support/unit_test.h"

#include "domain/candle.h"

static void clear_releases_what_the_candle_owns_and_may_be_repeated(void **state)
{
    struct candle candle = {0};
    (void)state;
    assert_int_equal(extra_fields_add(&candle.extra, "9", 1, "x", 1), 0);
    candle_clear(&candle);
    assert_int_equal(candle.extra.count, 0);
    candle_clear(&candle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_releases_what_the_candle_owns_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
