/* OKX's "trades" channel merges neighbouring trades of one taker order at one price and source. */
#ifndef OKX_SIM_TRADE_AGGREGATE_H
#define OKX_SIM_TRADE_AGGREGATE_H

#include "tape.h"

struct trade_aggregate {
    struct market_trade last; /* its size is the sum */
    int64_t count;
    int64_t seq_id; /* rises with the trade, but is no key */
};

/*
 * Merges the trades that begin at index, which must be visible, and end before end_index.
 * The next aggregate begins at last.index + 1.
 */
struct trade_aggregate trade_aggregate_at(struct tape *tape, size_t instrument, int64_t index,
                                          int64_t end_index);

#endif
