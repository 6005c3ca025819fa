/*
 * What the simulator knows of a spot instrument: its units, a price to start from, its ids. Pure.
 * The well-known ones have OKX's tick and lot; any other BASE-QUOTE gets plausible ones.
 */
#ifndef OKX_SIM_INSTRUMENT_H
#define OKX_SIM_INSTRUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"

enum { INSTRUMENT_ID_BYTES = 40, INSTRUMENT_COUNT_MAX = 2000 };

struct instrument {
    char inst_id[INSTRUMENT_ID_BYTES];
    char base_ccy[INSTRUMENT_ID_BYTES];
    char quote_ccy[INSTRUMENT_ID_BYTES];
    int tick_decimals; /* the price step is 10^-tick_decimals */
    int lot_decimals;
    int min_size_decimals;  /* minSz is 10^-min_size_decimals; negative: 10^n */
    int64_t base_price;     /* ticks */
    int64_t base_size;      /* lots */
    int64_t inst_id_code;   /* OKX's own number for it */
    int64_t first_trade_id; /* the id of the trade with index 0 */
    int64_t listed_ms;      /* no trade and no candle before; a whole minute */
    uint64_t hash;          /* tells its market from the others' */
};

/*
 * Reads "BTC-USDT,ETH-USDT"; a name may say when it was listed: "NEW-USDT@2026-11-01".
 * Returns the number of instruments in *instruments, which the caller frees, or -1: ERR_CONFIG.
 */
int instrument_list_parse(struct text_view list, struct instrument **instruments,
                          struct err *err) MUST_CHECK;

#endif
