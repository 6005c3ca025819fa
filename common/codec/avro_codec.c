#include "codec/avro_codec.h"

#include <assert.h>
#include <string.h>

#include "base/decimal.h"
#include "codec/avro_cursor.h"
#include "codec/avro_layout.h"
#include "codec/trade_encoder.h"
#include "domain/extra_fields.h"
#include "domain/fetch_result.h"
#include "domain/optional.h"
#include "domain/trade.h"

/* The branches of our nullable fields: ["null", X]. */
enum { BRANCH_NULL = 0, BRANCH_VALUE = 1 };

/* ---- encoding: by our own schema, so the layout's order and types are all there is to know ----
 */

static void put_decimal(struct buf *out, struct decimal value)
{
    uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];

    avro_put_bytes(out, bytes, decimal_to_binary(value, bytes));
}

static void put_boolean(struct buf *out, bool value)
{
    (void)buf_append_char(out, value ? 1 : 0);
}

static void put_symbol(struct buf *out, const struct avro_field *field, const void *at)
{
    int symbol = 0;

    memcpy(&symbol, at, sizeof symbol);
    assert(symbol >= 0 && (size_t)symbol < field->symbol_count);
    if (field->kind == AVRO_FIELD_ENUM)
        avro_put_long(out, symbol);
    else
        avro_put_bytes(out, field->symbols[symbol], strlen(field->symbols[symbol]));
}

static void put_extra(struct buf *out, const struct extra_fields *extra)
{
    if (extra->count > 0)
        avro_put_long(out, (int64_t)extra->count);
    for (size_t i = 0; i < extra->count; i++) {
        avro_put_bytes(out, extra->fields[i].name, strlen(extra->fields[i].name));
        avro_put_bytes(out, extra->fields[i].value, strlen(extra->fields[i].value));
    }
    avro_put_long(out, 0);
}

static void put_ranges(struct buf *out, const struct fetch_range *ranges, size_t count)
{
    if (count > 0)
        avro_put_long(out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        avro_put_long(out, ranges[i].from);
        avro_put_long(out, ranges[i].to);
    }
    avro_put_long(out, 0);
}

/* True when there is a value to put behind the branch. */
static bool put_branch(struct buf *out, bool present)
{
    avro_put_long(out, present ? BRANCH_VALUE : BRANCH_NULL);
    return present;
}

static void put_text(struct buf *out, const struct avro_field *field, const void *at)
{
    const char *text = at;
    size_t length = 0;

    if (field->kind == AVRO_FIELD_OWNED_TEXT) {
        memcpy(&text, at, sizeof text);
        length = text ? strlen(text) : 0;
    } else {
        length = strnlen(text, field->bytes);
    }
    if (field->kind == AVRO_FIELD_TEXT || put_branch(out, length > 0))
        avro_put_bytes(out, text, length);
}

static void put_field(struct buf *out, const struct avro_field *field, const void *record)
{
    const void *at = (const char *)record + field->offset;
    const struct optional_int64 *number = at;
    const struct optional_decimal *decimal = at;
    const struct optional_bool *flag = at;

    switch (field->kind) {
    case AVRO_FIELD_TEXT:
    case AVRO_FIELD_OPTIONAL_TEXT:
    case AVRO_FIELD_OWNED_TEXT:
        put_text(out, field, at);
        break;
    case AVRO_FIELD_SYMBOL_TEXT:
    case AVRO_FIELD_ENUM:
        put_symbol(out, field, at);
        break;
    case AVRO_FIELD_INT64:
        avro_put_long(out, *(const int64_t *)at);
        break;
    case AVRO_FIELD_OPTIONAL_INT64:
        if (put_branch(out, number->present))
            avro_put_long(out, number->value);
        break;
    case AVRO_FIELD_DECIMAL:
        put_decimal(out, *(const struct decimal *)at);
        break;
    case AVRO_FIELD_OPTIONAL_DECIMAL:
        if (put_branch(out, decimal->present))
            put_decimal(out, decimal->value);
        break;
    case AVRO_FIELD_BOOL:
        put_boolean(out, *(const bool *)at);
        break;
    case AVRO_FIELD_OPTIONAL_BOOL:
        if (put_branch(out, flag->present))
            put_boolean(out, flag->value);
        break;
    case AVRO_FIELD_EXTRA:
        put_extra(out, at);
        break;
    case AVRO_FIELD_RANGES:
        put_ranges(out, *(struct fetch_range *const *)at,
                   *(const size_t *)((const char *)record + field->count_offset));
        break;
    }
}

/* False when the trade is none for the short way, or there may be too little room for it. */
static bool put_plain_trade(struct buf *out, const struct trade *trade)
{
    bool has_room = out->max_bytes - out->length >= TRADE_AVRO_BYTES_MAX;
    uint8_t *bytes =
        trade->extra.count == 0 && has_room ? buf_reserve(out, TRADE_AVRO_BYTES_MAX) : NULL;

    if (!bytes)
        return false;
    buf_advance(out, trade_encode(trade, bytes));
    return true;
}

int avro_encode(enum record_kind kind, const void *record, struct buf *out, struct err *err)
{
    const struct avro_layout *layout = avro_layout(kind);
    size_t length_before = out->length;

    if (kind == RECORD_TRADE && put_plain_trade(out, record))
        return 0;

    for (size_t i = 0; i < layout->field_count; i++)
        put_field(out, &layout->fields[i], record);
    if (!out->overflowed)
        return 0;
    out->length = length_before;
    return err_set(err, ERR_LIMIT, "record does not fit into %zu bytes", out->max_bytes);
}

size_t avro_record_bytes(enum record_kind kind)
{
    return avro_layout(kind)->record_bytes;
}

void avro_record_clear(enum record_kind kind, void *record)
{
    const struct avro_layout *layout = avro_layout(kind);

    if (layout->clear)
        layout->clear(record);
}
