#include "codec/avro_decoder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "codec/avro_cursor.h"
#include "codec/avro_layout.h"
#include "codec/writer_schema.h"
#include "domain/extra_fields.h"
#include "domain/fetch_result.h"
#include "domain/optional.h"

/* The writer's fields in the order that it writes them. */
struct decode_step {
    const struct schema_node *type;
    const struct avro_field *field; /* NULL: not ours, skipped */
};

struct avro_decoder {
    const struct avro_layout *layout;
    struct writer_schema *schema;
    struct decode_step *steps;
    size_t step_count;
    void *record; /* decoded into first, so that the caller's stays untouched on failure */
};

static bool is_number(const struct schema_node *type)
{
    return type->type == SCHEMA_INT || type->type == SCHEMA_LONG;
}

static const struct schema_node *record_field(const struct schema_node *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->names[i], name) == 0)
            return record->children[i];
    return NULL;
}

static bool is_array_of_ranges(const struct schema_node *type)
{
    const struct schema_node *item = type->type == SCHEMA_ARRAY ? type->children[0] : NULL;
    const struct schema_node *from = NULL, *to = NULL;

    if (!item || item->type != SCHEMA_RECORD)
        return false;
    from = record_field(item, "from");
    to = record_field(item, "to");
    return from && to && is_number(from) && is_number(to);
}

/* Can values of this type, not a union, be read into the field? */
static bool is_readable(const struct avro_field *field, const struct schema_node *type)
{
    switch (field->kind) {
    case AVRO_FIELD_TEXT:
    case AVRO_FIELD_OPTIONAL_TEXT:
    case AVRO_FIELD_OWNED_TEXT:
    case AVRO_FIELD_SYMBOL_TEXT:
        return type->type == SCHEMA_STRING || type->type == SCHEMA_BYTES;
    case AVRO_FIELD_ENUM:
        return type->type == SCHEMA_ENUM;
    case AVRO_FIELD_INT64:
    case AVRO_FIELD_OPTIONAL_INT64:
        return is_number(type);
    case AVRO_FIELD_DECIMAL:
    case AVRO_FIELD_OPTIONAL_DECIMAL:
        return type->logical_type == SCHEMA_LOGICAL_DECIMAL;
    case AVRO_FIELD_BOOL:
    case AVRO_FIELD_OPTIONAL_BOOL:
        return type->type == SCHEMA_BOOLEAN;
    case AVRO_FIELD_EXTRA:
        return type->type == SCHEMA_MAP && type->children[0]->type == SCHEMA_STRING;
    case AVRO_FIELD_RANGES:
        return is_array_of_ranges(type);
    }
    return false;
}

static int check_type(const struct avro_field *field, const struct schema_node *type,
                      struct err *err)
{
    const struct schema_node *const *types = type->type == SCHEMA_UNION ? type->children : &type;
    size_t count = type->type == SCHEMA_UNION ? type->count : 1;

    for (size_t i = 0; i < count; i++)
        if (types[i]->type != SCHEMA_NULL && !is_readable(field, types[i]))
            return err_set(err, ERR_UNSUPPORTED, "field %s of the writer's schema is a %s",
                           field->name, schema_type_name(types[i]->type));
    return 0;
}

static int compile_steps(struct avro_decoder *decoder, const struct schema_node *root,
                         struct err *err)
{
    const struct avro_layout *layout = decoder->layout;

    if (root->type != SCHEMA_RECORD)
        return err_set(err, ERR_UNSUPPORTED, "writer's schema is a %s, not a record",
                       schema_type_name(root->type));
    for (size_t i = 0; i < layout->field_count; i++)
        if (layout->fields[i].is_required && !record_field(root, layout->fields[i].name))
            return err_set(err, ERR_UNSUPPORTED, "writer's schema lacks the field %s",
                           layout->fields[i].name);
    decoder->steps = mem_calloc(root->count ? root->count : 1, sizeof *decoder->steps);
    decoder->step_count = root->count;
    for (size_t i = 0; i < root->count; i++) {
        const struct avro_field *field = avro_layout_find(layout, root->names[i]);

        if (field && check_type(field, root->children[i], err) != 0)
            return -1;
        decoder->steps[i] = (struct decode_step){.type = root->children[i], .field = field};
    }
    return 0;
}

struct avro_decoder *avro_decoder_create(enum record_kind kind, struct text_view writer_schema,
                                         struct err *err)
{
    struct avro_decoder *decoder = mem_calloc(1, sizeof *decoder);

    decoder->layout = avro_layout(kind);
    decoder->record = mem_calloc(1, decoder->layout->record_bytes);
    decoder->schema = writer_schema_parse(writer_schema, err);
    if (!decoder->schema || compile_steps(decoder, writer_schema_root(decoder->schema), err) != 0) {
        avro_decoder_destroy(decoder);
        return NULL;
    }
    return decoder;
}

void avro_decoder_destroy(struct avro_decoder *decoder)
{
    if (!decoder)
        return;
    free(decoder->record);
    free(decoder->steps);
    writer_schema_destroy(decoder->schema);
    free(decoder);
}

static int read_text(struct avro_cursor *cursor, const struct avro_field *field, void *at,
                     struct err *err)
{
    struct text_view text = {0};

    if (avro_cursor_read_string(cursor, &text, err) != 0)
        return -1;
    if (field->kind == AVRO_FIELD_OWNED_TEXT) {
        char *owned = text.length > 0 ? mem_strndup(text.data, text.length) : NULL;
        memcpy(at, &owned, sizeof owned);
        return 0;
    }
    if (text.length >= field->bytes)
        return err_set(err, ERR_LIMIT, "text of %zu bytes, at most %zu are possible", text.length,
                       field->bytes - 1);
    memcpy(at, text.data, text.length); /* NUL-terminated: the record was zeroed */
    return 0;
}

static int store_symbol(const struct avro_field *field, struct text_view symbol, void *at,
                        struct err *err)
{
    for (size_t i = 0; i < field->symbol_count; i++) {
        int value = (int)i;

        if (!text_view_equals(symbol, field->symbols[i]))
            continue;
        memcpy(at, &value, sizeof value);
        return 0;
    }
    return err_set(err, ERR_PROTOCOL, "unknown value '%.*s'",
                   symbol.length < 40 ? (int)symbol.length : 40, symbol.data);
}

static int read_symbol(struct avro_cursor *cursor, const struct schema_node *type,
                       const struct avro_field *field, void *at, struct err *err)
{
    struct text_view symbol = {0};
    size_t index = 0;

    if (type->type != SCHEMA_ENUM) {
        if (avro_cursor_read_string(cursor, &symbol, err) != 0)
            return -1;
        return store_symbol(field, symbol, at, err);
    }
    if (avro_cursor_read_index(cursor, type->count, &index, err) != 0)
        return -1;
    return store_symbol(field, text_view_of(type->names[index]), at, err);
}

/* Brings a time of the writer's unit to ours. A writer without a logical type means our unit. */
static int convert_time(enum avro_time_unit ours, enum schema_logical_type theirs, int64_t *value,
                        struct err *err)
{
    if (ours == AVRO_TIME_MICROS && theirs == SCHEMA_LOGICAL_TIMESTAMP_MILLIS) {
        if (__builtin_mul_overflow(*value, 1000, value))
            return err_set(err, ERR_OUT_OF_RANGE, "time does not fit microseconds");
    } else if (ours == AVRO_TIME_MILLIS && theirs == SCHEMA_LOGICAL_TIMESTAMP_MICROS) {
        *value = *value / 1000 - (*value % 1000 < 0 ? 1 : 0);
    }
    return 0;
}

static int read_int64(struct avro_cursor *cursor, const struct schema_node *type,
                      enum avro_time_unit unit, int64_t *value, struct err *err)
{
    int64_t number = 0;
    int32_t small = 0;

    if (type->type == SCHEMA_INT) {
        if (avro_cursor_read_int(cursor, &small, err) != 0)
            return -1;
        number = small;
    } else if (avro_cursor_read_long(cursor, &number, err) != 0) {
        return -1;
    }
    if (convert_time(unit, type->logical_type, &number, err) != 0)
        return -1;
    *value = number;
    return 0;
}

static int read_decimal(struct avro_cursor *cursor, const struct schema_node *type,
                        struct decimal *value, struct err *err)
{
    struct text_view view = {0};
    const uint8_t *bytes = NULL;

    if (type->type == SCHEMA_FIXED) {
        if (avro_cursor_read_fixed(cursor, type->fixed_bytes, &bytes, err) != 0)
            return -1;
        return decimal_from_binary(bytes, type->fixed_bytes, type->scale, value, err);
    }
    if (avro_cursor_read_bytes(cursor, &view, err) != 0)
        return -1;
    return decimal_from_binary((const uint8_t *)view.data, view.length, type->scale, value, err);
}

static int read_extra(struct avro_cursor *cursor, struct extra_fields *extra, struct err *err)
{
    struct text_view name = {0}, value = {0};
    uint64_t count = 0;

    do {
        if (avro_cursor_read_block(cursor, &count, err) != 0)
            return -1;
        for (uint64_t i = 0; i < count; i++) {
            if (avro_cursor_read_string(cursor, &name, err) != 0 ||
                avro_cursor_read_string(cursor, &value, err) != 0)
                return -1;
            if (extra_fields_add(extra, name.data, name.length, value.data, value.length) != 0)
                return err_set(err, ERR_LIMIT, "more than %d entries", EXTRA_FIELDS_MAX);
        }
    } while (count > 0);
    return 0;
}

static int read_range(struct avro_cursor *cursor, const struct schema_node *type,
                      struct fetch_range *range, struct err *err)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct schema_node *member = type->children[i];
        int status = 0;

        if (strcmp(type->names[i], "from") == 0)
            status = read_int64(cursor, member, AVRO_TIME_NONE, &range->from, err);
        else if (strcmp(type->names[i], "to") == 0)
            status = read_int64(cursor, member, AVRO_TIME_NONE, &range->to, err);
        else
            status = avro_cursor_skip(cursor, member, err);
        if (status != 0)
            return -1;
    }
    return 0;
}

/* What is read so far is in the record at all times, so that its clear function frees it. */
static int read_ranges(struct avro_cursor *cursor, const struct schema_node *type,
                       struct fetch_range **ranges, size_t *range_count, struct err *err)
{
    uint64_t count = 0;

    do {
        if (avro_cursor_read_block(cursor, &count, err) != 0)
            return -1;
        for (uint64_t i = 0; i < count; i++) {
            struct fetch_range range = {0};

            if (*range_count == FETCH_MISSING_MAX)
                return err_set(err, ERR_LIMIT, "more than %d entries", FETCH_MISSING_MAX);
            if (read_range(cursor, type->children[0], &range, err) != 0)
                return -1;
            if ((*range_count & (*range_count - 1)) == 0) /* room is always a power of two */
                *ranges = mem_realloc_array(*ranges, *range_count ? *range_count * 2 : 1,
                                            sizeof **ranges);
            (*ranges)[(*range_count)++] = range;
        }
    } while (count > 0);
    return 0;
}

/* type is no union any more, and is_readable. */
static int read_value(struct avro_cursor *cursor, const struct schema_node *type,
                      const struct avro_field *field, void *record, struct err *err)
{
    void *at = (char *)record + field->offset;
    struct optional_int64 *number = at;
    struct optional_decimal *decimal = at;
    struct optional_bool *flag = at;

    switch (field->kind) {
    case AVRO_FIELD_TEXT:
    case AVRO_FIELD_OPTIONAL_TEXT:
    case AVRO_FIELD_OWNED_TEXT:
        return read_text(cursor, field, at, err);
    case AVRO_FIELD_SYMBOL_TEXT:
    case AVRO_FIELD_ENUM:
        return read_symbol(cursor, type, field, at, err);
    case AVRO_FIELD_INT64:
        return read_int64(cursor, type, field->unit, at, err);
    case AVRO_FIELD_OPTIONAL_INT64:
        number->present = true;
        return read_int64(cursor, type, field->unit, &number->value, err);
    case AVRO_FIELD_DECIMAL:
        return read_decimal(cursor, type, at, err);
    case AVRO_FIELD_OPTIONAL_DECIMAL:
        decimal->present = true;
        return read_decimal(cursor, type, &decimal->value, err);
    case AVRO_FIELD_BOOL:
        return avro_cursor_read_boolean(cursor, at, err);
    case AVRO_FIELD_OPTIONAL_BOOL:
        flag->present = true;
        return avro_cursor_read_boolean(cursor, &flag->value, err);
    case AVRO_FIELD_EXTRA:
        return read_extra(cursor, at, err);
    case AVRO_FIELD_RANGES:
        return read_ranges(cursor, type, at, (size_t *)((char *)record + field->count_offset), err);
    }
    return 0;
}

static int read_field(struct avro_cursor *cursor, const struct decode_step *step, void *record,
                      struct err *err)
{
    const struct schema_node *type = step->type;
    size_t branch = 0;

    if (type->type == SCHEMA_UNION) {
        if (avro_cursor_read_index(cursor, type->count, &branch, err) != 0)
            return -1;
        type = type->children[branch];
    }
    if (type->type != SCHEMA_NULL)
        return read_value(cursor, type, step->field, record, err);
    if (step->field->is_required)
        return err_set(err, ERR_PROTOCOL, "is null");
    return 0;
}

static int read_record(struct avro_decoder *decoder, struct avro_cursor *cursor, struct err *err)
{
    const struct schema_node *root = writer_schema_root(decoder->schema);

    for (size_t i = 0; i < decoder->step_count; i++) {
        const struct decode_step *step = &decoder->steps[i];
        int status = step->field ? read_field(cursor, step, decoder->record, err)
                                 : avro_cursor_skip(cursor, step->type, err);
        if (status != 0)
            return err_wrap(err, "field %.60s", root->names[i]);
    }
    if (cursor->at != cursor->end)
        return err_set(err, ERR_PROTOCOL, "%zu bytes behind the record",
                       (size_t)(cursor->end - cursor->at));
    return 0;
}

int avro_decode(struct avro_decoder *decoder, const uint8_t *bytes, size_t length, void *record,
                struct err *err)
{
    const struct avro_layout *layout = decoder->layout;
    struct avro_cursor cursor = avro_cursor_of(bytes, length);

    memset(decoder->record, 0, layout->record_bytes);
    if (read_record(decoder, &cursor, err) != 0) {
        if (layout->clear)
            layout->clear(decoder->record);
        return -1;
    }
    memcpy(record, decoder->record, layout->record_bytes);
    return 0;
}
