/*
 * What we ask of OKX: REST endpoints and paths, subscription frames. Pure.
 * Source: OKX API v5; okx-v5.md, sections 2.3 and 4.1.
 */
#ifndef INGESTOR_OKX_REQUEST_H
#define INGESTOR_OKX_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum okx_endpoint {
    OKX_ENDPOINT_TIME,
    OKX_ENDPOINT_INSTRUMENTS,
    OKX_ENDPOINT_TRADES,
    OKX_ENDPOINT_HISTORY_TRADES,
    OKX_ENDPOINT_CANDLES,
    OKX_ENDPOINT_HISTORY_CANDLES,
    OKX_ENDPOINT_CURRENCIES,
    OKX_ENDPOINT_COUNT,
};

enum {
    OKX_PATH_BYTES = 384,
    OKX_TRADES_LIMIT = 100,         /* more than asked for is waste, though 500 are to be had */
    OKX_HISTORY_TRADES_LIMIT = 100, /* rows a page, as documented */
    OKX_CANDLES_LIMIT = 300,
    OKX_RECENT_BARS = 1440, /* how many market/candles reaches back */
    /* OKX refuses requests over 64 KB; we stay well below. */
    OKX_SUBSCRIBE_BYTES_MAX = 48 * 1024,
};

/* "market/candles": for logs, metrics and dead letters. */
const char *okx_endpoint_name(enum okx_endpoint endpoint);

/* Each writes the path with its query, from /api/v5 on. */
void okx_path_time(char path[OKX_PATH_BYTES]);
void okx_path_spot_instruments(char path[OKX_PATH_BYTES]);
void okx_path_currencies(char path[OKX_PATH_BYTES]);
/* The newest trades, up to limit. */
void okx_path_trades(const char *inst_id, int limit, char path[OKX_PATH_BYTES]);
/* Up to a page of trades with ids below before_id, newest first. */
void okx_path_history_trades(const char *inst_id, int64_t before_id, char path[OKX_PATH_BYTES]);
/* Up to limit candles that open before before_ms, newest first; endpoint is CANDLES or
 * HISTORY_CANDLES. */
void okx_path_candles(enum okx_endpoint endpoint, const char *inst_id, const char *bar,
                      int64_t before_ms, int64_t limit, char path[OKX_PATH_BYTES]);

/* The WebSocket path that serves a channel: trades-all is on /business, trades on /public. */
const char *okx_ws_path(const char *channel);

/*
 * Appends one request for as many of the instruments as fit into out's maximum and returns how
 * many; at least one fits into OKX_SUBSCRIBE_BYTES_MAX. operation: "subscribe" or "unsubscribe".
 * id: letters and digits only (60033 otherwise).
 */
size_t okx_request_write(const char *operation, const char *id, const char *channel,
                         const char *const *inst_ids, size_t count, struct buf *out);

#endif
