/* One HTTP connection of libwebsockets: reads requests, sends replies. The service thread's. */
#ifndef OKX_SIM_HTTP_EXCHANGE_H
#define OKX_SIM_HTTP_EXCHANGE_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "http_request.h"

/* Zeroed memory is a valid, unused one; a connection has one at a time, one after the other. */
struct http_exchange {
    struct http_reply reply;
    size_t sent; /* bytes of the reply's body */
    bool is_used, has_sent_head, is_chunked;
};

/* From LWS_CALLBACK_HTTP on: path is what the callback was given. */
void http_exchange_read(struct lws *wsi, const char *path, struct http_request *request);
/* Readies the exchange for a new reply, to be filled by the caller. */
struct http_reply *http_exchange_begin(struct http_exchange *exchange);
/* Sends the reply, now or after delay_ms. Returns what the callback shall return. */
int http_exchange_start(struct http_exchange *exchange, struct lws *wsi, int64_t delay_ms);
/* On LWS_CALLBACK_HTTP_WRITEABLE. Returns what the callback shall return. */
int http_exchange_continue(struct http_exchange *exchange, struct lws *wsi);
void http_exchange_clear(struct http_exchange *exchange);

#endif
