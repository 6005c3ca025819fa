#include "copy_binary.h"

#include <endian.h>
#include <string.h>

#include "numeric_binary.h"

enum { LENGTH_BYTES = 4, JSONB_VERSION = 1 };

static void put_int16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof value);
}

static void put_int32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static void put_int64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof value);
}

static void append_int16(struct buf *out, uint16_t value)
{
    uint8_t *at = buf_reserve(out, sizeof value);

    if (!at)
        return;
    put_int16(at, value);
    buf_advance(out, sizeof value);
}

static void append_int32(struct buf *out, uint32_t value)
{
    uint8_t *at = buf_reserve(out, sizeof value);

    if (!at)
        return;
    put_int32(at, value);
    buf_advance(out, sizeof value);
}

void copy_begin(struct buf *out)
{
    static const char header[] = "PGCOPY\n\377\r\n\0" /* signature */
                                 "\0\0\0\0"           /* flags */
                                 "\0\0\0"; /* extension length; the literal's NUL ends it */

    buf_append(out, header, sizeof header);
}

void copy_row(struct buf *out, int column_count)
{
    append_int16(out, (uint16_t)column_count);
}

void copy_end(struct buf *out)
{
    append_int16(out, UINT16_MAX);
}

void copy_null(struct buf *out)
{
    append_int32(out, UINT32_MAX);
}

void copy_text(struct buf *out, const char *text)
{
    size_t length;
    uint8_t *at;

    if (!text) {
        copy_null(out);
        return;
    }
    length = strlen(text);
    at = buf_reserve(out, LENGTH_BYTES + length);
    if (!at)
        return;
    put_int32(at, (uint32_t)length);
    memcpy(at + LENGTH_BYTES, text, length);
    buf_advance(out, LENGTH_BYTES + length);
}

void copy_text_or_null(struct buf *out, const char *text)
{
    copy_text(out, text && *text ? text : NULL);
}

void copy_bool(struct buf *out, bool value)
{
    append_int32(out, 1);
    buf_append_char(out, (char)value);
}

void copy_int64(struct buf *out, int64_t value)
{
    uint8_t *at = buf_reserve(out, LENGTH_BYTES + sizeof value);

    if (!at)
        return;
    put_int32(at, sizeof value);
    put_int64(at + LENGTH_BYTES, (uint64_t)value);
    buf_advance(out, LENGTH_BYTES + sizeof value);
}

void copy_decimal(struct buf *out, struct decimal value)
{
    uint8_t *at = buf_reserve(out, LENGTH_BYTES + NUMERIC_BINARY_BYTES_MAX);
    size_t length;

    if (!at)
        return;
    length = numeric_binary_write(value, at + LENGTH_BYTES);
    put_int32(at, (uint32_t)length);
    buf_advance(out, LENGTH_BYTES + length);
}

void copy_time_ms(struct buf *out, int64_t unix_ms)
{
    copy_int64(out, timestamptz_from_unix_ms(unix_ms));
}

void copy_time_us(struct buf *out, int64_t unix_us)
{
    copy_int64(out, timestamptz_from_unix_us(unix_us));
}

void copy_optional_bool(struct buf *out, struct optional_bool value)
{
    if (value.present)
        copy_bool(out, value.value);
    else
        copy_null(out);
}

void copy_optional_int64(struct buf *out, struct optional_int64 value)
{
    if (value.present)
        copy_int64(out, value.value);
    else
        copy_null(out);
}

void copy_optional_decimal(struct buf *out, struct optional_decimal value)
{
    if (value.present)
        copy_decimal(out, value.value);
    else
        copy_null(out);
}

void copy_optional_time_ms(struct buf *out, struct optional_int64 unix_ms)
{
    if (unix_ms.present)
        copy_time_ms(out, unix_ms.value);
    else
        copy_null(out);
}

size_t copy_jsonb_begin(struct buf *out)
{
    size_t start = out->length;

    append_int32(out, 0); /* known at the end */
    buf_append_char(out, JSONB_VERSION);
    return start;
}

void copy_jsonb_end(struct buf *out, size_t start)
{
    if (!out->overflowed)
        put_int32((uint8_t *)out->data + start, (uint32_t)(out->length - start - LENGTH_BYTES));
}

static void append_json_text(struct buf *out, const char *text)
{
    buf_append_char(out, '"');
    while (*text) {
        size_t plain = 0;

        while ((unsigned char)text[plain] >= ' ' && text[plain] != '"' && text[plain] != '\\')
            plain++;
        buf_append(out, text, plain);
        text += plain;
        if (*text == '"' || *text == '\\')
            buf_append_format(out, "\\%c", *text++);
        else if (*text)
            buf_append_format(out, "\\u%04x", (unsigned)*text++);
    }
    buf_append_char(out, '"');
}

void copy_extra_fields(struct buf *out, const struct extra_fields *extra)
{
    size_t start;

    if (extra->count == 0) {
        copy_null(out);
        return;
    }
    start = copy_jsonb_begin(out);
    for (size_t i = 0; i < extra->count; i++) {
        buf_append_char(out, i == 0 ? '{' : ',');
        append_json_text(out, extra->fields[i].name);
        buf_append_char(out, ':');
        append_json_text(out, extra->fields[i].value);
    }
    buf_append_char(out, '}');
    copy_jsonb_end(out, start);
}
