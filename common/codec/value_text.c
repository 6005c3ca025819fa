#include "codec/value_text.h"

#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"
#include "codec/decimal_text.h"

enum { NESTING_MAX = 64, SECONDS_PER_DAY = 86400 };

struct printer {
    struct buf *out;
    struct avro_cursor *cursor;
    int depth;
};

static int put_value(struct printer *printer, const struct schema_node *type,
                     enum value_style style, struct err *err);

void value_text_append_string(struct buf *out, const char *text, size_t length,
                              enum value_style style)
{
    if (style == VALUE_STYLE_CELL) {
        (void)buf_append(out, text, length);
        return;
    }
    (void)buf_append_char(out, '"');
    (void)buf_append_json_escaped(out, text, length);
    (void)buf_append_char(out, '"');
}

void value_text_append_base64(struct buf *out, const void *bytes, size_t length,
                              enum value_style style)
{
    size_t text_length = (length + 2) / 3 * 4;
    unsigned char *room = NULL;

    if (style == VALUE_STYLE_JSON)
        (void)buf_append_char(out, '"');
    room = buf_reserve(out, text_length);
    if (room) { /* EVP_EncodeBlock ends with NUL, for which buf always has room */
        (void)EVP_EncodeBlock(room, bytes, (int)length);
        buf_advance(out, text_length);
    }
    if (style == VALUE_STYLE_JSON)
        (void)buf_append_char(out, '"');
}

static bool is_text(const void *bytes, size_t length)
{
    json_t *string = json_stringn(bytes, length); /* NULL when it is not */

    json_decref(string);
    return string != NULL && memchr(bytes, '\0', length) == NULL;
}

void value_text_append_foreign(struct buf *out, const void *bytes, size_t length,
                               enum value_style style)
{
    if (!bytes) {
        (void)buf_append_text(out, style == VALUE_STYLE_CELL ? "" : "null");
    } else if (is_text(bytes, length)) {
        value_text_append_string(out, bytes, length, style);
    } else {
        (void)buf_append_text(out, "{\"base64\":");
        value_text_append_base64(out, bytes, length, VALUE_STYLE_JSON);
        (void)buf_append_char(out, '}');
    }
}

static void put_text(struct printer *printer, const char *text, enum value_style style)
{
    value_text_append_string(printer->out, text, strlen(text), style);
}

/* The shortest of the texts that read back as the same number. */
static void put_floating(struct printer *printer, double value, bool is_float,
                         enum value_style style)
{
    char text[40];

    if (!isfinite(value)) { /* JSON has no number for these */
        put_text(printer, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity", style);
        return;
    }
    for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    (void)buf_append_text(printer->out, text);
}

/* Avro's are little-endian, and so is every machine that we run on. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floating-point numbers are copied");

static int put_float(struct printer *printer, enum value_style style, struct err *err)
{
    const uint8_t *bytes = NULL;
    float value = 0;

    if (avro_cursor_read_fixed(printer->cursor, sizeof value, &bytes, err) != 0)
        return -1;
    memcpy(&value, bytes, sizeof value);
    put_floating(printer, (double)value, true, style);
    return 0;
}

static int put_double(struct printer *printer, enum value_style style, struct err *err)
{
    const uint8_t *bytes = NULL;
    double value = 0;

    if (avro_cursor_read_fixed(printer->cursor, sizeof value, &bytes, err) != 0)
        return -1;
    memcpy(&value, bytes, sizeof value);
    put_floating(printer, value, false, style);
    return 0;
}

static int put_int(struct printer *printer, const struct schema_node *type, enum value_style style,
                   struct err *err)
{
    int32_t value = 0;
    struct civil_time date;
    char text[40];

    if (avro_cursor_read_int(printer->cursor, &value, err) != 0)
        return -1;
    if (type->logical_type == SCHEMA_LOGICAL_DATE) {
        date = civil_from_unix_s((int64_t)value * SECONDS_PER_DAY);
        snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day);
        put_text(printer, text, style);
    } else {
        (void)buf_append_format(printer->out, "%d", value);
    }
    return 0;
}

static int put_long(struct printer *printer, const struct schema_node *type, enum value_style style,
                    struct err *err)
{
    char text[RFC3339_BYTES];
    int64_t value = 0;

    if (avro_cursor_read_long(printer->cursor, &value, err) != 0)
        return -1;
    switch (type->logical_type) {
    case SCHEMA_LOGICAL_TIMESTAMP_MILLIS:
        rfc3339_format_ms(value, text);
        put_text(printer, text, style);
        break;
    case SCHEMA_LOGICAL_TIMESTAMP_MICROS:
        rfc3339_format_us(value, text);
        put_text(printer, text, style);
        break;
    default:
        (void)buf_append_format(printer->out, "%lld", (long long)value);
    }
    return 0;
}

/* Bytes and fixed. */
static int put_bytes(struct printer *printer, const struct schema_node *type,
                     enum value_style style, struct err *err)
{
    struct text_view view = {.length = type->fixed_bytes};
    int status = 0;

    if (type->type == SCHEMA_FIXED)
        status = avro_cursor_read_fixed(printer->cursor, type->fixed_bytes,
                                        (const uint8_t **)&view.data, err);
    else
        status = avro_cursor_read_bytes(printer->cursor, &view, err);
    if (status != 0)
        return -1;
    if (type->logical_type != SCHEMA_LOGICAL_DECIMAL) {
        value_text_append_base64(printer->out, view.data, view.length, style);
        return 0;
    }
    if (style == VALUE_STYLE_JSON)
        (void)buf_append_char(printer->out, '"');
    status = decimal_text_append(printer->out, (const uint8_t *)view.data, view.length, type->scale,
                                 err);
    if (style == VALUE_STYLE_JSON)
        (void)buf_append_char(printer->out, '"');
    return status;
}

static int put_record(struct printer *printer, const struct schema_node *type, struct err *err)
{
    (void)buf_append_char(printer->out, '{');
    for (size_t i = 0; i < type->count; i++) {
        if (i > 0)
            (void)buf_append_char(printer->out, ',');
        put_text(printer, type->names[i], VALUE_STYLE_JSON);
        (void)buf_append_char(printer->out, ':');
        if (put_value(printer, type->children[i], VALUE_STYLE_JSON, err) != 0)
            return err_wrap(err, "field %.60s", type->names[i]);
    }
    (void)buf_append_char(printer->out, '}');
    return 0;
}

static int put_map_key(struct printer *printer, struct err *err)
{
    struct text_view key = {0};

    if (avro_cursor_read_string(printer->cursor, &key, err) != 0)
        return -1;
    value_text_append_string(printer->out, key.data, key.length, VALUE_STYLE_JSON);
    (void)buf_append_char(printer->out, ':');
    return 0;
}

/* Arrays and maps. */
static int put_items(struct printer *printer, const struct schema_node *type, struct err *err)
{
    bool is_map = type->type == SCHEMA_MAP;
    bool is_first = true;
    uint64_t count = 0;

    (void)buf_append_char(printer->out, is_map ? '{' : '[');
    do {
        if (avro_cursor_read_block(printer->cursor, &count, err) != 0)
            return -1;
        for (uint64_t i = 0; i < count; i++) {
            if (!is_first)
                (void)buf_append_char(printer->out, ',');
            is_first = false;
            if (is_map && put_map_key(printer, err) != 0)
                return -1;
            if (put_value(printer, type->children[0], VALUE_STYLE_JSON, err) != 0)
                return -1;
        }
    } while (count > 0);
    (void)buf_append_char(printer->out, is_map ? '}' : ']');
    return 0;
}

static int put_union(struct printer *printer, const struct schema_node *type,
                     enum value_style style, struct err *err)
{
    size_t branch = 0;

    if (avro_cursor_read_index(printer->cursor, type->count, &branch, err) != 0)
        return -1;
    return put_value(printer, type->children[branch], style, err);
}

static int put_boolean(struct printer *printer, struct err *err)
{
    bool value = false;

    if (avro_cursor_read_boolean(printer->cursor, &value, err) != 0)
        return -1;
    (void)buf_append_text(printer->out, value ? "true" : "false");
    return 0;
}

static int put_string(struct printer *printer, enum value_style style, struct err *err)
{
    struct text_view text = {0};

    if (avro_cursor_read_string(printer->cursor, &text, err) != 0)
        return -1;
    value_text_append_string(printer->out, text.data, text.length, style);
    return 0;
}

static int put_enum(struct printer *printer, const struct schema_node *type, enum value_style style,
                    struct err *err)
{
    size_t symbol = 0;

    if (avro_cursor_read_index(printer->cursor, type->count, &symbol, err) != 0)
        return -1;
    put_text(printer, type->names[symbol], style);
    return 0;
}

static int put_by_type(struct printer *printer, const struct schema_node *type,
                       enum value_style style, struct err *err)
{
    switch (type->type) {
    case SCHEMA_NULL:
        (void)buf_append_text(printer->out, style == VALUE_STYLE_CELL ? "" : "null");
        return 0;
    case SCHEMA_BOOLEAN:
        return put_boolean(printer, err);
    case SCHEMA_INT:
        return put_int(printer, type, style, err);
    case SCHEMA_LONG:
        return put_long(printer, type, style, err);
    case SCHEMA_FLOAT:
        return put_float(printer, style, err);
    case SCHEMA_DOUBLE:
        return put_double(printer, style, err);
    case SCHEMA_BYTES:
    case SCHEMA_FIXED:
        return put_bytes(printer, type, style, err);
    case SCHEMA_STRING:
        return put_string(printer, style, err);
    case SCHEMA_ENUM:
        return put_enum(printer, type, style, err);
    case SCHEMA_RECORD:
        return put_record(printer, type, err);
    case SCHEMA_ARRAY:
    case SCHEMA_MAP:
        return put_items(printer, type, err);
    case SCHEMA_UNION:
        return put_union(printer, type, style, err);
    }
    return 0;
}

static int put_value(struct printer *printer, const struct schema_node *type,
                     enum value_style style, struct err *err)
{
    int status = 0;

    if (avro_cursor_step(printer->cursor, err) != 0)
        return -1;
    if (printer->depth == NESTING_MAX)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", NESTING_MAX);
    if (printer->out->overflowed)
        return err_set(err, ERR_LIMIT, "text is longer than %zu bytes", printer->out->max_bytes);
    printer->depth++;
    status = put_by_type(printer, type, style, err);
    printer->depth--;
    return status;
}

int value_text_append(struct buf *out, struct avro_cursor *cursor, const struct schema_node *type,
                      enum value_style style, struct err *err)
{
    struct printer printer = {.out = out, .cursor = cursor};

    return put_value(&printer, type, style, err);
}
