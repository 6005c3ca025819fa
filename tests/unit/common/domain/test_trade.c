#include "tests/support/unit_test.h"

#include "domain/trade.h"

static void the_first_id_is_the_last_less_the_count_plus_one(void **state)
{
    static const struct {
        struct optional_int64 count;
        int64_t first;
    } cases[] = {
        {{false, 0}, 1000}, {{false, 5}, 1000}, {{true, 1}, 1000},
        {{true, 8}, 993},   {{true, 0}, 1000},  {{true, -3}, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trade trade = {.trade_id = 1000, .count = cases[i].count};
        assert_int_equal(trade_first_id(&trade), cases[i].first);
    }
}

static void clear_releases_what_the_trade_owns_and_may_be_repeated(void **state)
{
    struct trade trade = {0};
    (void)state;
    assert_int_equal(extra_fields_add(&trade.extra, "seriesId", 8, "7", 1), 0);
    trade_clear(&trade);
    assert_int_equal(trade.extra.count, 0);
    trade_clear(&trade);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_id_is_the_last_less_the_count_plus_one),
        cmocka_unit_test(clear_releases_what_the_trade_owns_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
