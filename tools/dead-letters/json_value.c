#include "json_value.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "codec/avro_cursor.h"

static int put_value(struct buf *out, const json_t *json, const struct schema_node *type,
                     struct err *err);

static const char *json_kind(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with decimals";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

static int set_mismatch(const json_t *json, const char *wanted, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "is %s where %s belongs", json_kind(json), wanted);
}

static struct text_view text_of(const json_t *json)
{
    return (struct text_view){json_string_value(json), json_string_length(json)};
}

static int put_long(struct buf *out, const json_t *json, const struct schema_node *type,
                    struct err *err)
{
    bool is_millis = type->logical_type == SCHEMA_LOGICAL_TIMESTAMP_MILLIS;
    bool is_micros = type->logical_type == SCHEMA_LOGICAL_TIMESTAMP_MICROS;
    int64_t number = json_integer_value(json);

    if (is_millis || is_micros) {
        if (!json_is_string(json))
            return set_mismatch(json, "a time (\"2026-11-23T08:20:00.123Z\")", err);
        if (is_millis ? rfc3339_parse_ms(text_of(json), &number, err)
                      : rfc3339_parse_us(text_of(json), &number, err))
            return -1;
    } else if (!json_is_integer(json)) {
        return set_mismatch(json, "an integer", err);
    }
    if (type->type == SCHEMA_INT && (number < INT32_MIN || number > INT32_MAX))
        return err_set(err, ERR_OUT_OF_RANGE, "%lld does not fit 32 bits", (long long)number);
    avro_put_long(out, number);
    return 0;
}

static int put_decimal(struct buf *out, const json_t *json, const struct schema_node *type,
                       struct err *err)
{
    uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
    struct decimal value = {0};

    if (!json_is_string(json))
        return set_mismatch(json, "a decimal in quotes (\"63921.5\")", err);
    if (type->scale != DECIMAL_SCALE)
        return err_set(err, ERR_UNSUPPORTED, "decimals of scale %d are not written", type->scale);
    if (decimal_parse(text_of(json), &value, err) != 0)
        return -1;
    avro_put_bytes(out, bytes, decimal_to_binary(value, bytes));
    return 0;
}

static int put_base64(struct buf *out, const json_t *json, struct err *err)
{
    struct text_view text = text_of(json);
    size_t padding = 0;
    unsigned char *bytes = NULL;
    int length = 0;

    if (!json_is_string(json))
        return set_mismatch(json, "base64", err);
    while (padding < 2 && padding < text.length && text.data[text.length - 1 - padding] == '=')
        padding++;
    bytes = mem_alloc(text.length / 4 * 3 + 4);
    length = text.length % 4 == 0
                 ? EVP_DecodeBlock(bytes, (const unsigned char *)text.data, (int)text.length)
                 : -1;
    if (length >= 0)
        avro_put_bytes(out, bytes, (size_t)length - padding);
    free(bytes);
    return length >= 0 ? 0 : err_set(err, ERR_PROTOCOL, "is no base64");
}

static int put_enum(struct buf *out, const json_t *json, const struct schema_node *type,
                    struct err *err)
{
    for (size_t i = 0; json_is_string(json) && i < type->count; i++) {
        if (text_view_equals(text_of(json), type->names[i])) {
            avro_put_long(out, (int64_t)i);
            return 0;
        }
    }
    return set_mismatch(json, "a symbol of the enum", err);
}

static bool may_be_null(const struct schema_node *type)
{
    if (type->type != SCHEMA_UNION)
        return type->type == SCHEMA_NULL;
    for (size_t i = 0; i < type->count; i++)
        if (type->children[i]->type == SCHEMA_NULL)
            return true;
    return false;
}

static int check_members(const json_t *json, const struct schema_node *type, struct err *err)
{
    const char *name = NULL;
    json_t *member = NULL;

    json_object_foreach((json_t *)json, name, member)
    {
        size_t i = 0;

        while (i < type->count && strcmp(type->names[i], name) != 0)
            i++;
        if (i == type->count)
            return err_set(err, ERR_PROTOCOL, "has a member %.60s, which the schema does not have",
                           name);
    }
    return 0;
}

static int put_record(struct buf *out, const json_t *json, const struct schema_node *type,
                      struct err *err)
{
    json_t *null = json_null();

    if (!json_is_object(json))
        return set_mismatch(json, "an object", err);
    if (check_members(json, type, err) != 0)
        return -1;
    for (size_t i = 0; i < type->count; i++) {
        const json_t *member = json_object_get(json, type->names[i]);

        if (!member && !may_be_null(type->children[i]))
            return err_set(err, ERR_PROTOCOL, "lacks the member %.60s", type->names[i]);
        if (put_value(out, member ? member : null, type->children[i], err) != 0)
            return err_wrap(err, "%.60s", type->names[i]);
    }
    return 0;
}

static int put_array(struct buf *out, const json_t *json, const struct schema_node *type,
                     struct err *err)
{
    if (!json_is_array(json))
        return set_mismatch(json, "an array", err);
    if (json_array_size(json) > 0)
        avro_put_long(out, (int64_t)json_array_size(json));
    for (size_t i = 0; i < json_array_size(json); i++)
        if (put_value(out, json_array_get(json, i), type->children[0], err) != 0)
            return err_wrap(err, "item %zu", i);
    avro_put_long(out, 0);
    return 0;
}

static int put_map(struct buf *out, const json_t *json, const struct schema_node *type,
                   struct err *err)
{
    const char *name = NULL;
    json_t *member = NULL;

    if (!json_is_object(json))
        return set_mismatch(json, "an object", err);
    if (json_object_size(json) > 0)
        avro_put_long(out, (int64_t)json_object_size(json));
    json_object_foreach((json_t *)json, name, member)
    {
        avro_put_bytes(out, name, strlen(name));
        if (put_value(out, member, type->children[0], err) != 0)
            return err_wrap(err, "%.60s", name);
    }
    avro_put_long(out, 0);
    return 0;
}

/* The first branch that the value fits. */
static int put_union(struct buf *out, const json_t *json, const struct schema_node *type,
                     struct err *err)
{
    struct err reason = {0};

    for (size_t i = 0; i < type->count; i++) {
        size_t start = out->length;

        if (json_is_null(json) != (type->children[i]->type == SCHEMA_NULL))
            continue;
        avro_put_long(out, (int64_t)i);
        if (put_value(out, json, type->children[i], &reason) == 0)
            return 0;
        out->length = start;
    }
    if (reason.code == ERR_NONE)
        return set_mismatch(json, "another type", err);
    *err = reason;
    return -1;
}

static int put_boolean(struct buf *out, const json_t *json, struct err *err)
{
    if (!json_is_boolean(json))
        return set_mismatch(json, "true or false", err);
    (void)buf_append_char(out, json_is_true(json) ? 1 : 0);
    return 0;
}

static int put_string(struct buf *out, const json_t *json, struct err *err)
{
    if (!json_is_string(json))
        return set_mismatch(json, "a text", err);
    avro_put_bytes(out, json_string_value(json), json_string_length(json));
    return 0;
}

/* One case per type. jansson bounds the nesting. */
static int put_value(struct buf *out, const json_t *json, const struct schema_node *type,
                     struct err *err)
{
    switch (type->type) {
    case SCHEMA_NULL:
        return json_is_null(json) ? 0 : set_mismatch(json, "null", err);
    case SCHEMA_BOOLEAN:
        return put_boolean(out, json, err);
    case SCHEMA_INT:
    case SCHEMA_LONG:
        return put_long(out, json, type, err);
    case SCHEMA_BYTES:
        return type->logical_type == SCHEMA_LOGICAL_DECIMAL ? put_decimal(out, json, type, err)
                                                            : put_base64(out, json, err);
    case SCHEMA_STRING:
        return put_string(out, json, err);
    case SCHEMA_ENUM:
        return put_enum(out, json, type, err);
    case SCHEMA_RECORD:
        return put_record(out, json, type, err);
    case SCHEMA_ARRAY:
        return put_array(out, json, type, err);
    case SCHEMA_MAP:
        return put_map(out, json, type, err);
    case SCHEMA_UNION:
        return put_union(out, json, type, err);
    case SCHEMA_FLOAT:
    case SCHEMA_DOUBLE:
    case SCHEMA_FIXED:
        break;
    }
    return err_set(err, ERR_UNSUPPORTED, "type %s is not written", schema_type_name(type->type));
}

int json_value_encode(struct text_view json, const struct schema_node *type, struct buf *out,
                      struct err *err)
{
    json_error_t reason;
    json_t *root =
        json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &reason);
    int status = 0;

    if (!root)
        return err_set(err, ERR_PROTOCOL, "no JSON, line %d: %.120s", reason.line, reason.text);
    status = put_value(out, root, type, err);
    if (status == 0 && out->overflowed)
        status = err_set(err, ERR_LIMIT, "is larger than %zu bytes", out->max_bytes);
    json_decref(root);
    return status;
}
