#include "ws_frame.h"

enum { FINAL = 0x80, LENGTH_16_BITS = 126, LENGTH_64_BITS = 127 };

void ws_frame_append_header(struct buf *out, enum ws_opcode opcode, bool is_final, uint64_t length)
{
    unsigned char header[10] = {(unsigned char)((is_final ? FINAL : 0) | opcode),
                                (unsigned char)length};
    size_t length_bytes = 0;

    if (length > UINT16_MAX) {
        header[1] = LENGTH_64_BITS;
        length_bytes = 8;
    } else if (length >= LENGTH_16_BITS) {
        header[1] = LENGTH_16_BITS;
        length_bytes = 2;
    }
    for (size_t i = 0; i < length_bytes; i++)
        header[2 + i] = (unsigned char)(length >> (8 * (length_bytes - 1 - i)));
    buf_append(out, header, 2 + length_bytes);
}

void ws_frame_append_text(struct buf *out, const char *payload, size_t length)
{
    ws_frame_append_header(out, WS_OPCODE_TEXT, true, length);
    buf_append(out, payload, length);
}
