#include "sim_fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "okx-sim/rest_market.h"

#define HOUR_MS INT64_C(3600000)

typedef int (*rows_fn)(const struct rest_market_view *view, const struct http_request *request,
                       struct buf *out, struct err *err);

static struct http_request request_of(const char *query)
{
    struct http_request request = {0};
    struct text_view rest = text_view_of(query), piece;

    while (text_view_split(&rest, '&', &piece)) {
        char text[300];
        snprintf(text, sizeof text, "%.*s", TEXT_VIEW_ARGS(piece));
        http_request_add_parameter(&request, text);
    }
    return request;
}

static struct rest_market_view view_at(struct tape *tape, int64_t now_ms)
{
    return (struct rest_market_view){.tape = tape, .now_ms = now_ms, .view_ms = now_ms};
}

/* Returns owned: the rows as a JSON array. */
static json_t *ask(rows_fn rows, struct rest_market_view view, const char *query)
{
    struct http_request request = request_of(query);
    struct buf out, text;
    struct err err;
    json_t *array;

    buf_init(&out, 1 << 20);
    buf_init(&text, 1 << 20);
    if (rows(&view, &request, &out, &err) != 0)
        fail_msg("%s: %s", query, err.message);
    buf_append_format(&text, "[%.*s]", (int)out.length, out.data ? out.data : "");
    array = json_loads(text.data, 0, NULL);
    assert_non_null(array);
    buf_clear(&text);
    buf_clear(&out);
    return array;
}

static enum err_code refusal(rows_fn rows, struct tape *tape, const char *query)
{
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    struct http_request request = request_of(query);
    struct err err = {0};
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_int_equal(rows(&view, &request, &out, &err), -1);
    buf_clear(&out);
    return err.code;
}

static int history_candles(const struct rest_market_view *view, const struct http_request *request,
                           struct buf *out, struct err *err)
{
    return rest_market_candles(view, request, 0, out, err);
}

static int recent_candles(const struct rest_market_view *view, const struct http_request *request,
                          struct buf *out, struct err *err)
{
    return rest_market_candles(view, request, 1440, out, err);
}

static int64_t id_at(const json_t *rows, size_t position)
{
    return fixture_int(json_array_get(rows, position), "tradeId");
}

static int64_t open_at(const json_t *rows, size_t position)
{
    struct err err;
    int64_t open_ms = 0;

    if (text_view_read_int64(
            text_view_of(json_string_value(json_array_get(json_array_get(rows, position), 0))),
            &open_ms, &err) != 0)
        fail_msg("%s", err.message);
    return open_ms;
}

static void trades_come_newest_first_up_to_the_limit(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t newest = tape_trade_id(tape, 0, tape_executed(tape, 0, FIXTURE_NOW_MS) - 1);
    static const struct {
        const char *query;
        size_t rows;
    } cases[] = {{"instId=BTC-USDT", 100},
                 {"instId=BTC-USDT&limit=1", 1},
                 {"instId=BTC-USDT&limit=500", 500},
                 {"instId=BTC-USDT&limit=501", 500}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *rows = ask(rest_market_trades, view, cases[i].query);
        assert_int_equal(json_array_size(rows), cases[i].rows);
        for (size_t k = 0; k < json_array_size(rows); k++)
            assert_int_equal(id_at(rows, k), newest - (int64_t)k);
        json_decref(rows);
    }
    tape_destroy(tape);
}

static void both_cursors_of_history_trades_are_exclusive(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t newest = tape_trade_id(tape, 0, tape_executed(tape, 0, FIXTURE_NOW_MS) - 1);
    struct {
        int64_t after, before; /* distance from the newest; 0: not given */
        int64_t first, last;   /* the rows expected, as distances */
    } cases[] = {
        {10, 0, 11, 110}, {0, 10, 0, 9}, {50, 60, 51, 59}, {50, 500, 51, 150}, {-100, 0, 0, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char query[200];
        json_t *rows;
        int used = snprintf(query, sizeof query, "instId=BTC-USDT&type=1");
        if (cases[i].after)
            used += snprintf(query + used, sizeof query - (size_t)used, "&after=%lld",
                             (long long)(newest - cases[i].after));
        if (cases[i].before)
            snprintf(query + used, sizeof query - (size_t)used, "&before=%lld",
                     (long long)(newest - cases[i].before));
        rows = ask(rest_market_history_trades, view, query);
        assert_int_equal(json_array_size(rows), cases[i].last - cases[i].first + 1);
        for (size_t k = 0; k < json_array_size(rows); k++)
            assert_int_equal(id_at(rows, k), newest - cases[i].first - (int64_t)k);
        json_decref(rows);
    }
    tape_destroy(tape);
}

static void paging_by_id_walks_back_without_hole_or_repeat_for_three_months(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 1000); /* about 7800 in three months */
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t expected = tape_trade_id(tape, 0, tape_executed(tape, 0, FIXTURE_NOW_MS) - 1);
    int64_t after = expected + 1, oldest_ms = 0;

    (void)state;
    for (int pages = 0; pages < 1000; pages++) {
        char query[100];
        json_t *rows;
        snprintf(query, sizeof query, "instId=BTC-USDT&after=%lld", (long long)after);
        rows = ask(rest_market_history_trades, view, query);
        for (size_t k = 0; k < json_array_size(rows); k++) {
            after = id_at(rows, k);
            assert_int_equal(after, expected--);
            oldest_ms = fixture_int(json_array_get(rows, k), "ts");
        }
        if (json_array_size(rows) == 0) {
            json_decref(rows);
            break;
        }
        json_decref(rows);
    }
    assert_in_range(FIXTURE_NOW_MS - oldest_ms, 89 * 24 * HOUR_MS, 90 * 24 * HOUR_MS);
    tape_destroy(tape);
}

static void by_time_only_after_is_supported(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    char query[100];
    json_t *rows;

    (void)state;
    snprintf(query, sizeof query, "instId=BTC-USDT&type=2&after=%lld",
             (long long)(FIXTURE_NOW_MS - 5000));
    rows = ask(rest_market_history_trades, view, query);
    assert_int_equal(json_array_size(rows), 100);
    assert_true(fixture_int(json_array_get(rows, 0), "ts") < FIXTURE_NOW_MS - 5000);
    assert_int_equal(tape_index_of_id(tape, 0, id_at(rows, 0)) + 1,
                     tape_executed(tape, 0, FIXTURE_NOW_MS - 5001));
    json_decref(rows);
    assert_int_equal(
        refusal(rest_market_history_trades, tape, "instId=BTC-USDT&type=2&before=1795435200000"),
        ERR_UNSUPPORTED);
    tape_destroy(tape);
}

static void a_lost_trade_is_in_no_answer_and_an_unsent_one_is(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS + 20000);
    int64_t next = tape_executed(tape, 0, FIXTURE_NOW_MS), newest, i = 0;
    struct err err;
    json_t *rows;

    (void)state;
    assert_int_equal(tape_hide(tape, 0, 5, TAPE_LOST, FIXTURE_NOW_MS, &err), 0);
    assert_int_equal(tape_hide(tape, 0, 5, TAPE_UNSENT, FIXTURE_NOW_MS, &err), 0);
    rows = ask(rest_market_trades, view, "instId=BTC-USDT&limit=500");
    newest = tape_executed(tape, 0, FIXTURE_NOW_MS + 20000) - 1;
    for (size_t k = 0; k < 300; k++, i++) {
        if (newest - i == next + 4)
            i += 5;
        assert_int_equal(tape_index_of_id(tape, 0, id_at(rows, k)), newest - i);
    }
    json_decref(rows);
    tape_destroy(tape);
}

static void a_lagging_cache_knows_no_newer_trade_even_when_halted(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    json_t *rows;

    (void)state;
    view.view_ms -= 3000;
    rows = ask(rest_market_trades, view, "instId=BTC-USDT&limit=1");
    assert_int_equal(tape_index_of_id(tape, 0, id_at(rows, 0)) + 1,
                     tape_executed(tape, 0, FIXTURE_NOW_MS - 3000));
    json_decref(rows);
    tape_halt(tape, FIXTURE_NOW_MS - 1000);
    view = view_at(tape, FIXTURE_NOW_MS + 60000);
    rows = ask(rest_market_trades, view, "instId=BTC-USDT&limit=1");
    assert_int_equal(tape_index_of_id(tape, 0, id_at(rows, 0)) + 1,
                     tape_executed(tape, 0, FIXTURE_NOW_MS - 1000));
    json_decref(rows);
    tape_destroy(tape);
}

static void hours_since_2020_have_no_hole_over_any_page_boundary(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 100000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t after = FIXTURE_NOW_MS - FIXTURE_NOW_MS % HOUR_MS, expected = after - HOUR_MS;
    size_t pages = 0, count = 0;
    bool is_over = false;

    (void)state;
    for (; !is_over; pages++) {
        char query[100];
        json_t *rows;
        snprintf(query, sizeof query, "instId=BTC-USDT&bar=1H&limit=300&after=%lld",
                 (long long)after);
        rows = ask(history_candles, view, query);
        for (size_t k = 0; k < json_array_size(rows); k++, count++) {
            assert_int_equal(open_at(rows, k), expected);
            assert_string_equal(json_string_value(json_array_get(json_array_get(rows, k), 8)), "1");
            expected -= HOUR_MS;
        }
        is_over = json_array_size(rows) == 0;
        if (!is_over)
            after = open_at(rows, json_array_size(rows) - 1);
        json_decref(rows);
    }
    assert_int_equal(expected, MARKET_EPOCH_MS - HOUR_MS);
    assert_int_equal(count, (FIXTURE_NOW_MS - MARKET_EPOCH_MS) / HOUR_MS);
    assert_int_equal(pages, (count + 299) / 300 + 1); /* the last one is empty */
    tape_destroy(tape);
}

static void the_same_bar_is_the_same_whatever_page_it_is_on(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 100000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    json_t *large = ask(history_candles, view, "instId=BTC-USDT&bar=15m&limit=300");

    (void)state;
    for (size_t i = 1; i < 300; i += 37) {
        char query[100];
        json_t *one;
        snprintf(query, sizeof query, "instId=BTC-USDT&bar=15m&limit=1&after=%lld",
                 (long long)open_at(large, i - 1));
        one = ask(history_candles, view, query);
        assert_int_equal(json_array_size(one), 1);
        assert_true(json_equal(json_array_get(one, 0), json_array_get(large, i)));
        json_decref(one);
    }
    json_decref(large);
    tape_destroy(tape);
}

static void before_excludes_its_bar_and_alone_gives_the_newest(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 100000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t open_ms = FIXTURE_NOW_MS - FIXTURE_NOW_MS % HOUR_MS;
    char query[160];
    json_t *rows;

    (void)state;
    snprintf(query, sizeof query, "instId=BTC-USDT&bar=1H&before=%lld",
             (long long)(open_ms - 3 * HOUR_MS));
    rows = ask(history_candles, view, query);
    assert_int_equal(json_array_size(rows), 3);
    assert_int_equal(open_at(rows, 0), open_ms);
    json_decref(rows);
    snprintf(query, sizeof query, "instId=BTC-USDT&bar=1H&limit=2&before=%lld&after=%lld",
             (long long)(open_ms - 50 * HOUR_MS), (long long)(open_ms - 10 * HOUR_MS));
    rows = ask(history_candles, view, query);
    assert_int_equal(json_array_size(rows), 2); /* a wide window gives its newest rows */
    assert_int_equal(open_at(rows, 0), open_ms - 11 * HOUR_MS);
    json_decref(rows);
    tape_destroy(tape);
}

static void the_open_bar_and_a_just_closed_one_are_unconfirmed(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 10000000);
    int64_t close_ms = FIXTURE_NOW_MS + 30000; /* a whole minute */
    struct rest_market_view view = view_at(tape, close_ms + 1000);
    json_t *rows;

    (void)state;
    view.view_ms = close_ms - 500; /* the cache is 1500 ms old */
    rows = ask(recent_candles, view, "instId=BTC-USDT&limit=2");
    assert_int_equal(open_at(rows, 0), close_ms - 60000);
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 8)), "0");
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 1), 8)), "1");
    json_decref(rows);
    view = view_at(tape, close_ms);
    rows = ask(recent_candles, view, "instId=BTC-USDT&limit=2");
    assert_int_equal(open_at(rows, 0), close_ms);
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 0), 8)), "0");
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows, 1), 8)), "1");
    json_decref(rows);
    tape_destroy(tape);
}

static void recent_candles_reach_back_1440_bars(void **state)
{
    struct tape *tape = fixture_tape("BTC-USDT", 100000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    int64_t open_ms = FIXTURE_NOW_MS - 30000;
    char query[100];
    json_t *rows;

    (void)state;
    snprintf(query, sizeof query, "instId=BTC-USDT&limit=300&after=%lld",
             (long long)(open_ms - 1429 * 60000));
    rows = ask(recent_candles, view, query);
    assert_int_equal(json_array_size(rows), 10);
    assert_int_equal(open_at(rows, 9), open_ms - 1439 * 60000);
    json_decref(rows);
    rows = ask(history_candles, view, query);
    assert_int_equal(json_array_size(rows), 300);
    json_decref(rows);
    tape_destroy(tape);
}

static void nothing_is_older_than_the_listing(void **state)
{
    struct tape *tape = fixture_tape("NEW-USDT@2026-11-23T10:20:00Z", 100000);
    struct rest_market_view view = view_at(tape, FIXTURE_NOW_MS);
    json_t *rows = ask(history_candles, view, "instId=NEW-USDT&bar=1H");

    (void)state;
    assert_int_equal(json_array_size(rows), 3); /* 12:00, 11:00 and the broken hour from 10:00 */
    json_decref(rows);
    rows = ask(history_candles, view, "instId=NEW-USDT&bar=1H&after=1795420800000");
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    tape_destroy(tape);
}

static void wrong_parameters_are_told_apart(void **state)
{
    static const struct {
        rows_fn rows;
        const char *query;
        enum err_code code;
    } cases[] = {
        {rest_market_trades, "", ERR_CONFIG},
        {rest_market_trades, "instId=", ERR_CONFIG},
        {rest_market_trades, "instId=NO-SUCH", ERR_NOT_FOUND},
        {rest_market_trades, "instId=BTC-USDT&limit=0", ERR_OUT_OF_RANGE},
        {rest_market_trades, "instId=BTC-USDT&limit=ten", ERR_PROTOCOL},
        {rest_market_history_trades, "instId=BTC-USDT&type=3", ERR_OUT_OF_RANGE},
        {rest_market_history_trades, "instId=BTC-USDT&after=1e9", ERR_PROTOCOL},
        {history_candles, "instId=BTC-USDT&bar=1h", ERR_PROTOCOL},
        {history_candles, "instId=BTC-USDT&after=-5", ERR_OUT_OF_RANGE},
        {history_candles, "instId=XRP-USDT", ERR_NOT_FOUND},
    };
    struct tape *tape = fixture_tape("BTC-USDT", 100000);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (refusal(cases[i].rows, tape, cases[i].query) != cases[i].code)
            fail_msg("case '%s'", cases[i].query);
    }
    tape_destroy(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_come_newest_first_up_to_the_limit),
        cmocka_unit_test(both_cursors_of_history_trades_are_exclusive),
        cmocka_unit_test(paging_by_id_walks_back_without_hole_or_repeat_for_three_months),
        cmocka_unit_test(by_time_only_after_is_supported),
        cmocka_unit_test(a_lost_trade_is_in_no_answer_and_an_unsent_one_is),
        cmocka_unit_test(a_lagging_cache_knows_no_newer_trade_even_when_halted),
        cmocka_unit_test(hours_since_2020_have_no_hole_over_any_page_boundary),
        cmocka_unit_test(the_same_bar_is_the_same_whatever_page_it_is_on),
        cmocka_unit_test(before_excludes_its_bar_and_alone_gives_the_newest),
        cmocka_unit_test(the_open_bar_and_a_just_closed_one_are_unconfirmed),
        cmocka_unit_test(recent_candles_reach_back_1440_bars),
        cmocka_unit_test(nothing_is_older_than_the_listing),
        cmocka_unit_test(wrong_parameters_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
