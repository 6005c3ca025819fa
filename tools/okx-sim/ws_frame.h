/* WebSocket framing as a server writes it, so that many frames leave in one system call. Pure. */
#ifndef OKX_SIM_WS_FRAME_H
#define OKX_SIM_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* RFC 6455, 5.2. */
enum ws_opcode {
    WS_OPCODE_CONTINUATION = 0,
    WS_OPCODE_TEXT = 1,
    WS_OPCODE_BINARY = 2,
    WS_OPCODE_RESERVED = 3,
};

/* Appends what stands before an unmasked payload. */
void ws_frame_append_header(struct buf *out, enum ws_opcode opcode, bool is_final, uint64_t length);
/* Appends one unmasked, final text frame. */
void ws_frame_append_text(struct buf *out, const char *payload, size_t length);

#endif
