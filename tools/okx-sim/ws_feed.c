#include "ws_feed.h"

#include <string.h>

#include "okx_json.h"
#include "trade_aggregate.h"

#define CANDLE_CHANNEL "candle"
enum { CANDLE_PUSH_INTERVAL_MS = 1000, CANDLE_CATCH_UP_MAX = 100 };

static bool find_channel(struct ws_feed *feed, enum ws_path path, const char *name)
{
    if (path == WS_PATH_PUBLIC) {
        feed->channel = WS_CHANNEL_TRADES;
        return strcmp(name, "trades") == 0;
    }
    if (strcmp(name, "trades-all") == 0) {
        feed->channel = WS_CHANNEL_TRADES_ALL;
        return true;
    }
    if (strncmp(name, CANDLE_CHANNEL, strlen(CANDLE_CHANNEL)) != 0)
        return false;
    feed->channel = WS_CHANNEL_CANDLE;
    feed->bar = candle_bar_find(name + strlen(CANDLE_CHANNEL));
    return feed->bar != NULL;
}

bool ws_feed_open(struct ws_feed *feed, struct ws_hub *hub, enum ws_path path, const char *channel,
                  const char *inst_id, struct instant now)
{
    struct ws_feed opened = {.open_time_ms = -1};
    int instrument = tape_find(hub->tape, text_view_of(inst_id));

    if (instrument < 0 || !find_channel(&opened, path, channel))
        return false;
    opened.instrument = (size_t)instrument;
    opened.next_index = tape_executed(hub->tape, opened.instrument, now.wall_ms);
    *feed = opened;
    return true;
}

bool ws_feed_is_same(const struct ws_feed *a, const struct ws_feed *b)
{
    return a->channel == b->channel && a->instrument == b->instrument && a->bar == b->bar;
}

/* --- candles --------------------------------------------------------------------------------- */

static bool is_candle_due(const struct ws_feed *feed, struct ws_hub *hub, struct instant now)
{
    int64_t time_ms = tape_time(hub->tape, now.wall_ms);

    if (time_ms < tape_instrument(hub->tape, feed->instrument)->listed_ms)
        return false;
    return feed->open_time_ms < 0 || instant_monotonic_ms(now) >= feed->next_push_ms ||
           time_ms >= candle_bar_next(feed->bar, feed->open_time_ms);
}

/* A bar is shown every second, then once more, confirmed, when it is over. */
static void append_candle(struct ws_feed *feed, struct ws_hub *hub, struct instant now,
                          struct buf *scratch, struct buf *out)
{
    const struct instrument *instrument = tape_instrument(hub->tape, feed->instrument);
    int64_t time_ms = tape_time(hub->tape, now.wall_ms), end_ms;
    int64_t current_ms = candle_bar_floor(feed->bar, time_ms);
    struct market_candle candle;

    if (feed->open_time_ms < 0 ||
        candle_bar_count(feed->bar, feed->open_time_ms, current_ms) > CANDLE_CATCH_UP_MAX)
        feed->open_time_ms = current_ms;
    end_ms = candle_bar_next(feed->bar, feed->open_time_ms);
    candle = market_candle_between(tape_market(hub->tape), instrument, feed->open_time_ms, end_ms,
                                   time_ms);
    buf_reset(scratch);
    buf_append_format(scratch, "{\"arg\":{\"channel\":\"candle%s\",\"instId\":\"%s\"},\"data\":[",
                      feed->bar->name, instrument->inst_id);
    okx_json_candle(scratch, instrument, &candle, time_ms >= end_ms);
    buf_append_text(scratch, "]}");
    ws_hub_append_data(hub, out, scratch);
    feed->next_push_ms = instant_monotonic_ms(now) + CANDLE_PUSH_INTERVAL_MS;
    if (time_ms >= end_ms) {
        feed->open_time_ms = end_ms;
        feed->next_push_ms = 0;
    }
}

/* --- trades ---------------------------------------------------------------------------------- */

static void append_data_head(struct buf *scratch, const char *channel, const char *inst_id)
{
    buf_reset(scratch);
    buf_append_text(scratch, "{\"arg\":{\"channel\":\"");
    buf_append_text(scratch, channel);
    buf_append_text(scratch, "\",\"instId\":\"");
    buf_append_text(scratch, inst_id);
    buf_append_text(scratch, "\"},\"data\":[");
}

/* Sends what begins at next_index and steps over it. */
static void append_trade(struct ws_feed *feed, struct ws_hub *hub, int64_t end_index,
                         struct buf *scratch, struct buf *out)
{
    const struct instrument *instrument = tape_instrument(hub->tape, feed->instrument);

    if (feed->channel == WS_CHANNEL_TRADES) {
        struct trade_aggregate aggregate =
            trade_aggregate_at(hub->tape, feed->instrument, feed->next_index, end_index);
        append_data_head(scratch, "trades", instrument->inst_id);
        okx_json_aggregate(scratch, instrument, &aggregate);
        feed->next_index += aggregate.count;
        hub->trades_sent += aggregate.count;
    } else {
        struct market_trade trade = tape_trade(hub->tape, feed->instrument, feed->next_index);
        append_data_head(scratch, "trades-all", instrument->inst_id);
        okx_json_trade(scratch, instrument, &trade);
        feed->next_index++;
        hub->trades_sent++;
    }
    if (hub->faults->odd_count > 0) {
        hub->faults->odd_count--;
        scratch->length--; /* the brace of the trade, which goes on */
        buf_append_text(scratch, ",\"unheardOf\":\"\"}");
    }
    buf_append_text(scratch, "]}");
    ws_hub_append_data(hub, out, scratch);
}

static void append_trades(struct ws_feed *feed, struct ws_hub *hub, struct instant now,
                          size_t max_bytes, struct buf *scratch, struct buf *out)
{
    int64_t end = tape_executed(hub->tape, feed->instrument, now.wall_ms);

    while (feed->next_index < end && out->length < max_bytes) {
        if (tape_visibility_of(hub->tape, feed->instrument, feed->next_index) == TAPE_VISIBLE)
            append_trade(feed, hub, end, scratch, out);
        else
            feed->next_index++;
    }
}

/* --- both ------------------------------------------------------------------------------------ */

bool ws_feed_is_due(const struct ws_feed *feed, struct ws_hub *hub, struct instant now)
{
    if (feed->channel == WS_CHANNEL_CANDLE)
        return is_candle_due(feed, hub, now);
    return feed->next_index < tape_executed(hub->tape, feed->instrument, now.wall_ms);
}

void ws_feed_append(struct ws_feed *feed, struct ws_hub *hub, struct instant now, size_t max_bytes,
                    struct buf *scratch, struct buf *out)
{
    if (feed->channel != WS_CHANNEL_CANDLE) {
        append_trades(feed, hub, now, max_bytes, scratch, out);
        return;
    }
    while (out->length < max_bytes && is_candle_due(feed, hub, now))
        append_candle(feed, hub, now, scratch, out);
}

int64_t ws_feed_lag_ms(const struct ws_feed *feed, struct ws_hub *hub, struct instant now)
{
    int64_t due_ms;

    if (feed->channel == WS_CHANNEL_CANDLE || !ws_feed_is_due(feed, hub, now))
        return 0;
    due_ms = tape_trade(hub->tape, feed->instrument, feed->next_index).time_ms;
    if (due_ms < hub->backlog_since_ms)
        due_ms = hub->backlog_since_ms;
    return now.wall_ms - due_ms;
}
