/*
 * The trades that every figure is measured with: number i is always the same, so a topic, a table
 * and a prepared file can be filled with the same ones apart from each other. Pure.
 *
 * Twenty instruments take turns, each with contiguous ids; prices and sizes have the digits of
 * OKX's; a trade is made every 0.1 ms, ids and times go up together.
 */
#ifndef BENCH_SAMPLE_TRADE_H
#define BENCH_SAMPLE_TRADE_H

#include <stdint.h>

#include "domain/trade.h"

enum { SAMPLE_INSTRUMENTS = 20, SAMPLE_TRADES_PER_MS = 10 };

/* start_ms: Unix time of trade 0. */
struct trade sample_trade(int64_t number, int64_t start_ms);

#endif
