#include "sample_trade.h"

#include <stdio.h>

/* A price as OKX sends it: this many decimals, around this value. */
struct instrument {
    const char *name;
    int64_t price; /* in units of the last decimal */
    int decimals;
};

static const struct instrument instruments[SAMPLE_INSTRUMENTS] = {
    {"BTC-USDT", 639215, 1}, {"ETH-USDT", 318042, 2},   {"TON-USDT", 5231, 3},
    {"SOL-USDT", 14873, 2},  {"XRP-USDT", 23417, 4},    {"DOGE-USDT", 161234, 6},
    {"ADA-USDT", 6721, 4},   {"AVAX-USDT", 2893, 2},    {"LINK-USDT", 14381, 3},
    {"DOT-USDT", 5512, 3},   {"PEPE-USDT", 112340, 10}, {"SHIB-USDT", 24310, 9},
    {"LTC-USDT", 8317, 2},   {"BCH-USDT", 4521, 1},     {"UNI-USDT", 8123, 3},
    {"APT-USDT", 9412, 3},   {"SUI-USDT", 34127, 4},    {"ARB-USDT", 7813, 4},
    {"OP-USDT", 18234, 4},   {"NEAR-USDT", 5178, 3},
};

/* The finaliser of SplitMix64: as random as prices look, and repeatable. */
static uint64_t scramble(uint64_t number)
{
    number += UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

static struct decimal decimal_of(int64_t digits, int decimals)
{
    struct decimal value = {.unscaled = digits};

    for (int i = decimals; i < DECIMAL_SCALE; i++)
        value.unscaled *= 10;
    return value;
}

struct trade sample_trade(int64_t number, int64_t start_ms)
{
    const struct instrument *instrument = &instruments[number % SAMPLE_INSTRUMENTS];
    uint64_t chance = scramble((uint64_t)number);
    int64_t time_ms = start_ms + number / SAMPLE_TRADES_PER_MS;
    struct trade trade = {
        .trade_id = 1000000000 + number / SAMPLE_INSTRUMENTS,
        .price = decimal_of(instrument->price + (int64_t)(chance % 1000), instrument->decimals),
        .size = decimal_of(1 + (int64_t)(chance >> 20 & 0xFFFFF), (int)(chance >> 40 & 7)),
        .side = chance >> 50 & 1 ? TRADE_SIDE_SELL : TRADE_SIDE_BUY,
        .event_time_ms = time_ms,
        .count = {.present = true, .value = 1},
        .source = "0",
        .sequence_id = {.present = true, .value = 5000000000 + number},
        .origin = ORIGIN_STREAM,
        .received_at_us = time_ms * 1000 + 3217,
    };

    (void)snprintf(trade.inst_id, sizeof trade.inst_id, "%s", instrument->name);
    return trade;
}
