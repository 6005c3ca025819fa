/*
 * WebSocket connections to OKX over libwebsockets: bytes in, bytes out, nothing of OKX's protocol.
 * One event loop on one thread, which alone may call these functions, except okx_ws_client_wake.
 *
 * permessage-deflate is never offered (libwebsockets' is not reliable), messages are reassembled
 * under a cap, TLS is 1.2 or later with certificate and host name verified, and the text of
 * on_close names what is wrong with them.
 */
#ifndef INGESTOR_OKX_WS_CLIENT_H
#define INGESTOR_OKX_WS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

struct okx_ws_client;
struct okx_ws_link; /* one connection, from the attempt on to its on_close */

enum okx_ws_close_kind {
    OKX_WS_CONNECT_FAILED, /* never opened */
    OKX_WS_CLOSED_BY_PEER, /* with a close frame: code and reason in the text */
    OKX_WS_LOST,           /* gone without a close frame, or closed by us */
};

/* All run on the loop's thread. link_context is what okx_ws_client_connect was given. */
struct okx_ws_handler {
    void (*on_open)(void *link_context);
    /* One whole message, borrowed for the call. */
    void (*on_message)(const char *text, size_t length, void *link_context);
    /* A message over the cap is skipped; text is its beginning, borrowed for the call. */
    void (*on_oversize)(const char *text, size_t length, void *link_context);
    /* Exactly once per link, which is gone afterwards. */
    void (*on_close)(enum okx_ws_close_kind kind, const char *reason, void *link_context);
    /* Every OKX_WS_TURN_MS, and soon after okx_ws_client_wake or on_open; the only place to open
     * links from. */
    void (*on_turn)(void *context);
    void *context;
};

enum { OKX_WS_TURN_MS = 50, OKX_WS_MESSAGE_BYTES_MAX = 1024 * 1024 };

struct okx_ws_options {
    const char *url;     /* ws:// or wss://, host, optional port and path */
    const char *ca_file; /* NULL: the system's certificates */
    const char *user_agent;
};

/* Copies the options. Errors: ERR_CONFIG (malformed url), ERR_SYSTEM. */
struct okx_ws_client *okx_ws_client_create(const struct okx_ws_options *options,
                                           const struct okx_ws_handler *handler,
                                           struct err *err) MUST_CHECK;
/* Closes what is open without calling on_close. Accepts NULL. */
void okx_ws_client_destroy(struct okx_ws_client *client);
/* Serves events until okx_ws_client_stop is called from a callback. */
void okx_ws_client_run(struct okx_ws_client *client);
void okx_ws_client_stop(struct okx_ws_client *client);
/* Makes on_turn run soon. Thread-safe. */
void okx_ws_client_wake(struct okx_ws_client *client);

/* Begins to connect to url + path. Never NULL: failures come as on_close. */
struct okx_ws_link *okx_ws_client_connect(struct okx_ws_client *client, const char *path,
                                          void *link_context) MUST_CHECK;
/* Queues one text message. Copies it. */
void okx_ws_link_send(struct okx_ws_link *link, const char *text, size_t length);
/* While false, the socket is not read and TCP holds the sender back. */
void okx_ws_link_set_reading(struct okx_ws_link *link, bool reads);
/* Ends the connection; on_close follows. */
void okx_ws_link_close(struct okx_ws_link *link);

#endif
