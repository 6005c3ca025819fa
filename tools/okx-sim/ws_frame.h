/* WebSocket framing as a server writes it, so that many frames leave in one system call. Pure. */
#ifndef OKX_SIM_WS_FRAME_H
#define OKX_SIM_WS_FRAME_H

#include <stddef.h>

#include "base/buf.h"

/* Appends one unmasked, final text frame (RFC 6455, 5.2). */
void ws_frame_append_text(struct buf *out, const char *payload, size_t length);

#endif
