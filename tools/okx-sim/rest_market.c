#include "rest_market.h"

#include "domain/candle_bar.h"
#include "okx_json.h"

enum {
    TRADES_LIMIT_MAX = 500,
    HISTORY_TRADES_LIMIT_MAX = 100,
    CANDLES_LIMIT_MAX = 300,
    LIMIT_DEFAULT = 100,
};
#define HISTORY_TRADES_REACH_MS (INT64_C(90) * 24 * 3600 * 1000)

static int find_instrument(const struct rest_market_view *view, const struct http_request *request,
                           struct err *err)
{
    const char *inst_id = http_request_parameter(request, "instId");
    int found;

    if (!inst_id || !*inst_id)
        return err_set(err, ERR_CONFIG, "instId");
    found = tape_find(view->tape, text_view_of(inst_id));
    if (found < 0)
        return err_set(err, ERR_NOT_FOUND, "%s", inst_id);
    return found;
}

/* OKX cuts a limit above its maximum instead of refusing it. */
static int read_limit(const struct http_request *request, int64_t max, int64_t *limit,
                      struct err *err)
{
    if (http_request_int(request, "limit", LIMIT_DEFAULT, 1, INT64_MAX, limit, err) != 0)
        return -1;
    if (*limit > max)
        *limit = max;
    return 0;
}

/* Rows of the trades in [begin, end), newest first, without the lost ones. */
static void append_trades(const struct rest_market_view *view, size_t instrument, int64_t begin,
                          int64_t end, int64_t limit, struct buf *out)
{
    int64_t rows = 0;

    for (int64_t i = end - 1; i >= begin && rows < limit; i--) {
        struct market_trade trade;
        if (tape_visibility_of(view->tape, instrument, i) == TAPE_LOST)
            continue;
        trade = tape_trade(view->tape, instrument, i);
        if (rows++ > 0)
            buf_append_char(out, ',');
        okx_json_rest_trade(out, tape_instrument(view->tape, instrument), &trade);
    }
}

int rest_market_trades(const struct rest_market_view *view, const struct http_request *request,
                       struct buf *out, struct err *err)
{
    int instrument = find_instrument(view, request, err);
    int64_t limit, end, begin;

    if (instrument < 0 || read_limit(request, TRADES_LIMIT_MAX, &limit, err) != 0)
        return -1;
    end = tape_executed(view->tape, (size_t)instrument, view->view_ms);
    begin = market_listed_index(tape_market(view->tape),
                                tape_instrument(view->tape, (size_t)instrument));
    append_trades(view, (size_t)instrument, begin, end, limit, out);
    return 0;
}

struct index_range {
    int64_t begin, end;
};

/* Cuts the range at the exclusive cursors of the request. */
static int apply_cursors(const struct rest_market_view *view, const struct http_request *request,
                         size_t instrument, struct index_range *range, struct err *err)
{
    int64_t type, after, before;

    if (http_request_int(request, "type", 1, 1, 2, &type, err) != 0 ||
        http_request_int(request, "after", INT64_MAX, 0, INT64_MAX, &after, err) != 0 ||
        http_request_int(request, "before", -1, 0, INT64_MAX - 1, &before, err) != 0)
        return -1;
    if (type == 2) {
        if (before >= 0)
            return err_set(err, ERR_UNSUPPORTED, "before");
        if (after <= view->view_ms)
            range->end = tape_executed(view->tape, instrument, after - 1);
        return 0;
    }
    after = after == INT64_MAX ? after : tape_index_of_id(view->tape, instrument, after);
    before = before < 0 ? before : tape_index_of_id(view->tape, instrument, before);
    if (after < range->end)
        range->end = after;
    if (before >= range->begin)
        range->begin = before + 1;
    return 0;
}

int rest_market_history_trades(const struct rest_market_view *view,
                               const struct http_request *request, struct buf *out, struct err *err)
{
    int found = find_instrument(view, request, err);
    size_t instrument = (size_t)found;
    struct index_range range;
    int64_t limit;

    if (found < 0 || read_limit(request, HISTORY_TRADES_LIMIT_MAX, &limit, err) != 0)
        return -1;
    range.begin = market_executed(tape_market(view->tape), tape_instrument(view->tape, instrument),
                                  view->now_ms - HISTORY_TRADES_REACH_MS);
    range.end = tape_executed(view->tape, instrument, view->view_ms);
    if (apply_cursors(view, request, instrument, &range, err) != 0)
        return -1;
    append_trades(view, instrument, range.begin, range.end, limit, out);
    return 0;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The oldest open time that the endpoint shows. */
static int64_t oldest_open(const struct candle_bar *bar, int64_t newest_ms, int64_t bars_max,
                           int64_t listed_ms)
{
    int64_t first_ms = candle_bar_floor(bar, listed_ms);
    int64_t open_ms = bars_max > 0 ? candle_bar_floor(bar, newest_ms) : first_ms;

    for (int64_t i = 1; i < bars_max && open_ms > first_ms; i++)
        open_ms = candle_bar_floor(bar, open_ms - 1);
    return max_i64(open_ms, first_ms);
}

int rest_market_candles(const struct rest_market_view *view, const struct http_request *request,
                        int64_t bars_max, struct buf *out, struct err *err)
{
    int instrument = find_instrument(view, request, err);
    const char *name = http_request_parameter(request, "bar");
    const struct candle_bar *bar = candle_bar_find(name && *name ? name : "1m");
    int64_t limit, after, before, oldest_ms, newest_ms, rows = 0;
    const struct instrument *traded;

    if (instrument < 0)
        return -1;
    if (!bar)
        return err_set(err, ERR_PROTOCOL, "bar");
    if (read_limit(request, CANDLES_LIMIT_MAX, &limit, err) != 0 ||
        http_request_int(request, "after", INT64_MAX, 0, INT64_MAX, &after, err) != 0 ||
        http_request_int(request, "before", -1, 0, INT64_MAX - 1, &before, err) != 0)
        return -1;
    traded = tape_instrument(view->tape, (size_t)instrument);
    newest_ms = tape_time(view->tape, view->view_ms);
    oldest_ms = max_i64(oldest_open(bar, newest_ms, bars_max, traded->listed_ms), before + 1);
    if (after <= newest_ms)
        newest_ms = after - 1;
    for (int64_t open_ms = candle_bar_floor(bar, newest_ms);
         newest_ms >= oldest_ms && open_ms >= oldest_ms && rows < limit; rows++) {
        int64_t end_ms = candle_bar_next(bar, open_ms);
        int64_t until_ms = tape_time(view->tape, view->view_ms);
        struct market_candle candle =
            market_candle_between(tape_market(view->tape), traded, open_ms, end_ms, until_ms);
        if (rows > 0)
            buf_append_char(out, ',');
        okx_json_candle(out, traded, &candle, until_ms >= end_ms);
        open_ms = candle_bar_floor(bar, open_ms - 1);
    }
    return 0;
}
