/* The simulator's data as OKX writes it: members in the recorded order, numbers as strings without
 * trailing zeros. Appends to a buf. Pure. */
#ifndef OKX_SIM_OKX_JSON_H
#define OKX_SIM_OKX_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "instrument.h"
#include "market.h"
#include "trade_aggregate.h"

/* units * 10^-decimals, without quotes. */
void okx_json_number(struct buf *out, int128 units, int decimals);
void okx_json_int(struct buf *out, int64_t value);

/* An element of "data": of trades-all, of trades, of the REST answers, of a candle channel. */
void okx_json_trade(struct buf *out, const struct instrument *instrument,
                    const struct market_trade *trade);
void okx_json_aggregate(struct buf *out, const struct instrument *instrument,
                        const struct trade_aggregate *aggregate);
void okx_json_rest_trade(struct buf *out, const struct instrument *instrument,
                         const struct market_trade *trade);
void okx_json_candle(struct buf *out, const struct instrument *instrument,
                     const struct market_candle *candle, bool is_confirmed);
/* A row of public/instruments. */
void okx_json_instrument(struct buf *out, const struct instrument *instrument);
/* A row as OKX shows an instrument that is not open yet: hardly anything is known. */
void okx_json_preopen_instrument(struct buf *out);

#endif
