/* One bar of one instrument. Pure. */
#ifndef DOMAIN_CANDLE_H
#define DOMAIN_CANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/trade.h"

enum { CANDLE_BAR_BYTES = 16 };

struct candle {
    char inst_id[INST_ID_BYTES];
    char bar[CANDLE_BAR_BYTES]; /* OKX's name: "1m" minute, "1M" month, "1Dutc" */
    int64_t open_time_ms;
    struct decimal open, high, low, close;
    struct decimal volume;                         /* base currency for SPOT, contracts otherwise */
    struct optional_decimal volume_currency;       /* OKX's volCcy */
    struct optional_decimal volume_currency_quote; /* OKX's volCcyQuote */
    bool is_confirmed;                             /* the bar is over and final */
    enum origin origin;
    int64_t received_at_us;
    struct extra_fields extra; /* columns beyond the ninth, named by their index */
};

void candle_clear(struct candle *candle);

#endif
