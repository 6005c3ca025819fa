#include "hex_dump.h"

enum { BYTES_PER_LINE = 16 };

static void append_line(struct buf *out, const unsigned char *bytes, size_t offset, size_t count)
{
    (void)buf_append_format(out, "    %08zx ", offset);
    for (size_t i = 0; i < BYTES_PER_LINE; i++) {
        const char *gap = i % 8 == 0 ? " " : "";

        if (i < count)
            (void)buf_append_format(out, "%s%02x ", gap, bytes[offset + i]);
        else
            (void)buf_append_format(out, "%s   ", gap);
    }
    (void)buf_append_text(out, " |");
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = bytes[offset + i];
        (void)buf_append_char(out, byte >= ' ' && byte < 0x7f ? (char)byte : '.');
    }
    (void)buf_append_text(out, "|\n");
}

void hex_dump_append(struct buf *out, const void *bytes, size_t length, size_t bytes_max)
{
    size_t shown = length < bytes_max ? length : bytes_max;

    for (size_t at = 0; at < shown; at += BYTES_PER_LINE)
        append_line(out, bytes, at, shown - at < BYTES_PER_LINE ? shown - at : BYTES_PER_LINE);
    if (shown < length)
        (void)buf_append_format(out, "    ... and %zu bytes more\n", length - shown);
}
