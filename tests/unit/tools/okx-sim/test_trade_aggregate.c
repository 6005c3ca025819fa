#include "sim_fixture.h"

#include "okx-sim/trade_aggregate.h"

static void aggregates_cover_every_trade_once_with_the_sum_of_sizes(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 50000000);
    int64_t begin = tape_started_index(tape, 0), end = begin + 5000, next = begin, last_seq_id = 0;
    int64_t size = 0, expected = 0, merged = 0;

    (void)state;
    while (next < end) {
        struct trade_aggregate one = trade_aggregate_at(tape, 0, next, end);
        assert_true(one.count >= 1);
        assert_int_equal(one.last.index - one.count + 1, next);
        assert_true(one.seq_id > last_seq_id);
        for (int64_t i = next; i <= one.last.index; i++) {
            struct market_trade trade = tape_trade(tape, 0, i);
            assert_int_equal(trade.price, one.last.price);
            assert_int_equal(trade.source, one.last.source);
            assert_int_equal(trade.order_index, one.last.order_index);
        }
        last_seq_id = one.seq_id;
        size += one.last.size;
        merged += one.count > 1;
        next = one.last.index + 1;
    }
    for (int64_t i = begin; i < end; i++)
        expected += tape_trade(tape, 0, i).size;
    assert_int_equal(next, end);
    assert_int_equal(size, expected);
    assert_true(merged > 100);
    assert_true(last_seq_id > INT64_C(1) << 32);
    tape_destroy(tape);
}

static void neighbours_that_could_be_merged_are(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 50000000);
    int64_t next = tape_started_index(tape, 0), end = next + 3000;

    (void)state;
    while (next < end) {
        struct trade_aggregate one = trade_aggregate_at(tape, 0, next, end);
        struct market_trade after = tape_trade(tape, 0, one.last.index + 1);
        next = one.last.index + 1;
        if (next < end)
            assert_false(after.order_index == one.last.order_index &&
                         after.price == one.last.price && after.source == one.last.source);
    }
    tape_destroy(tape);
}

static void a_hidden_trade_is_in_no_aggregate(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 50000000);
    int64_t next = tape_executed(tape, 0, FIXTURE_NOW_MS), end = next + 1000;
    struct err err;

    (void)state;
    while (trade_aggregate_at(tape, 0, next, end).count < 3)
        next += trade_aggregate_at(tape, 0, next, end).count;
    assert_int_equal(tape_hide(tape, 0, next + 2 - tape_executed(tape, 0, FIXTURE_NOW_MS),
                               TAPE_UNSENT, FIXTURE_NOW_MS, &err),
                     0);
    assert_int_equal(tape_visibility_of(tape, 0, next + 1), TAPE_UNSENT);
    assert_int_equal(trade_aggregate_at(tape, 0, next, end).count, 1);
    tape_destroy(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_cover_every_trade_once_with_the_sum_of_sizes),
        cmocka_unit_test(neighbours_that_could_be_merged_are),
        cmocka_unit_test(a_hidden_trade_is_in_no_aggregate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
