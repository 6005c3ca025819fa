/*
 * Records of writers whose schema is another version of ours. The first byte says of which kind,
 * then a byte for each of our fields says what became of it in the writer's schema; behind them is
 * the record. What the decoder reads is compared with what avrocat, another reader of the same
 * bytes, shows of them.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/avro_cursor.h"
#include "codec/value_text.h"
#include "fuzz.h"
#include "record_check.h"

enum { TEXT_BYTES_MAX = 4 << 20, VARIANTS = 10 };

/* A field that we do not know, of one of several types. */
static json_t *foreign_field(unsigned choice, size_t index)
{
    static const char *const types[] = {
        "\"null\"",
        "\"double\"",
        "{\"type\":\"array\",\"items\":[\"null\",\"long\"]}",
        "{\"type\":\"map\",\"values\":\"bytes\"}",
        "[\"string\",{\"type\":\"array\",\"items\":\"boolean\"}]",
        "{\"type\":\"int\",\"logicalType\":\"date\"}",
    };
    char name[32];

    snprintf(name, sizeof name, "later%zu", index);
    json_t *type =
        json_loads(types[choice % (sizeof types / sizeof *types)], JSON_DECODE_ANY, NULL);
    return json_pack("{s:s, s:o}", "name", name, "type", type);
}

static bool has_text(const json_t *type, const char *member, const char *text)
{
    const char *value = json_string_value(json_object_get(type, member));

    return value && strcmp(value, text) == 0;
}

/* Returns owned another type whose values our reader takes for the same field; NULL: as it is. */
static json_t *changed_type(json_t *type, unsigned variant, size_t index)
{
    char name[32];

    if (json_is_array(type)) { /* ["null", X]: turned around, or without the null */
        json_t *value = json_array_get(type, 1);
        json_t *changed = changed_type(value, variant, index);
        json_t *inner = changed ? changed : json_incref(value);

        if (variant % 2 == 0)
            return inner;
        return json_pack("[o, s]", inner, "null");
    }
    if (has_text(type, "logicalType", "decimal")) {
        snprintf(name, sizeof name, "Fixed%zu", index);
        if (variant % 2 == 0)
            return json_pack("{s:s, s:s, s:i, s:s, s:i, s:i}", "type", "fixed", "name", name,
                             "size", (int)(variant % 20), "logicalType", "decimal", "precision", 20,
                             "scale", (int)(variant % 23));
        return json_pack("{s:s, s:s, s:i, s:i}", "type", "bytes", "logicalType", "decimal",
                         "precision", 30, "scale", (int)(variant % 30));
    }
    if (json_is_string(type) && strcmp(json_string_value(type), "long") == 0)
        return json_string("int");
    return NULL;
}

/* Returns owned the schema; *is_complete: every field dropped has a default. */
static char *evolve(enum record_kind kind, struct fuzz_input *input, bool *is_complete)
{
    struct text_view ours = schema_text(kind);
    json_t *schema = json_loadb(ours.data, ours.length, 0, NULL);
    json_t *fields = json_array();
    json_t *field;
    size_t index;

    *is_complete = true;
    json_array_foreach(json_object_get(schema, "fields"), index, field)
    {
        unsigned variant = fuzz_take_byte(input);
        json_t *type = NULL;

        switch (variant % VARIANTS) {
        case 0:
            *is_complete = *is_complete && json_object_get(field, "default");
            continue;
        case 1:
            json_array_append_new(fields, foreign_field(variant, index));
            break;
        case 2:
            type = changed_type(json_object_get(field, "type"), variant / VARIANTS, index);
            break;
        default:
            break;
        }
        if (type)
            json_object_set_new(field, "type", type);
        json_array_append(fields, field);
    }
    json_object_set_new(schema, "fields", fields);
    char *text = json_dumps(schema, JSON_COMPACT);
    json_decref(schema);
    return text;
}

/* Returns owned what avrocat shows of the value, or NULL. */
static json_t *shown(struct text_view schema_json, const uint8_t *bytes, size_t length)
{
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(schema_json, &err);
    struct avro_cursor cursor = avro_cursor_of(bytes, length);
    json_t *json = NULL;
    struct buf text;

    FUZZ_CHECK(schema);
    buf_init(&text, TEXT_BYTES_MAX);
    if (value_text_append(&text, &cursor, writer_schema_root(schema), VALUE_STYLE_JSON, &err) ==
            0 &&
        !text.overflowed)
        json = json_loadb(text.data, text.length, 0, NULL);
    buf_clear(&text);
    writer_schema_destroy(schema);
    return json;
}

/* Our null stands for "" too. */
static bool is_same(const json_t *ours, const json_t *theirs)
{
    if (json_is_null(ours) && json_is_string(theirs))
        return json_string_length(theirs) == 0;
    return json_equal(ours, theirs);
}

static void check_values(enum record_kind kind, const char *writer_json,
                         const struct fuzz_input *value, const void *record)
{
    struct buf avro;
    const char *name;
    json_t *member;

    buf_init(&avro, TEXT_BYTES_MAX);
    record_check_round_trip(kind, record, &avro);
    json_t *theirs = shown(text_view_of(writer_json), value->at, value->left);
    json_t *ours = shown(schema_text(kind), (const uint8_t *)avro.data, avro.length);
    FUZZ_CHECK(ours && theirs);
    json_object_foreach(ours, name, member)
    {
        const json_t *other = json_object_get(theirs, name);

        if (other)
            FUZZ_CHECK(is_same(member, other));
    }
    json_decref(ours);
    json_decref(theirs);
    buf_clear(&avro);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum record_kind kind = fuzz_take_byte(&input) % RECORD_KIND_COUNT;
    bool is_complete = true;
    char *schema = evolve(kind, &input, &is_complete);
    struct err err = {0};
    struct avro_decoder *decoder = avro_decoder_create(kind, text_view_of(schema), &err);

    fuzz_check_outcome(decoder != NULL, &err);
    FUZZ_CHECK(decoder || !is_complete);
    if (decoder) {
        size_t bytes = avro_record_bytes(kind);
        void *record = mem_alloc(bytes);

        fuzz_paint(record, bytes);
        bool succeeded = avro_decode(decoder, input.at, input.left, record, &err) == 0;
        fuzz_check_outcome(succeeded, &err);
        FUZZ_CHECK(succeeded || fuzz_is_painted(record, bytes));
        if (succeeded) {
            check_values(kind, schema, &input, record);
            avro_record_clear(kind, record);
        }
        free(record);
    }
    avro_decoder_destroy(decoder);
    free(schema);
    return 0;
}
