#include "tests/support/unit_test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "okx-sim/market.h"

/* 2026-11-23T12:00Z, a whole hour. */
#define NOON_MS INT64_C(1795435200000)

struct rate_case {
    const char *name;
    int64_t micro_rate;
    int64_t minutes; /* how many to look at one by one */
};
static const struct rate_case rate_cases[] = {
    {"one trade in 1000 s", 1000, 500},
    {"0.05/s", 50000, 2000},
    {"0.0333/s", 33333, 2000},
    {"1/s", 1000000, 300},
    {"10/s", 10000000, 60},
    {"33.37/s", 33370000, 20},
    {"1000/s", INT64_C(1000000000), 3},
};
enum { RATE_CASES = sizeof rate_cases / sizeof rate_cases[0] };

static struct instrument *instruments_of(const char *list)
{
    struct instrument *instruments = NULL;
    struct err err;

    if (instrument_list_parse(text_view_of(list), &instruments, &err) < 0)
        fail_msg("%s", err.message);
    return instruments;
}

static struct market market_of(const struct rate_case *rate)
{
    return (struct market){.seed = 7, .micro_rate = rate->micro_rate};
}

static void ids_are_contiguous_from_minute_to_minute(void **state)
{
    int64_t minute = market_minute_of_time(NOON_MS);

    (void)state;
    for (size_t i = 0; i < RATE_CASES; i++) {
        struct market market = market_of(&rate_cases[i]);
        int64_t next = market_first_index(&market, minute);
        assert_int_equal(market_first_index(&market, 0), 0);
        for (int64_t m = minute; m < minute + rate_cases[i].minutes; m++) {
            int64_t first = market_first_index(&market, m);
            int64_t count = market_first_index(&market, m + 1) - first;
            assert_int_equal(first, next);
            next += count;
            if (count > 0) {
                assert_int_equal(market_minute_of_index(&market, first), m);
                assert_int_equal(market_minute_of_index(&market, next - 1), m);
            }
        }
    }
}

static void the_rate_holds_over_years(void **state)
{
    (void)state;
    for (size_t i = 0; i < RATE_CASES; i++) {
        struct market market = market_of(&rate_cases[i]);
        int64_t minutes = 10000000; /* 19 years */
        int64_t expected = (int64_t)((int128)minutes * 60 * market.micro_rate / 1000000);
        assert_int_equal(market_first_index(&market, minutes), expected);
    }
}

static void trades_of_a_minute_are_in_order_and_within_it(void **state)
{
    struct instrument *instrument = instruments_of("BTC-USDT");
    int64_t number = market_minute_of_time(NOON_MS);

    (void)state;
    for (size_t i = 0; i < RATE_CASES; i++) {
        struct market market = market_of(&rate_cases[i]);
        int64_t previous_ms = 0, previous_order = -1;
        for (int64_t m = number; m < number + rate_cases[i].minutes; m++) {
            struct market_minute minute = market_minute_at(&market, instrument, m);
            int64_t open_ms = MARKET_EPOCH_MS + m * MARKET_MINUTE_MS;
            for (int64_t k = 0; k < minute.count; k++) {
                struct market_trade trade = market_minute_trade(&minute, k);
                assert_int_equal(trade.index, minute.first_index + k);
                assert_true(trade.time_ms >= previous_ms);
                assert_true(trade.time_ms >= open_ms);
                assert_true(trade.time_ms < open_ms + MARKET_MINUTE_MS);
                assert_true(trade.size > 0);
                assert_true(trade.price > 0);
                assert_true(trade.order_index <= trade.index);
                assert_true(trade.order_index >= previous_order);
                previous_ms = trade.time_ms;
                previous_order = trade.order_index;
            }
        }
    }
    free(instrument);
}

static void trades_of_one_order_share_time_and_side(void **state)
{
    struct market market = {.seed = 3, .micro_rate = 20000000};
    struct instrument *instrument = instruments_of("ETH-USDT");
    int64_t merged = 0, walked = 0;

    (void)state;
    for (int64_t m = 3000000; m < 3000050; m++) {
        struct market_minute minute = market_minute_at(&market, instrument, m);
        struct market_trade previous = market_minute_trade(&minute, 0);
        for (int64_t k = 1; k < minute.count; k++) {
            struct market_trade trade = market_minute_trade(&minute, k);
            if (trade.order_index == previous.order_index) {
                assert_int_equal(trade.time_ms, previous.time_ms);
                assert_int_equal(trade.is_buy, previous.is_buy);
                merged++;
                walked += trade.price != previous.price;
            } else {
                assert_int_equal(trade.order_index, trade.index);
            }
            previous = trade;
        }
    }
    assert_true(merged > 1000); /* bursts exist, */
    assert_true(walked > 100);  /* and some take several prices */
    free(instrument);
}

/* The candle as anybody would build it from the trades. */
static struct market_candle candle_from_trades(const struct market_minute *minute)
{
    struct market_candle candle = {0};

    for (int64_t k = 0; k < minute->count; k++) {
        struct market_trade trade = market_minute_trade(minute, k);
        if (k == 0)
            candle.open = candle.high = candle.low = trade.price;
        candle.high = trade.price > candle.high ? trade.price : candle.high;
        candle.low = trade.price < candle.low ? trade.price : candle.low;
        candle.close = trade.price;
        candle.volume += trade.size;
        candle.turnover += (int128)trade.size * trade.price;
    }
    return candle;
}

static void assert_same_candle(const struct market_candle *left, const struct market_candle *right)
{
    assert_int_equal(left->open, right->open);
    assert_int_equal(left->high, right->high);
    assert_int_equal(left->low, right->low);
    assert_int_equal(left->close, right->close);
    assert_true(left->volume == right->volume);
    assert_true(left->turnover == right->turnover);
}

static void a_minute_candle_is_the_aggregate_of_its_trades(void **state)
{
    static const char *const names[] = {"BTC-USDT", "BABYDOGE-USDT", "PEPE-USDT", "FOO-EUR"};
    int64_t number = market_minute_of_time(NOON_MS);

    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct instrument *instrument = instruments_of(names[n]);
        for (size_t i = 0; i < RATE_CASES; i++) {
            struct market market = market_of(&rate_cases[i]);
            for (int64_t m = number; m < number + rate_cases[i].minutes; m++) {
                struct market_minute minute = market_minute_at(&market, instrument, m);
                struct market_candle whole = market_minute_candle(&market, instrument, m);
                struct market_candle built = candle_from_trades(&minute);
                if (minute.count > 0)
                    assert_same_candle(&whole, &built);
            }
        }
        free(instrument);
    }
}

static void a_minute_without_trades_is_flat_at_the_last_price(void **state)
{
    struct market market = {.seed = 1, .micro_rate = 1000};
    struct instrument *instrument = instruments_of("SOL-USDT");
    int64_t flat = 0, last_price = -1;

    (void)state;
    for (int64_t m = 3600000; m < 3600400; m++) {
        struct market_minute minute = market_minute_at(&market, instrument, m);
        struct market_candle candle = market_minute_candle(&market, instrument, m);
        if (minute.count == 0 && last_price >= 0) {
            assert_int_equal(candle.open, last_price);
            assert_int_equal(candle.high, last_price);
            assert_int_equal(candle.low, last_price);
            assert_true(candle.volume == 0);
            assert_true(candle.turnover == 0);
            flat++;
        }
        if (minute.count > 0)
            last_price = market_minute_trade(&minute, minute.count - 1).price;
        if (last_price >= 0)
            assert_int_equal(candle.close, last_price);
    }
    assert_true(flat > 100);
    free(instrument);
}

static void longer_bars_are_the_aggregate_of_their_minutes(void **state)
{
    struct instrument *instrument = instruments_of("BTC-USDT");

    (void)state;
    for (size_t i = 0; i < RATE_CASES; i++) {
        struct market market = market_of(&rate_cases[i]);
        struct market_candle hour = market_candle_between(
            &market, instrument, NOON_MS, NOON_MS + 60 * MARKET_MINUTE_MS, INT64_MAX);
        struct market_candle built = {.low = INT64_MAX};
        bool has_opened = false;
        for (int64_t m = 0; m < 60; m++) {
            struct market_candle one =
                market_minute_candle(&market, instrument, market_minute_of_time(NOON_MS) + m);
            if (one.volume > 0 && !has_opened)
                built.open = one.open;
            has_opened = has_opened || one.volume > 0;
            if (one.volume > 0) {
                built.high = one.high > built.high ? one.high : built.high;
                built.low = one.low < built.low ? one.low : built.low;
            }
            built.close = one.close;
            built.volume += one.volume;
            built.turnover += one.turnover;
        }
        assert_same_candle(&hour, &built);
    }
    free(instrument);
}

static void a_candle_cut_in_time_holds_the_trades_up_to_then(void **state)
{
    struct market market = {.seed = 5, .micro_rate = 3000000};
    struct instrument *instrument = instruments_of("XRP-USDT");
    int64_t number = market_minute_of_time(NOON_MS);
    struct market_minute minute = market_minute_at(&market, instrument, number);

    (void)state;
    for (int64_t cut_ms = NOON_MS; cut_ms < NOON_MS + MARKET_MINUTE_MS; cut_ms += 777) {
        struct market_candle candle =
            market_candle_between(&market, instrument, NOON_MS, NOON_MS + MARKET_MINUTE_MS, cut_ms);
        int64_t executed = market_executed(&market, instrument, cut_ms) - minute.first_index;
        struct market_minute begun = minute;
        int128 volume = 0;
        for (int64_t k = 0; k < executed; k++)
            volume += market_minute_trade(&begun, k).size;
        assert_true(candle.volume == volume);
        if (executed > 0)
            assert_int_equal(candle.close, market_minute_trade(&begun, executed - 1).price);
        else
            assert_int_equal(candle.close, market_price_before(&market, instrument, number));
        if (executed < minute.count)
            assert_true(market_minute_trade(&begun, executed).time_ms > cut_ms);
    }
    free(instrument);
}

static void one_second_bars_add_up_to_the_minute(void **state)
{
    struct market market = {.seed = 9, .micro_rate = 2000000};
    struct instrument *instrument = instruments_of("TON-USDT");
    struct market_candle minute =
        market_minute_candle(&market, instrument, market_minute_of_time(NOON_MS));
    int64_t close = market_price_before(&market, instrument, market_minute_of_time(NOON_MS));
    int128 volume = 0;

    (void)state;
    for (int64_t s = 0; s < 60; s++) {
        struct market_candle one = market_candle_between(&market, instrument, NOON_MS + s * 1000,
                                                         NOON_MS + s * 1000 + 1000, INT64_MAX);
        if (one.volume == 0)
            assert_int_equal(one.open, close);
        close = one.close;
        volume += one.volume;
    }
    assert_true(volume == minute.volume);
    assert_int_equal(close, minute.close);
    free(instrument);
}

static void the_same_seed_gives_the_same_market_and_another_another(void **state)
{
    struct market market = {.seed = 1, .micro_rate = 10000000}, other = market;
    struct instrument *instruments = instruments_of("BTC-USDT,ETH-USDT");
    struct market_minute first = market_minute_at(&market, &instruments[0], 3000000);
    struct market_minute again = market_minute_at(&market, &instruments[0], 3000000);

    (void)state;
    other.seed = 2;
    assert_memory_equal(&first, &again, sizeof first);
    assert_int_not_equal(first.hash, market_minute_at(&other, &instruments[0], 3000000).hash);
    assert_int_not_equal(first.hash, market_minute_at(&market, &instruments[1], 3000000).hash);
    free(instruments);
}

static void prices_move_but_stay_near_the_base_price(void **state)
{
    struct market market = {.seed = 11, .micro_rate = 1000000};
    struct instrument *instrument = instruments_of("BTC-USDT");
    int64_t lowest = INT64_MAX, highest = 0;

    (void)state;
    for (int64_t day = 0; day < 7 * 365; day++) {
        struct market_candle candle = market_minute_candle(&market, instrument, day * 1440);
        struct market_candle next = market_minute_candle(&market, instrument, day * 1440 + 1);
        int64_t jump = next.open - candle.close;
        assert_true(llabs(jump) <= 1); /* a minute begins where the last one ended */
        lowest = candle.low < lowest ? candle.low : lowest;
        highest = candle.high > highest ? candle.high : highest;
    }
    assert_true(lowest > instrument->base_price / 2);
    assert_true(highest < instrument->base_price * 3 / 2);
    assert_true(highest - lowest > instrument->base_price / 10);
    free(instrument);
}

static void nothing_is_traded_before_the_listing(void **state)
{
    struct market market = {.seed = 1, .micro_rate = 10000000};
    struct instrument *instrument = instruments_of("NEW-USDT@2026-11-23T12:00:00Z");
    int64_t first = market_first_index(&market, market_minute_of_time(NOON_MS));

    (void)state;
    assert_int_equal(market_listed_index(&market, instrument), first);
    assert_int_equal(market_executed(&market, instrument, NOON_MS - 1), first);
    assert_int_equal(market_executed(&market, instrument, NOON_MS + MARKET_MINUTE_MS - 1),
                     first + 600);
    assert_int_equal(
        market_candle_between(&market, instrument, NOON_MS - 1800000, NOON_MS + 1800000,
                              NOON_MS + MARKET_MINUTE_MS - 1)
            .open,
        market_minute_candle(&market, instrument, market_minute_of_time(NOON_MS)).open);
    free(instrument);
}

static void a_rate_of_zero_is_a_market_without_trades(void **state)
{
    struct market market = {.seed = 1, .micro_rate = 0};
    struct instrument *instrument = instruments_of("BTC-USDT");
    struct market_candle hour =
        market_candle_between(&market, instrument, NOON_MS, NOON_MS + 3600000, INT64_MAX);

    (void)state;
    assert_int_equal(market_executed(&market, instrument, NOON_MS), 0);
    assert_true(hour.volume == 0);
    assert_true(hour.open > 0 && hour.open == hour.close);
    free(instrument);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_contiguous_from_minute_to_minute),
        cmocka_unit_test(the_rate_holds_over_years),
        cmocka_unit_test(trades_of_a_minute_are_in_order_and_within_it),
        cmocka_unit_test(trades_of_one_order_share_time_and_side),
        cmocka_unit_test(a_minute_candle_is_the_aggregate_of_its_trades),
        cmocka_unit_test(a_minute_without_trades_is_flat_at_the_last_price),
        cmocka_unit_test(longer_bars_are_the_aggregate_of_their_minutes),
        cmocka_unit_test(a_candle_cut_in_time_holds_the_trades_up_to_then),
        cmocka_unit_test(one_second_bars_add_up_to_the_minute),
        cmocka_unit_test(the_same_seed_gives_the_same_market_and_another_another),
        cmocka_unit_test(prices_move_but_stay_near_the_base_price),
        cmocka_unit_test(nothing_is_traded_before_the_listing),
        cmocka_unit_test(a_rate_of_zero_is_a_market_without_trades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
