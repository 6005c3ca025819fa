#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max_bytes = max_bytes};
}

void buf_clear(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max_bytes);
}

void buf_reset(struct buf *buf)
{
    buf->length = 0;
    buf->overflowed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void *buf_reserve(struct buf *buf, size_t length)
{
    if (buf->overflowed || length > buf->max_bytes - buf->length) {
        buf->overflowed = true;
        return NULL;
    }
    size_t needed = buf->length + length + 1; /* and the NUL */
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
        while (capacity < needed)
            capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
        buf->data = mem_realloc_array(buf->data, capacity, 1);
        buf->capacity = capacity;
        buf->data[buf->length] = '\0';
    }
    return buf->data + buf->length;
}

void buf_advance(struct buf *buf, size_t length)
{
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_consume(struct buf *buf, size_t length)
{
    if (length == 0)
        return;
    if (length > buf->length)
        length = buf->length;
    memmove(buf->data, buf->data + length, buf->length - length);
    buf->length -= length;
    buf->data[buf->length] = '\0';
}

int buf_append(struct buf *buf, const void *bytes, size_t length)
{
    void *room = buf_reserve(buf, length);
    if (!room)
        return -1;
    if (length)
        memcpy(room, bytes, length);
    buf_advance(buf, length);
    return 0;
}

int buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

int buf_append_char(struct buf *buf, char byte)
{
    return buf_append(buf, &byte, 1);
}

int buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int status = buf_append_vformat(buf, format, arguments);
    va_end(arguments);
    return status;
}

int buf_append_vformat(struct buf *buf, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int status = -1;
    int length = vsnprintf(NULL, 0, format, arguments);
    char *room = length < 0 ? NULL : buf_reserve(buf, (size_t)length);
    if (length < 0)
        buf->overflowed = true;
    if (room) {
        vsnprintf(room, (size_t)length + 1, format, again);
        buf_advance(buf, (size_t)length);
        status = 0;
    }
    va_end(again);
    return status;
}

static void append_escape(struct buf *buf, uint8_t byte)
{
    switch (byte) {
    case '"':
        buf_append_text(buf, "\\\"");
        break;
    case '\\':
        buf_append_text(buf, "\\\\");
        break;
    case '\n':
        buf_append_text(buf, "\\n");
        break;
    case '\r':
        buf_append_text(buf, "\\r");
        break;
    case '\t':
        buf_append_text(buf, "\\t");
        break;
    default:
        buf_append_format(buf, "\\u%04x", byte);
    }
}

int buf_append_json_escaped(struct buf *buf, const char *text, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t before = buf->length;
    size_t plain_from = 0; /* what stands as it is, is appended in stretches */
    size_t i = 0;

    while (i < length) {
        uint8_t byte = bytes[i];
        size_t character = utf8_character_bytes(bytes + i, length - i);
        if (character > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
            i += character;
            continue;
        }
        buf_append(buf, text + plain_from, i - plain_from);
        if (character == 0)
            buf_append_text(buf, "\xEF\xBF\xBD");
        else
            append_escape(buf, byte);
        plain_from = ++i;
    }
    buf_append(buf, text + plain_from, length - plain_from);
    if (!buf->overflowed)
        return 0;
    buf->length = before;
    if (buf->data)
        buf->data[before] = '\0';
    return -1;
}

char *buf_take(struct buf *buf)
{
    char *content = buf->data ? buf->data : mem_strdup("");
    buf_init(buf, buf->max_bytes);
    return content;
}
