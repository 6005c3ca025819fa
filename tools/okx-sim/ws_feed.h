/*
 * One subscription: a cursor into the tape and the frames that it yields. What is not sent yet
 * costs no memory, however slow the reader. Knows neither clock nor socket.
 */
#ifndef OKX_SIM_WS_FEED_H
#define OKX_SIM_WS_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/candle_bar.h"
#include "instant.h"
#include "ws_hub.h"

enum ws_path { WS_PATH_PUBLIC, WS_PATH_BUSINESS };

enum ws_channel { WS_CHANNEL_TRADES, WS_CHANNEL_TRADES_ALL, WS_CHANNEL_CANDLE };

struct ws_feed {
    enum ws_channel channel;
    size_t instrument;
    const struct candle_bar *bar; /* of a candle channel */
    int64_t next_index;           /* of a trades channel: the first trade not sent */
    int64_t open_time_ms;         /* of a candle channel: the bar being shown; -1: none yet */
    int64_t next_push_ms;         /* of a candle channel: monotonic */
};

/* False when the path has no such channel or the tape no such instrument. */
bool ws_feed_open(struct ws_feed *feed, struct ws_hub *hub, enum ws_path path, const char *channel,
                  const char *inst_id, struct instant now);
bool ws_feed_is_same(const struct ws_feed *a, const struct ws_feed *b);
bool ws_feed_is_due(const struct ws_feed *feed, struct ws_hub *hub, struct instant now);
/* Appends what is due as frames, until out holds about max_bytes. scratch is overwritten. */
void ws_feed_append(struct ws_feed *feed, struct ws_hub *hub, struct instant now, size_t max_bytes,
                    struct buf *scratch, struct buf *out);
/* How long the oldest unsent trade has been waiting, through the reader's fault. */
int64_t ws_feed_lag_ms(const struct ws_feed *feed, struct ws_hub *hub, struct instant now);

#endif
