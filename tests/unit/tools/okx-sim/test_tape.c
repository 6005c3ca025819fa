#include "sim_fixture.h"

static void an_executed_trade_is_one_whose_time_has_come(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT,ETH-USDT", 10000000);

    (void)state;
    for (int64_t ms = FIXTURE_NOW_MS; ms < FIXTURE_NOW_MS + 90000; ms += 331) {
        int64_t executed = tape_executed(tape, 1, ms);
        assert_true(tape_trade(tape, 1, executed - 1).time_ms <= ms);
        assert_true(tape_trade(tape, 1, executed).time_ms > ms);
    }
    tape_destroy(tape);
}

static void the_ledger_begins_with_the_first_trade_at_or_after_the_start(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    int64_t first = tape_started_index(tape, 0);

    (void)state;
    assert_true(tape_trade(tape, 0, first).time_ms >= FIXTURE_NOW_MS);
    assert_true(tape_trade(tape, 0, first - 1).time_ms < FIXTURE_NOW_MS);
    tape_destroy(tape);
}

static void a_restart_loses_no_trade(void **state)
{
    struct tape *before = fixture_tape("BTC-USDT", 10000000);
    struct tape *after = fixture_tape("BTC-USDT", 10000000);
    int64_t index = tape_executed(before, 0, FIXTURE_NOW_MS);

    (void)state;
    for (int64_t i = index - 50; i < index + 50; i++) {
        struct market_trade one = tape_trade(before, 0, i), other = tape_trade(after, 0, i);
        assert_int_equal(one.time_ms, other.time_ms);
        assert_int_equal(one.price, other.price);
        assert_int_equal(one.size, other.size);
    }
    assert_int_equal(tape_trade_id(before, 0, index), tape_trade_id(after, 0, index));
    tape_destroy(before);
    tape_destroy(after);
}

static void a_halt_freezes_the_tape_and_a_resume_lets_it_jump(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    int64_t executed = tape_executed(tape, 0, FIXTURE_NOW_MS);

    (void)state;
    tape_halt(tape, FIXTURE_NOW_MS);
    tape_halt(tape, FIXTURE_NOW_MS + 5000); /* a second halt changes nothing */
    assert_true(tape_is_halted(tape));
    assert_int_equal(tape_executed(tape, 0, FIXTURE_NOW_MS + 60000), executed);
    assert_true(tape_executed(tape, 0, FIXTURE_NOW_MS - 60000) < executed);
    tape_resume(tape);
    assert_int_equal(tape_executed(tape, 0, FIXTURE_NOW_MS + 60000), executed + 600);
    tape_destroy(tape);
}

static void hidden_trades_are_the_next_ones_and_follow_each_other(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT,ETH-USDT", 10000000);
    int64_t next = tape_executed(tape, 0, FIXTURE_NOW_MS);
    struct err err;

    (void)state;
    assert_int_equal(tape_hide(tape, 0, 3, TAPE_UNSENT, FIXTURE_NOW_MS, &err), 0);
    assert_int_equal(tape_hide(tape, 0, 2, TAPE_LOST, FIXTURE_NOW_MS, &err), 0);
    for (int64_t i = -2; i < 8; i++) {
        enum tape_visibility expected = i < 0   ? TAPE_VISIBLE
                                        : i < 3 ? TAPE_UNSENT
                                        : i < 5 ? TAPE_LOST
                                                : TAPE_VISIBLE;
        assert_int_equal(tape_visibility_of(tape, 0, next + i), expected);
        assert_int_equal(tape_visibility_of(tape, 1, next + i), TAPE_VISIBLE);
    }
    tape_destroy(tape);
}

static void clearing_keeps_what_was_lost_and_spares_the_rest(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    int64_t next = tape_executed(tape, 0, FIXTURE_NOW_MS), lost;
    struct err err;

    (void)state;
    assert_int_equal(tape_hide(tape, 0, 600, TAPE_LOST, FIXTURE_NOW_MS, &err), 0);
    assert_int_equal(tape_hide(tape, 0, 600, TAPE_UNSENT, FIXTURE_NOW_MS, &err), 0);
    tape_hide_no_more(tape, FIXTURE_NOW_MS + 10000);
    lost = tape_executed(tape, 0, FIXTURE_NOW_MS + 10000) - next;
    assert_in_range(lost, 80, 120);
    for (int64_t i = 0; i < 1200; i++)
        assert_int_equal(tape_visibility_of(tape, 0, next + i),
                         i < lost ? TAPE_LOST : TAPE_VISIBLE);
    tape_destroy(tape);
}

static void too_many_gaps_are_refused(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct err err = {0};
    int count = 0;

    (void)state;
    while (tape_hide(tape, 0, 1, TAPE_LOST, FIXTURE_NOW_MS, &err) == 0)
        count++;
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(count >= 1000);
    tape_destroy(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_executed_trade_is_one_whose_time_has_come),
        cmocka_unit_test(the_ledger_begins_with_the_first_trade_at_or_after_the_start),
        cmocka_unit_test(a_restart_loses_no_trade),
        cmocka_unit_test(a_halt_freezes_the_tape_and_a_resume_lets_it_jump),
        cmocka_unit_test(hidden_trades_are_the_next_ones_and_follow_each_other),
        cmocka_unit_test(clearing_keeps_what_was_lost_and_spares_the_rest),
        cmocka_unit_test(too_many_gaps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
