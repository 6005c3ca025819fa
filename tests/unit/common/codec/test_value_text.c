#include "codec/value_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

struct value_case {
    const char *schema;
    const char *bytes;
    size_t length;
    const char *json, *cell; /* NULL: refused */
};

static const struct value_case value_cases[] = {
    {"\"null\"", "", 0, "null", ""},
    {"\"boolean\"", "\1", 1, "true", "true"},
    {"\"int\"", "\x03", 1, "-2", "-2"},
    {"\"long\"", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, "-9223372036854775808",
     "-9223372036854775808"},
    {"\"float\"", "\xcd\xcc\xcc\x3d", 4, "0.1", "0.1"},
    {"\"double\"", "\x9a\x99\x99\x99\x99\x99\xb9\x3f", 8, "0.1", "0.1"},
    {"\"double\"", "\x33\x33\x33\x33\x33\x33\xd3\x3f", 8, "0.3", "0.3"},
    {"\"double\"", "\x34\x33\x33\x33\x33\x33\xd3\x3f", 8, "0.30000000000000004",
     "0.30000000000000004"},
    {"\"double\"", "\0\0\0\0\0\0\xf8\x7f", 8, "\"NaN\"", "NaN"},
    {"\"float\"", "\0\0\x80\xff", 4, "\"-Infinity\"", "-Infinity"},
    {"\"string\"",
     "\x08"
     "a\"\nb",
     5, "\"a\\\"\\nb\"", "a\"\nb"},
    {"\"bytes\"", "\x06\xff\x00\x01", 4, "\"/wAB\"", "/wAB"},
    {"\"bytes\"", "\0", 1, "\"\"", ""},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "ab", 2, "\"YWI=\"", "YWI="},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "\2", 1, "\"B\"", "B"},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}", "\x04\x30\x39",
     3, "\"123.45\"", "123.45"},
    {"{\"type\":\"fixed\",\"name\":\"D\",\"size\":1,\"logicalType\":\"decimal\",\"precision\":2,"
     "\"scale\":1}",
     "\xFF", 1, "\"-0.1\"", "-0.1"},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "\xd0\x0f", 2,
     "\"1970-01-01T00:00:01.000Z\"", "1970-01-01T00:00:01.000Z"},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", "\1", 1,
     "\"1969-12-31T23:59:59.999999Z\"", "1969-12-31T23:59:59.999999Z"},
    {"{\"type\":\"int\",\"logicalType\":\"date\"}", "\x01", 1, "\"1969-12-31\"", "1969-12-31"},
    {"[\"null\",\"string\"]", "\0", 1, "null", ""},
    {"[\"null\",\"string\"]", "\2\2x", 3, "\"x\"", "x"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "\0", 1, "[]", "[]"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "\2\2\1\2\4\0", 6, "[1,2]", "[1,2]"},
    {"{\"type\":\"map\",\"values\":\"string\"}", "\2\2k\2v\0", 6, "{\"k\":\"v\"}", "{\"k\":\"v\"}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"long\"]}"
     ","
     "{\"name\":\"b\",\"type\":\"string\"}]}",
     "\0\2x", 3, "{\"a\":null,\"b\":\"x\"}", "{\"a\":null,\"b\":\"x\"}"},
    {"\"string\"", "\4x", 2, NULL, NULL},
    {"\"boolean\"", "\2", 1, NULL, NULL},
    {"[\"null\"]", "\2", 1, NULL, NULL},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\2", 1, NULL, NULL},
    {"{\"type\":\"array\",\"items\":\"null\"}", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", 11,
     NULL, NULL},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9}", "\0", 1, NULL, NULL},
};

static void check_style(const struct value_case *value, const struct schema_node *type,
                        enum value_style style, const char *expected)
{
    struct avro_cursor cursor = avro_cursor_of((const uint8_t *)value->bytes, value->length);
    struct buf out = {0};
    struct err err = {0};
    int status = 0;

    buf_init(&out, 1 << 16);
    status = value_text_append(&out, &cursor, type, style, &err);
    assert_int_equal(status, expected ? 0 : -1);
    assert_int_equal(err.code == ERR_NONE, expected != NULL);
    if (expected) {
        assert_string_equal(out.data ? out.data : "", expected);
        assert_ptr_equal(cursor.at, cursor.end);
    }
    buf_clear(&out);
}

static void values_of_every_type_have_a_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof value_cases[0]; i++) {
        struct err err = {0};
        struct writer_schema *schema =
            writer_schema_parse(text_view_of(value_cases[i].schema), &err);

        print_message("%s\n", value_cases[i].schema);
        assert_non_null(schema);
        check_style(&value_cases[i], writer_schema_root(schema), VALUE_STYLE_JSON,
                    value_cases[i].json);
        check_style(&value_cases[i], writer_schema_root(schema), VALUE_STYLE_CELL,
                    value_cases[i].cell);
        writer_schema_destroy(schema);
    }
}

/* An independent parser accepts what we print, and finds every field. */
static void our_own_records_become_valid_json(void **state)
{
    struct buf value = {0}, out = {0};
    uint64_t seed = 21;

    (void)state;
    buf_init(&value, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int round = 0; round < 600; round++) {
        enum record_kind kind = (enum record_kind)(round % RECORD_KIND_COUNT);
        void *record = mem_calloc(1, avro_record_bytes(kind));
        struct err err = {0};
        struct writer_schema *schema = writer_schema_parse(schema_text(kind), &err);
        struct avro_cursor cursor;
        json_t *json = NULL;

        random_record_fill(kind, &seed, record);
        buf_reset(&value);
        buf_reset(&out);
        assert_int_equal(avro_encode(kind, record, &value, &err), 0);
        cursor = avro_cursor_of((const uint8_t *)value.data, value.length);
        assert_int_equal(
            value_text_append(&out, &cursor, writer_schema_root(schema), VALUE_STYLE_JSON, &err),
            0);
        json = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        assert_int_equal(json_object_size(json), writer_schema_root(schema)->count);
        json_decref(json);
        writer_schema_destroy(schema);
        avro_record_clear(kind, record);
        free(record);
    }
    buf_clear(&out);
    buf_clear(&value);
}

static void a_text_that_outgrows_its_buffer_is_an_error(void **state)
{
    struct err err = {0};
    struct writer_schema *schema =
        writer_schema_parse(text_view_of("{\"type\":\"array\",\"items\":\"string\"}"), &err);
    struct avro_cursor cursor = avro_cursor_of((const uint8_t *)"\4\x0ahello\x0ahello\0", 14);
    struct buf out = {0};

    (void)state;
    buf_init(&out, 6);
    assert_int_equal(
        value_text_append(&out, &cursor, writer_schema_root(schema), VALUE_STYLE_JSON, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&out);
    writer_schema_destroy(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_have_a_text),
        cmocka_unit_test(our_own_records_become_valid_json),
        cmocka_unit_test(a_text_that_outgrows_its_buffer_is_an_error),
    };
    return cmocka_run_group_tests_name("avrocat value_text", tests, NULL, NULL);
}
