#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/trade.h"
#include "persister/batch.h"

enum { ITEMS_MAX = 16 };

static const struct batch_limits limits = {.rows_max = 3, .bytes_max = 100, .age_max_ms = 50};

/* Items with records on the stack of the test; nothing of them is freed. */
struct items {
    struct persist_item items[ITEMS_MAX];
    rd_kafka_message_t messages[ITEMS_MAX];
    struct persist_item *pointers[ITEMS_MAX];
    size_t count;
};

static void add_item(struct items *items, enum table table, void *record, size_t bytes)
{
    size_t i = items->count++;

    items->messages[i] = (rd_kafka_message_t){.len = bytes};
    items->items[i] = (struct persist_item){
        .message = &items->messages[i], .table = table, .record = record, .sequence = i};
    items->pointers[i] = &items->items[i];
}

static size_t rows_of(struct items *items, enum table table, const struct persist_item **rows,
                      size_t *duplicates)
{
    return batch_rows(items->pointers, items->count, table, rows, duplicates);
}

static void batch_is_full_by_rows_bytes_or_age(void **state)
{
    struct items items = {0};
    struct batch batch;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        add_item(&items, TABLE_TRADES, NULL, i == 3 ? 99 : 1);
    batch_init(&batch, &limits);
    assert_false(batch_is_full(&batch, INT64_MAX));
    batch_add(&batch, items.pointers[0], 1000);
    assert_false(batch_is_full(&batch, 1049));
    assert_true(batch_is_full(&batch, 1050));
    batch_add(&batch, items.pointers[1], 1010);
    assert_false(batch_is_full(&batch, 1010));
    batch_add(&batch, items.pointers[2], 1010);
    assert_true(batch_is_full(&batch, 1010));
    batch_reset(&batch);
    batch_add(&batch, items.pointers[3], 2000);
    assert_false(batch_is_full(&batch, 2000));
    batch_add(&batch, items.pointers[0], 2000);
    assert_true(batch_is_full(&batch, 2000));
    batch_clear(&batch);
}

static void trades_are_ordered_by_key_and_written_once(void **state)
{
    struct trade trades[] = {
        {.inst_id = "ETH-USDT", .trade_id = 1},
        {.inst_id = "BTC-USDT", .trade_id = 10},
        {.inst_id = "BTC-USDT", .trade_id = 9},
        {.inst_id = "BTC-USDT", .trade_id = 10},
        {.inst_id = "BTC-USDT", .trade_id = 10, .event_time_ms = 1},
    };
    const struct persist_item *rows[ITEMS_MAX];
    struct items items = {0};
    size_t duplicates;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        add_item(&items, TABLE_TRADES, &trades[i], 1);
    assert_int_equal(rows_of(&items, TABLE_TRADES, rows, &duplicates), 4);
    assert_int_equal(duplicates, 1);
    assert_ptr_equal(rows[0]->record, &trades[2]);
    assert_ptr_equal(rows[1]->record, &trades[1]); /* the first of two equal ones */
    assert_ptr_equal(rows[2]->record, &trades[4]);
    assert_ptr_equal(rows[3]->record, &trades[0]);
}

static void rows_of_other_tables_and_excluded_items_are_left_out(void **state)
{
    struct trade trade = {.inst_id = "BTC-USDT", .trade_id = 1};
    struct candle candle = {.inst_id = "BTC-USDT", .bar = "1H"};
    const struct persist_item *rows[ITEMS_MAX];
    struct items items = {0};
    size_t duplicates;

    (void)state;
    add_item(&items, TABLE_TRADES, &trade, 1);
    add_item(&items, TABLE_CANDLES, &candle, 1);
    add_item(&items, TABLE_TRADES, NULL, 1);
    items.items[2].is_excluded = true;
    assert_int_equal(rows_of(&items, TABLE_TRADES, rows, &duplicates), 1);
    assert_int_equal(rows_of(&items, TABLE_CANDLES, rows, &duplicates), 1);
    assert_int_equal(rows_of(&items, TABLE_FETCHES, rows, &duplicates), 0);
    assert_int_equal(duplicates, 0);
}

static void of_a_candle_the_newest_state_is_kept(void **state)
{
    struct candle unconfirmed = {.inst_id = "BTC-USDT", .bar = "1H", .received_at_us = 30};
    struct candle confirmed = {
        .inst_id = "BTC-USDT", .bar = "1H", .is_confirmed = true, .received_at_us = 10};
    struct candle later = {
        .inst_id = "BTC-USDT", .bar = "1H", .is_confirmed = true, .received_at_us = 20};
    struct candle *const orders[][3] = {
        {&unconfirmed, &confirmed, &later},
        {&later, &confirmed, &unconfirmed},
        {&confirmed, &later, &unconfirmed},
        {&unconfirmed, &later, &confirmed},
    };

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const struct persist_item *rows[ITEMS_MAX];
        struct items items = {0};
        size_t duplicates;

        for (size_t j = 0; j < 3; j++)
            add_item(&items, TABLE_CANDLES, orders[i][j], 1);
        assert_int_equal(rows_of(&items, TABLE_CANDLES, rows, &duplicates), 1);
        assert_ptr_equal(rows[0]->record, &later);
        assert_int_equal(duplicates, 2);
    }
}

static void of_a_currency_the_newest_snapshot_is_kept(void **state)
{
    struct currency_chain older = {
        .currency = "BTC", .chain = "BTC-Bitcoin", .snapshot_time_ms = 1, .received_at_us = 900};
    struct currency_chain newer = {
        .currency = "BTC", .chain = "BTC-Bitcoin", .snapshot_time_ms = 2, .received_at_us = 100};
    const struct persist_item *rows[ITEMS_MAX];
    struct items items = {0};
    size_t duplicates;

    (void)state;
    add_item(&items, TABLE_CURRENCIES, &newer, 1);
    add_item(&items, TABLE_CURRENCIES, &older, 1);
    assert_int_equal(rows_of(&items, TABLE_CURRENCIES, rows, &duplicates), 1);
    assert_ptr_equal(rows[0]->record, &newer);
}

static struct fetch_row make_fetch(bool is_finished, enum fetch_status status, int64_t attempt,
                                   int64_t to_time_ms, int64_t finished_at_ms)
{
    return (struct fetch_row){
        .is_finished = is_finished,
        .result = {.command = {.id = "x",
                               .attempt = attempt,
                               .to_time_ms = {.present = to_time_ms > 0, .value = to_time_ms}},
                   .status = status,
                   .finished_at_ms = finished_at_ms}};
}

struct fetch_case {
    const char *name;
    struct {
        bool is_finished;
        enum fetch_status status;
        int64_t attempt, to_time_ms, finished_at_ms;
    } loser, winner;
};

static const struct fetch_case fetch_cases[] = {
    {"a result over its command", {false, 0, 1, 0, 0}, {true, FETCH_STATUS_FAILED, 1, 0, 5}},
    {"asked again over a failure", {true, FETCH_STATUS_FAILED, 1, 0, 5}, {false, 0, 2, 0, 0}},
    {"done over asked again", {false, 0, 2, 0, 0}, {true, FETCH_STATUS_DONE, 1, 0, 5}},
    {"done over a later failure",
     {true, FETCH_STATUS_FAILED, 2, 0, 9},
     {true, FETCH_STATUS_DONE, 1, 0, 5}},
    {"a later attempt's failure over an earlier one's",
     {true, FETCH_STATUS_FAILED, 1, 0, 9},
     {true, FETCH_STATUS_FAILED, 2, 0, 5}},
    {"the later of two final results",
     {true, FETCH_STATUS_INCOMPLETE, 1, 0, 5},
     {true, FETCH_STATUS_DONE, 1, 0, 6}},
    {"a command for more bars over what is done",
     {true, FETCH_STATUS_DONE, 1, 1000, 5},
     {false, 0, 1, 2000, 0}},
    {"the result for more bars over that for fewer",
     {true, FETCH_STATUS_DONE, 3, 1000, 9},
     {true, FETCH_STATUS_DONE, 1, 2000, 5}},
};

static void of_a_fetch_the_newest_state_is_kept_in_any_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fetch_cases / sizeof fetch_cases[0]; i++) {
        const struct fetch_case *c = &fetch_cases[i];
        struct fetch_row loser = make_fetch(c->loser.is_finished, c->loser.status, c->loser.attempt,
                                            c->loser.to_time_ms, c->loser.finished_at_ms);
        struct fetch_row winner =
            make_fetch(c->winner.is_finished, c->winner.status, c->winner.attempt,
                       c->winner.to_time_ms, c->winner.finished_at_ms);

        print_message("%s\n", c->name);
        for (int order = 0; order < 2; order++) {
            const struct persist_item *rows[ITEMS_MAX];
            struct items items = {0};
            size_t duplicates;

            add_item(&items, TABLE_FETCHES, order == 0 ? &loser : &winner, 1);
            add_item(&items, TABLE_FETCHES, order == 0 ? &winner : &loser, 1);
            assert_int_equal(rows_of(&items, TABLE_FETCHES, rows, &duplicates), 1);
            assert_ptr_equal(rows[0]->record, &winner);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_is_full_by_rows_bytes_or_age),
        cmocka_unit_test(trades_are_ordered_by_key_and_written_once),
        cmocka_unit_test(rows_of_other_tables_and_excluded_items_are_left_out),
        cmocka_unit_test(of_a_candle_the_newest_state_is_kept),
        cmocka_unit_test(of_a_currency_the_newest_snapshot_is_kept),
        cmocka_unit_test(of_a_fetch_the_newest_state_is_kept_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
