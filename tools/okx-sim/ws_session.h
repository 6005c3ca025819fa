/*
 * One WebSocket connection as OKX treats it: requests, acknowledgements, errors, feeds, limits
 * (okx-v5.md, section 2). Knows no socket: bytes in, frames out. One thread's.
 */
#ifndef OKX_SIM_WS_SESSION_H
#define OKX_SIM_WS_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "hostile_frame.h"
#include "instant.h"
#include "ws_feed.h"
#include "ws_hub.h"

struct ws_session;

enum { WS_MESSAGE_BYTES_MAX = 64 * 1024 };
#define WS_CLOSE_TOO_LONG 1009
#define WS_DROP           (-1) /* end without a close frame */

/* Joins the hub's list. hub must outlive it. */
struct ws_session *ws_session_create(struct ws_hub *hub, enum ws_path path,
                                     struct instant now) MUST_CHECK;
void ws_session_destroy(struct ws_session *session);
struct ws_session *ws_session_next(const struct ws_session *session);
/* The connection that the session belongs to; never looked at here. */
void ws_session_set_owner(struct ws_session *session, void *owner);
void *ws_session_owner(const struct ws_session *session);

/* A whole text message arrived. */
void ws_session_on_message(struct ws_session *session, const char *text, size_t length,
                           struct instant now);
bool ws_session_has_output(const struct ws_session *session, struct instant now);
/* Appends frames, each whole, up to about max_bytes. */
void ws_session_append_output(struct ws_session *session, struct instant now, size_t max_bytes,
                              struct buf *out);

/* The close code that ends the connection now, WS_DROP, or 0 to go on; looks at the idle time and
 * at a reader that is too slow. *reason is set with a code. */
int ws_session_end(struct ws_session *session, struct instant now, const char **reason);
/* Sends this before anything else; one at a time. */
void ws_session_be_hostile(struct ws_session *session, const struct hostile_frame *frame);
/* From now on ws_session_end says this. */
void ws_session_request_end(struct ws_session *session, int code, const char *reason);
/* Sends notice 64008; the end comes at end_ms (monotonic). */
void ws_session_announce_end(struct ws_session *session, int64_t end_ms);
/* Sends trades and candles so much later than they happen. */
void ws_session_delay(struct ws_session *session, int64_t delay_ms);

#endif
