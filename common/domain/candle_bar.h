/*
 * OKX's bar sizes: length and alignment. Pure.
 * Times beyond the year 275760 count as that year's, in both directions.
 * Source: OKX API v5, GET / Candlesticks; 6H and longer open at UTC+8 midnight unless named ...utc.
 */
#ifndef DOMAIN_CANDLE_BAR_H
#define DOMAIN_CANDLE_BAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct candle_bar {
    const char *name;    /* "1H" */
    int64_t duration_ms; /* 0 for calendar months: see months */
    int months;          /* 1 or 3 for 1M, 3M and their utc forms, else 0 */
    int64_t offset_ms;   /* bar opens are offset_ms + k * duration_ms since the Unix epoch */
    bool is_utc_plus_8;  /* calendar months begin at UTC+8 midnight */
};

/* NULL for a name that OKX does not have. Case matters. */
const struct candle_bar *candle_bar_find(const char *name);
/* The open time of the bar that holds unix_ms. */
int64_t candle_bar_floor(const struct candle_bar *bar, int64_t unix_ms);
/* The open time of the bar after the one that opens at open_time_ms. */
int64_t candle_bar_next(const struct candle_bar *bar, int64_t open_time_ms);
/* Number of bars that open in [from_ms, to_ms). */
int64_t candle_bar_count(const struct candle_bar *bar, int64_t from_ms, int64_t to_ms);

#endif
