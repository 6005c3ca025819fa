#include "market.h"

#include <assert.h>

#include "sim_hash.h"

enum {
    BLOCK = 16,   /* taker orders never cross a block of pairs, so an order is found in O(1) */
    KNOTS = 8,    /* corners of the price path in half a minute */
    OCTAVES = 12, /* of the noise: 1 minute to 8 years */
};

/* What a hash is drawn for; each draw is independent of the others. */
enum purpose {
    FOR_MINUTE = 1,
    FOR_ANCHOR,
    FOR_RANGE,
    FOR_SIZE,
    FOR_KNOT,
    FOR_ORDER,
    FOR_DIRECTION,
    FOR_PAIR_SIZE,
    FOR_SOURCE,
    FOR_TIME,
};

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- how many trades, and when --------------------------------------------------------------- */

int64_t market_first_index(const struct market *market, int64_t minute)
{
    return (int64_t)((int128)minute * market->micro_rate * 60 / MARKET_RATE_UNIT);
}

int64_t market_minute_of_index(const struct market *market, int64_t index)
{
    int128 rate = (int128)market->micro_rate * 60;

    return (int64_t)(((int128)(index + 1) * MARKET_RATE_UNIT + rate - 1) / rate) - 1;
}

int64_t market_minute_of_time(int64_t time_ms)
{
    return (time_ms - MARKET_EPOCH_MS) / MARKET_MINUTE_MS;
}

static int64_t listed_minute(const struct instrument *instrument)
{
    return market_minute_of_time(instrument->listed_ms);
}

int64_t market_listed_index(const struct market *market, const struct instrument *instrument)
{
    return market_first_index(market, listed_minute(instrument));
}

/* --- prices ---------------------------------------------------------------------------------- */

static uint64_t market_key(const struct market *market, const struct instrument *instrument)
{
    return sim_hash_mix(market->seed) ^ instrument->hash;
}

struct anchors {
    int64_t open,
        close; /* the prices, in ticks, that the market passes as the minute begins, ends */
};

static int64_t anchor_price(const struct instrument *instrument, int64_t noise)
{
    return instrument->base_price + (int64_t)((int128)instrument->base_price * noise / 1000000000);
}

/*
 * Value noise, in 10^-9 of the base price: octaves of 1, 4, 16, ... minutes with amplitudes that
 * double, as a random walk's spread does, but bounded. A minute never straddles two corners.
 */
static struct anchors anchors_at(uint64_t key, const struct instrument *instrument, int64_t minute)
{
    int64_t open = 0, close = 0, amplitude = 100000;

    for (int octave = 0; octave < OCTAVES; octave++, amplitude *= 2) {
        int64_t period = INT64_C(1) << (2 * octave);
        int64_t corner = minute / period, within = minute % period;
        uint64_t corner_key = (key ^ FOR_ANCHOR) + ((uint64_t)octave << 56) + (uint64_t)corner;
        int64_t left = sim_hash_symmetric(sim_hash_mix(corner_key), amplitude);
        int64_t rise = sim_hash_symmetric(sim_hash_mix(corner_key + 1), amplitude) - left;
        open += left + rise * within / period;
        close += left + rise * (within + 1) / period;
    }
    return (struct anchors){.open = anchor_price(instrument, open),
                            .close = anchor_price(instrument, close)};
}

static void set_prices(struct market_minute *minute, struct anchors anchors,
                       const struct instrument *instrument)
{
    int64_t open = anchors.open, close = anchors.close;
    uint64_t draw = sim_hash(minute->hash, FOR_RANGE, 0);
    int64_t pairs = minute->count / 2;

    if ((open + close) % 2 != 0)
        close++; /* so that the mid price is a whole tick */
    minute->mid = (open + close) / 2;
    minute->extreme = -1;
    if (minute->count < 2)
        return;
    minute->offset = open - minute->mid;
    minute->range = minute->offset < 0 ? -minute->offset : minute->offset;
    if (pairs < 2)
        return;
    minute->range += 1 + (int64_t)(draw % (uint64_t)(instrument->base_price / 4000 + 2));
    minute->extreme = 1 + (int64_t)((draw >> 32) % (uint64_t)(pairs - 1));
    minute->is_high_first = (draw >> 31) & 1;
}

struct market_minute market_minute_at(const struct market *market,
                                      const struct instrument *instrument, int64_t minute)
{
    uint64_t key = market_key(market, instrument);
    struct market_minute result = {
        .minute = minute,
        .first_index = market_first_index(market, minute),
        .hash = sim_hash(key, FOR_MINUTE, (uint64_t)minute),
    };
    uint64_t size_draw = sim_hash(result.hash, FOR_SIZE, 0);

    result.count = market_first_index(market, minute + 1) - result.first_index;
    result.size = 1 + instrument->base_size / 4 +
                  (int64_t)(size_draw % (uint64_t)(instrument->base_size * 2));
    set_prices(&result, anchors_at(key, instrument, minute), instrument);
    return result;
}

/* --- trades ---------------------------------------------------------------------------------- */

/* The taker order of a pair, as the first and last pair that belong to it. */
struct taker_order {
    int64_t first, last;
};

static uint32_t order_starts(const struct market_minute *minute, int64_t block)
{
    uint64_t draw = sim_hash(minute->hash, FOR_ORDER, (uint64_t)block);
    uint32_t bits = (uint32_t)draw & 0xffff, others = (uint32_t)(draw >> 16) & 0xffff;
    uint32_t starts = 0;

    switch ((draw >> 32) & 7) {
    case 0: /* one order takes the whole block */
        break;
    case 1:
    case 2:
        starts = bits & others;
        break;
    case 3:
    case 4:
    case 5:
        starts = bits;
        break;
    default:
        starts = bits | others;
        break;
    }
    if (minute->extreme >= 0 && minute->extreme / BLOCK == block)
        starts |= UINT32_C(3) << (minute->extreme % BLOCK); /* an order of its own */
    return (starts | 1) & 0xffff;
}

static struct taker_order order_of(const struct market_minute *minute, int64_t pair)
{
    int64_t block = pair / BLOCK, base = block * BLOCK;
    uint32_t starts = order_starts(minute, block);
    int first = (int)(pair % BLOCK), after = first + 1;

    while (!(starts >> first & 1))
        first--;
    while (after < BLOCK && !(starts >> after & 1))
        after++;
    return (struct taker_order){
        .first = base + first,
        .last = min_i64(base + after, minute->count / 2) - 1,
    };
}

/* A broken line from the open to the mid price, in ticks from mid. */
static int64_t path_at(const struct market_minute *minute, int64_t pair)
{
    int64_t pairs = minute->count / 2;
    int64_t scaled = pair * KNOTS, knot, within, ends[2];

    assert(pairs > 0);
    knot = scaled / pairs;
    within = scaled % pairs;
    for (int64_t i = 0; i < 2; i++) {
        if (knot + i == 0)
            ends[i] = minute->offset;
        else if (knot + i == KNOTS)
            ends[i] = 0;
        else
            ends[i] = sim_hash_symmetric(sim_hash(minute->hash, FOR_KNOT, (uint64_t)(knot + i)),
                                         minute->range);
    }
    return ends[0] + (ends[1] - ends[0]) * within / pairs;
}

/* The price of a pair's first trade in ticks from mid; its mirror image is as far on the other
 * side. An order walks the book: later trades of a buy are never cheaper. */
static int64_t pair_offset(const struct market_minute *minute, int64_t pair,
                           struct taker_order order, uint64_t direction)
{
    uint32_t steps = (uint32_t)(direction >> 8) & (uint32_t)(direction >> 24) &
                     (uint32_t)((UINT64_C(1) << (pair - order.first)) - 1);
    int64_t walked = __builtin_popcount(steps);

    if (pair == 0)
        return minute->offset;
    if (pair == minute->extreme)
        return minute->is_high_first ? minute->range : -minute->range;
    walked = path_at(minute, order.first) + (direction & 1 ? walked : -walked);
    return max_i64(-minute->range, min_i64(minute->range, walked));
}

static int64_t pair_size(const struct market_minute *minute, int64_t pair)
{
    int64_t spread;

    if (pair == minute->count / 2 - 1 && pair % 2 == 0)
        return minute->size; /* has no partner to balance it */
    spread = (int64_t)(sim_hash(minute->hash, FOR_PAIR_SIZE, (uint64_t)(pair / 2)) %
                       (uint64_t)minute->size);
    return pair % 2 == 0 ? minute->size + spread : minute->size - spread;
}

/* Of the order that begins at position; rises with it, since each has a slot of its own. */
static int64_t order_time_ms(const struct market_minute *minute, int64_t position)
{
    uint64_t draw = sim_hash(minute->hash, FOR_TIME, (uint64_t)position) & 0xffff;
    uint64_t slot = ((uint64_t)position << 16) + draw;

    return MARKET_EPOCH_MS + minute->minute * MARKET_MINUTE_MS +
           (int64_t)(slot * MARKET_MINUTE_MS / (uint64_t)minute->count >> 16);
}

static int64_t order_position(const struct market_minute *minute, int64_t position)
{
    int64_t pairs = minute->count / 2, mirror = minute->count - 1 - position;

    if (position < pairs)
        return order_of(minute, position).first;
    if (mirror < pairs)
        return minute->count - 1 - order_of(minute, mirror).last;
    return position;
}

struct market_trade market_minute_trade(const struct market_minute *minute, int64_t position)
{
    int64_t mirror = minute->count - 1 - position;
    int64_t pair = min_i64(position, mirror), first = position;
    uint64_t source = sim_hash(minute->hash, FOR_SOURCE, (uint64_t)position);
    struct market_trade trade = {
        .index = minute->first_index + position,
        .price = minute->mid,
        .size = minute->size,
        .source = source % 64 == 0 ? '1' : '0',
    };

    assert(position >= 0 && position < minute->count);
    if (pair != mirror || pair != position) {
        struct taker_order order = order_of(minute, pair);
        uint64_t direction = sim_hash(minute->hash, FOR_DIRECTION, (uint64_t)order.first);
        int64_t offset = pair_offset(minute, pair, order, direction);
        trade.price += position == pair ? offset : -offset;
        trade.size = pair_size(minute, pair);
        trade.is_buy = direction & 1;
        first = position == pair ? order.first : minute->count - 1 - order.last;
    } else {
        trade.is_buy = source >> 32 & 1;
    }
    trade.order_index = minute->first_index + first;
    trade.time_ms = order_time_ms(minute, first);
    return trade;
}

int64_t market_minute_executed(const struct market_minute *minute, int64_t until_ms)
{
    int64_t low = 0, high = minute->count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (order_time_ms(minute, order_position(minute, middle)) <= until_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t market_executed(const struct market *market, const struct instrument *instrument,
                        int64_t until_ms)
{
    struct market_minute minute;

    if (until_ms < instrument->listed_ms)
        return market_listed_index(market, instrument);
    minute = market_minute_at(market, instrument, market_minute_of_time(until_ms));
    return minute.first_index + market_minute_executed(&minute, until_ms);
}

/* --- candles --------------------------------------------------------------------------------- */

int64_t market_price_before(const struct market *market, const struct instrument *instrument,
                            int64_t minute)
{
    int64_t index = market_first_index(market, minute);
    struct market_minute last;

    if (index <= market_listed_index(market, instrument))
        return anchors_at(market_key(market, instrument), instrument, listed_minute(instrument))
            .open;
    last = market_minute_at(market, instrument, market_minute_of_index(market, index - 1));
    return last.mid - last.offset;
}

static struct market_candle flat_candle(int64_t open_time_ms, int64_t price)
{
    return (struct market_candle){
        .open_time_ms = open_time_ms, .open = price, .high = price, .low = price, .close = price};
}

static struct market_candle candle_of(const struct market_minute *minute)
{
    int128 volume = (int128)minute->count * minute->size;

    return (struct market_candle){
        .open_time_ms = MARKET_EPOCH_MS + minute->minute * MARKET_MINUTE_MS,
        .open = minute->mid + minute->offset,
        .high = minute->mid + minute->range,
        .low = minute->mid - minute->range,
        .close = minute->mid - minute->offset,
        .volume = volume,
        .turnover = volume * minute->mid,
    };
}

struct market_candle market_minute_candle(const struct market *market,
                                          const struct instrument *instrument, int64_t minute)
{
    struct market_minute whole = market_minute_at(market, instrument, minute);

    if (whole.count > 0)
        return candle_of(&whole);
    return flat_candle(MARKET_EPOCH_MS + minute * MARKET_MINUTE_MS,
                       market_price_before(market, instrument, minute));
}

/* candle grows by what came after it; a candle without volume has traded nothing yet. */
static void merge(struct market_candle *candle, const struct market_candle *later)
{
    if (later->volume == 0)
        return;
    if (candle->volume == 0) {
        candle->open = later->open;
        candle->high = later->high;
        candle->low = later->low;
    }
    candle->high = max_i64(candle->high, later->high);
    candle->low = min_i64(candle->low, later->low);
    candle->close = later->close;
    candle->volume += later->volume;
    candle->turnover += later->turnover;
}

static void merge_trades(struct market_candle *candle, const struct market_minute *minute,
                         int64_t from_ms, int64_t until_ms)
{
    int64_t end = market_minute_executed(minute, until_ms);

    for (int64_t i = market_minute_executed(minute, from_ms - 1); i < end; i++) {
        struct market_trade trade = market_minute_trade(minute, i);
        struct market_candle one = flat_candle(0, trade.price);
        one.volume = trade.size;
        one.turnover = (int128)trade.size * trade.price;
        merge(candle, &one);
    }
}

/* The price just before from_ms, which may lie within a minute. */
static int64_t price_before_ms(const struct market *market, const struct instrument *instrument,
                               int64_t from_ms)
{
    int64_t number = market_minute_of_time(from_ms);

    if ((from_ms - MARKET_EPOCH_MS) % MARKET_MINUTE_MS != 0) {
        struct market_minute minute = market_minute_at(market, instrument, number);
        int64_t executed = market_minute_executed(&minute, from_ms - 1);
        if (executed > 0)
            return market_minute_trade(&minute, executed - 1).price;
    }
    return market_price_before(market, instrument, number);
}

struct market_candle market_candle_between(const struct market *market,
                                           const struct instrument *instrument, int64_t from_ms,
                                           int64_t to_ms, int64_t until_ms)
{
    int64_t begin_ms = max_i64(from_ms, instrument->listed_ms);
    struct market_candle candle =
        flat_candle(from_ms, price_before_ms(market, instrument, begin_ms));
    int64_t last_ms = min_i64(to_ms - 1, until_ms);
    int64_t end = market_minute_of_time(last_ms);

    for (int64_t i = market_minute_of_time(begin_ms); i <= end && last_ms >= begin_ms; i++) {
        struct market_minute minute = market_minute_at(market, instrument, i);
        int64_t open_ms = MARKET_EPOCH_MS + i * MARKET_MINUTE_MS;
        if (minute.count == 0)
            continue;
        if (open_ms >= begin_ms && open_ms + MARKET_MINUTE_MS - 1 <= last_ms) {
            struct market_candle whole = candle_of(&minute);
            merge(&candle, &whole);
        } else {
            merge_trades(&candle, &minute, begin_ms, last_ms);
        }
    }
    return candle;
}
