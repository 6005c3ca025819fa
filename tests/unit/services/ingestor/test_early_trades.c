#include "tests/support/unit_test.h"

#include "ingestor/early_trades.h"

static bool hold(struct early_trades *early, int64_t trade_id)
{
    struct trade trade = {.trade_id = trade_id};

    return early_trades_hold(early, &trade);
}

static void trades_leave_in_the_order_in_which_they_came(void **state)
{
    struct early_trades early = {0};

    (void)state;
    assert_null(early_trades_first(&early));
    for (int64_t id = 1; id <= 40; id++)
        assert_true(hold(&early, id));
    for (int64_t id = 1; id <= 40; id++) {
        assert_int_equal(early_trades_first(&early)->trade_id, id);
        assert_int_equal(early_trades_take(&early).trade_id, id);
    }
    assert_null(early_trades_first(&early));
    assert_null(early.items);
}

static void a_trade_that_two_heirs_bring_is_held_once(void **state)
{
    struct early_trades early = {0};

    (void)state;
    assert_true(hold(&early, 7));
    assert_true(hold(&early, 8));
    assert_true(hold(&early, 7));
    assert_true(hold(&early, 8));
    assert_int_equal(early_trades_take(&early).trade_id, 7);
    assert_int_equal(early_trades_take(&early).trade_id, 8);
    assert_null(early_trades_first(&early));
}

static void what_the_trades_own_is_freed_with_them(void **state)
{
    struct early_trades early = {0};

    (void)state;
    for (int64_t id = 1; id <= 3; id++) {
        struct trade trade = {.trade_id = id < 3 ? id : 2};

        assert_int_equal(extra_fields_add(&trade.extra, "name", 4, "value", 5), 0);
        assert_true(early_trades_hold(&early, &trade));
    }
    struct trade taken = early_trades_take(&early);
    trade_clear(&taken);
    early_trades_clear(&early);
}

static void there_is_an_end_to_it(void **state)
{
    struct early_trades early = {0};

    (void)state;
    for (int64_t id = 1; id <= EARLY_TRADES_MAX; id++)
        assert_true(hold(&early, id));
    assert_false(hold(&early, EARLY_TRADES_MAX + 1));
    assert_int_equal(early_trades_first(&early)->trade_id, 1);
    early_trades_clear(&early);
    assert_true(hold(&early, 1));
    early_trades_clear(&early);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_leave_in_the_order_in_which_they_came),
        cmocka_unit_test(a_trade_that_two_heirs_bring_is_held_once),
        cmocka_unit_test(what_the_trades_own_is_freed_with_them),
        cmocka_unit_test(there_is_an_end_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
