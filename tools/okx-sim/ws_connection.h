/* One WebSocket connection of libwebsockets: carries bytes to and from a ws_session. The service
 * thread's. */
#ifndef OKX_SIM_WS_CONNECTION_H
#define OKX_SIM_WS_CONNECTION_H

#include <libwebsockets.h>

#include "base/buf.h"
#include "instant.h"
#include "ws_session.h"

/* Zeroed memory is a valid, unused one. */
struct ws_connection {
    struct ws_session *session;
    struct buf message; /* of the client, until its last fragment is here */
    bool is_ending;
};

/* On LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: returns what the callback shall return. */
int ws_connection_confirm(struct lws *wsi, struct ws_hub *hub, struct instant now);
void ws_connection_open(struct ws_connection *connection, struct lws *wsi, struct ws_hub *hub,
                        struct instant now);
void ws_connection_close(struct ws_connection *connection);
/* On LWS_CALLBACK_RECEIVE and LWS_CALLBACK_SERVER_WRITEABLE; the same about the return. out is
 * working memory. */
int ws_connection_receive(struct ws_connection *connection, struct lws *wsi, const void *bytes,
                          size_t length, struct instant now);
int ws_connection_write(struct ws_connection *connection, struct lws *wsi, struct instant now,
                        struct buf *out);
/* Now and then: lets every connection of the hub send what fell due, and ends those that are over.
 */
void ws_connection_tick(struct ws_hub *hub, struct instant now);

#endif
