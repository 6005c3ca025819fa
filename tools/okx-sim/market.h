/*
 * The market as a pure function of (seed, rate, instrument): every trade that was or will be
 * executed, with no stored history. Prices count ticks, sizes count lots. Pure.
 *
 * Minute m since 2020-01-01T00:00Z holds floor((m+1) r) - floor(m r) trades, r trades per minute,
 * so trades have a contiguous index since the epoch and a trade id is first_trade_id + index.
 *
 * Within a minute the trades are mirrored about its middle: trade k and trade count-1-k have the
 * same size, and prices equally far above and below the minute's mid price. Sizes come in pairs
 * that add up to twice the average. Hence volume = count * average and turnover = mid * volume, and
 * a minute's candle needs no look at its trades, yet agrees with them exactly.
 */
#ifndef OKX_SIM_MARKET_H
#define OKX_SIM_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/decimal.h"
#include "instrument.h"

#define MARKET_EPOCH_MS  INT64_C(1577836800000) /* 2020-01-01T00:00Z */
#define MARKET_MINUTE_MS INT64_C(60000)
enum { MARKET_RATE_UNIT = 1000000, MARKET_RATE_MAX = 100000 };

struct market {
    uint64_t seed;
    int64_t micro_rate; /* trades per 10^6 seconds and instrument; at most 10^11 */
};

struct market_trade {
    int64_t index; /* since the epoch */
    int64_t price; /* ticks */
    int64_t size;  /* lots */
    int64_t time_ms;
    int64_t order_index; /* index of the first trade of the same taker order */
    bool is_buy;
    char source; /* '0', or '1' for liquidity of the RPI kind */
};

/* What all trades of one minute share. */
struct market_minute {
    int64_t minute;
    int64_t first_index;
    int64_t count;
    int64_t mid;     /* ticks; average price by volume */
    int64_t offset;  /* open = mid + offset, close = mid - offset */
    int64_t range;   /* high = mid + range, low = mid - range */
    int64_t extreme; /* position, in the first half, of a trade at one end of the range; -1: none */
    int64_t size;    /* average, lots */
    bool is_high_first;
    uint64_t hash;
};

struct market_candle {
    int64_t open_time_ms;
    int64_t open, high, low, close; /* ticks */
    int128 volume;                  /* lots */
    int128 turnover;                /* ticks * lots */
};

/* Index of the first trade of a minute, counted since the epoch. */
int64_t market_first_index(const struct market *market, int64_t minute);
/* The minute that holds the trade. */
int64_t market_minute_of_index(const struct market *market, int64_t index);
int64_t market_minute_of_time(int64_t time_ms);

struct market_minute market_minute_at(const struct market *market,
                                      const struct instrument *instrument, int64_t minute);
/* position in [0, count). */
struct market_trade market_minute_trade(const struct market_minute *minute, int64_t position);
/* How many of the minute's trades have time_ms <= until_ms. */
int64_t market_minute_executed(const struct market_minute *minute, int64_t until_ms);
/* Index of the first trade after until_ms: all before it are executed. */
int64_t market_executed(const struct market *market, const struct instrument *instrument,
                        int64_t until_ms);
/* Index of the first trade at or after the listing. */
int64_t market_listed_index(const struct market *market, const struct instrument *instrument);

/* The last price before the minute; the price of the listing when there was no trade yet. */
int64_t market_price_before(const struct market *market, const struct instrument *instrument,
                            int64_t minute);
/* The whole minute as a candle; flat at the last price if it has no trade. */
struct market_candle market_minute_candle(const struct market *market,
                                          const struct instrument *instrument, int64_t minute);
/*
 * The trades with from_ms <= time_ms < to_ms and time_ms <= until_ms as one candle; flat at the
 * last price if there are none. A bar may open before the listing, but must end after it.
 */
struct market_candle market_candle_between(const struct market *market,
                                           const struct instrument *instrument, int64_t from_ms,
                                           int64_t to_ms, int64_t until_ms);

#endif
