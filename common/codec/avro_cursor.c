#include "codec/avro_cursor.h"

#include <string.h>

#include "base/utf8.h"

enum {
    VARINT_BYTES_MAX = 10,
    NESTING_MAX = 64, /* of the value; a recursive schema allows any */
};

struct avro_cursor avro_cursor_of(const uint8_t *bytes, size_t length)
{
    return (struct avro_cursor){
        .at = bytes,
        .end = bytes + length,
        .steps_left = AVRO_CURSOR_STEPS_MAX,
    };
}

static size_t remaining(const struct avro_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

int avro_cursor_read_long(struct avro_cursor *cursor, int64_t *value, struct err *err)
{
    const uint8_t *at = cursor->at;
    uint64_t zigzag = 0;

    if (at != cursor->end && *at < 0x80) { /* most lengths, indexes and counts */
        cursor->at = at + 1;
        *value = (int64_t)((*at >> 1) ^ (~(uint64_t)(*at & 1) + 1));
        return 0;
    }
    for (int shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
        if (at == cursor->end)
            return err_set(err, ERR_PROTOCOL, "ends within an integer");
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1)
            break;
        zigzag |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            cursor->at = at;
            *value = (int64_t)((zigzag >> 1) ^ (~(zigzag & 1) + 1));
            return 0;
        }
    }
    return err_set(err, ERR_PROTOCOL, "integer of more than 64 bits");
}

int avro_cursor_read_int(struct avro_cursor *cursor, int32_t *value, struct err *err)
{
    int64_t wide = 0;

    if (avro_cursor_read_long(cursor, &wide, err) != 0)
        return -1;
    if (wide < INT32_MIN || wide > INT32_MAX)
        return err_set(err, ERR_PROTOCOL, "int of more than 32 bits");
    *value = (int32_t)wide;
    return 0;
}

int avro_cursor_read_boolean(struct avro_cursor *cursor, bool *value, struct err *err)
{
    if (cursor->at == cursor->end)
        return err_set(err, ERR_PROTOCOL, "ends before a boolean");
    if (*cursor->at > 1)
        return err_set(err, ERR_PROTOCOL, "boolean is 0x%02x", *cursor->at);
    *value = *cursor->at++ == 1;
    return 0;
}

int avro_cursor_read_fixed(struct avro_cursor *cursor, size_t length, const uint8_t **bytes,
                           struct err *err)
{
    if (length > remaining(cursor))
        return err_set(err, ERR_PROTOCOL, "ends %zu bytes into a value of %zu", remaining(cursor),
                       length);
    *bytes = cursor->at;
    cursor->at += length;
    return 0;
}

int avro_cursor_read_bytes(struct avro_cursor *cursor, struct text_view *view, struct err *err)
{
    const uint8_t *bytes = cursor->at;
    int64_t length = 0;

    if (avro_cursor_read_long(cursor, &length, err) != 0)
        return -1;
    if (length < 0)
        return err_set(err, ERR_PROTOCOL, "negative length");
    if (avro_cursor_read_fixed(cursor, (size_t)length, &bytes, err) != 0)
        return -1;
    *view = (struct text_view){.data = (const char *)bytes, .length = (size_t)length};
    return 0;
}

int avro_cursor_read_string(struct avro_cursor *cursor, struct text_view *view, struct err *err)
{
    struct text_view text = {0};
    size_t at = 0;

    if (avro_cursor_read_bytes(cursor, &text, err) != 0)
        return -1;
    while (at < text.length && text.data[at] != '\0') {
        if ((uint8_t)text.data[at] < 0x80) {
            at++;
            continue;
        }
        size_t bytes = utf8_character_bytes((const uint8_t *)text.data + at, text.length - at);
        if (bytes == 0)
            return err_set(err, ERR_PROTOCOL, "text is no UTF-8 at byte %zu", at);
        at += bytes;
    }
    if (at < text.length)
        return err_set(err, ERR_PROTOCOL, "text holds a NUL at byte %zu", at);
    *view = text;
    return 0;
}

int avro_cursor_read_index(struct avro_cursor *cursor, size_t count, size_t *index, struct err *err)
{
    int64_t value = 0;

    if (avro_cursor_read_long(cursor, &value, err) != 0)
        return -1;
    if (value < 0 || (uint64_t)value >= count)
        return err_set(err, ERR_PROTOCOL, "index %lld of %zu", (long long)value, count);
    *index = (size_t)value;
    return 0;
}

int avro_cursor_read_block(struct avro_cursor *cursor, uint64_t *count, struct err *err)
{
    int64_t items = 0;
    int64_t bytes = 0;

    if (avro_cursor_read_long(cursor, &items, err) != 0)
        return -1;
    if (items >= 0) {
        *count = (uint64_t)items;
        return 0;
    }
    /* A negative count is followed by the size of the block, for those who want to skip it. */
    if (avro_cursor_read_long(cursor, &bytes, err) != 0)
        return -1;
    if (bytes < 0 || (uint64_t)bytes > remaining(cursor))
        return err_set(err, ERR_PROTOCOL, "block of %lld bytes where %zu are left",
                       (long long)bytes, remaining(cursor));
    *count = ~(uint64_t)items + 1;
    return 0;
}

int avro_cursor_step(struct avro_cursor *cursor, struct err *err)
{
    if (cursor->steps_left == 0)
        return err_set(err, ERR_LIMIT, "holds more than %d values", AVRO_CURSOR_STEPS_MAX);
    cursor->steps_left--;
    return 0;
}

static int skip_value(struct avro_cursor *cursor, const struct schema_node *type, int depth,
                      struct err *err);

static int skip_blocks(struct avro_cursor *cursor, const struct schema_node *type, int depth,
                       struct err *err)
{
    struct text_view key = {0};
    uint64_t count = 0;

    do {
        if (avro_cursor_read_block(cursor, &count, err) != 0)
            return -1;
        for (uint64_t i = 0; i < count; i++) {
            if (type->type == SCHEMA_MAP && avro_cursor_read_bytes(cursor, &key, err) != 0)
                return -1;
            if (skip_value(cursor, type->children[0], depth, err) != 0)
                return -1;
        }
    } while (count > 0);
    return 0;
}

static int skip_record(struct avro_cursor *cursor, const struct schema_node *type, int depth,
                       struct err *err)
{
    for (size_t i = 0; i < type->count; i++)
        if (skip_value(cursor, type->children[i], depth, err) != 0)
            return -1;
    return 0;
}

static int skip_union(struct avro_cursor *cursor, const struct schema_node *type, int depth,
                      struct err *err)
{
    size_t branch = 0;

    if (avro_cursor_read_index(cursor, type->count, &branch, err) != 0)
        return -1;
    return skip_value(cursor, type->children[branch], depth, err);
}

static int skip_scalar(struct avro_cursor *cursor, const struct schema_node *type, struct err *err)
{
    struct text_view view = {0};
    const uint8_t *bytes = NULL;
    bool boolean = false;
    int64_t number = 0;
    int32_t small = 0;
    size_t index = 0;

    switch (type->type) {
    case SCHEMA_BOOLEAN:
        return avro_cursor_read_boolean(cursor, &boolean, err);
    case SCHEMA_INT:
        return avro_cursor_read_int(cursor, &small, err);
    case SCHEMA_LONG:
        return avro_cursor_read_long(cursor, &number, err);
    case SCHEMA_FLOAT:
        return avro_cursor_read_fixed(cursor, sizeof(float), &bytes, err);
    case SCHEMA_DOUBLE:
        return avro_cursor_read_fixed(cursor, sizeof(double), &bytes, err);
    case SCHEMA_FIXED:
        return avro_cursor_read_fixed(cursor, type->fixed_bytes, &bytes, err);
    case SCHEMA_BYTES:
    case SCHEMA_STRING:
        return avro_cursor_read_bytes(cursor, &view, err);
    case SCHEMA_ENUM:
        return avro_cursor_read_index(cursor, type->count, &index, err);
    default: /* null */
        return 0;
    }
}

static int skip_value(struct avro_cursor *cursor, const struct schema_node *type, int depth,
                      struct err *err)
{
    if (avro_cursor_step(cursor, err) != 0)
        return -1;
    if (depth == NESTING_MAX)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", NESTING_MAX);
    switch (type->type) {
    case SCHEMA_RECORD:
        return skip_record(cursor, type, depth + 1, err);
    case SCHEMA_UNION:
        return skip_union(cursor, type, depth + 1, err);
    case SCHEMA_ARRAY:
    case SCHEMA_MAP:
        return skip_blocks(cursor, type, depth + 1, err);
    default:
        return skip_scalar(cursor, type, err);
    }
}

int avro_cursor_skip(struct avro_cursor *cursor, const struct schema_node *type, struct err *err)
{
    return skip_value(cursor, type, 0, err);
}

void avro_put_long(struct buf *out, int64_t value)
{
    uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t length = 0;

    while (zigzag > 0x7F) {
        bytes[length++] = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    bytes[length++] = (uint8_t)zigzag;
    (void)buf_append(out, bytes, length);
}

void avro_put_bytes(struct buf *out, const void *bytes, size_t length)
{
    avro_put_long(out, (int64_t)length);
    (void)buf_append(out, bytes, length);
}
