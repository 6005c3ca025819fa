#include "dead-letters/json_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/value_text.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

enum { BYTES_MAX = 1 << 20 };

static int encode(const char *schema, const char *json, struct buf *out, struct err *err)
{
    struct writer_schema *parsed = writer_schema_parse(text_view_of(schema), err);
    int status = 0;

    assert_non_null(parsed);
    buf_reset(out);
    status = json_value_encode(text_view_of(json), writer_schema_root(parsed), out, err);
    writer_schema_destroy(parsed);
    return status;
}

#define DECIMAL "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":18}"
#define MILLIS  "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"
#define MICROS  "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"
#define RECORD                                                                                     \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},"          \
    "{\"name\":\"b\",\"type\":[\"null\",\"string\"]}]}"

static void each_type_is_written_as_avro_says(void **state)
{
    static const struct {
        const char *schema, *json, *bytes;
        size_t length;
    } cases[] = {
        {"\"null\"", "null", "", 0},
        {"\"boolean\"", "true", "\1", 1},
        {"\"int\"", "-2147483648", "\xff\xff\xff\xff\x0f", 5},
        {"\"long\"", "9223372036854775807", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {MILLIS, "\"1970-01-01T00:00:00.001Z\"", "\x02", 1},
        {MICROS, "\"1969-12-31T23:59:59.999999Z\"", "\x01", 1},
        {MICROS, "\"1970-01-01T01:00:00.000001+01:00\"", "\x02", 1},
        {DECIMAL, "\"-0.000000000000000001\"", "\x02\xff", 2},
        {"\"bytes\"", "\"/wAB\"", "\x06\xff\x00\x01", 4},
        {"\"bytes\"", "\"/w==\"", "\x02\xff", 2},
        {"\"bytes\"", "\"\"", "\0", 1},
        {"\"string\"", "\"\\u00e4\"", "\x04\xc3\xa4", 3},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "\"B\"", "\2", 1},
        {"[\"null\",\"long\"]", "null", "\0", 1},
        {"[\"null\",\"long\"]", "1", "\2\2", 2},
        {"[\"null\",\"long\",\"string\"]", "\"x\"", "\4\2x", 3},
        {"{\"type\":\"array\",\"items\":\"long\"}", "[1,2]", "\4\2\4\0", 4},
        {"{\"type\":\"array\",\"items\":\"long\"}", "[]", "\0", 1},
        {"{\"type\":\"map\",\"values\":\"long\"}", "{\"a\":1}", "\2\2a\2\0", 5},
        {RECORD, "{\"b\":\"x\",\"a\":1}", "\2\2\2x", 4},
        {RECORD, "{\"a\":1}", "\2\0", 2},
    };
    struct buf out;

    (void)state;
    buf_init(&out, BYTES_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        if (encode(cases[i].schema, cases[i].json, &out, &err) != 0)
            fail_msg("%s: %s", cases[i].json, err.message);
        assert_int_equal(out.length, cases[i].length);
        if (out.length > 0)
            assert_memory_equal(out.data, cases[i].bytes, out.length);
    }
    buf_clear(&out);
}

static void what_does_not_fit_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *schema, *json, *text;
    } cases[] = {
        {"\"long\"", "", "no JSON"},
        {"\"long\"", "1 2", "no JSON"},
        {"\"long\"", "1.0", "a number with decimals where an integer belongs"},
        {"\"long\"", "9223372036854775808", "no JSON"},
        {"\"int\"", "2147483648", "does not fit 32 bits"},
        {DECIMAL, "1.5", "a decimal in quotes"},
        {DECIMAL, "\"0.0000000000000000001\"", ""},
        {DECIMAL, "\"one\"", ""},
        {MILLIS, "1", "a time"},
        {MILLIS, "\"today\"", "today"},
        {"\"bytes\"", "\"/wA\"", "no base64"},
        {"\"bytes\"", "\"????\"", "no base64"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"B\"", "a symbol"},
        {"[\"null\",\"long\"]", "\"x\"", "an integer"},
        {"[\"long\",\"string\"]", "null", "another type"},
        {RECORD, "{}", "lacks the member a"},
        {RECORD, "{\"a\":1,\"c\":1}", "member c"},
        {RECORD, "{\"a\":1,\"a\":2}", "no JSON"},
        {RECORD, "{\"a\":\"x\"}", "a: is a text"},
        {"{\"type\":\"array\",\"items\":\"long\"}", "[1,null]", "item 1: is null"},
        {"\"double\"", "1.5", "type double is not written"},
    };
    struct buf out;

    (void)state;
    buf_init(&out, BYTES_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        assert_int_equal(encode(cases[i].schema, cases[i].json, &out, &err), -1);
        if (!strstr(err.message, cases[i].text))
            fail_msg("%s: '%s' does not say '%s'", cases[i].json, err.message, cases[i].text);
    }
    buf_clear(&out);
}

static void a_value_larger_than_the_room_is_refused(void **state)
{
    struct err err = {0};
    struct buf out;

    (void)state;
    buf_init(&out, 4);
    assert_int_equal(encode("\"string\"", "\"12345\"", &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&out);
}

/* Of every kind of record: what is printed is read back to the same bytes. Times that RFC 3339 does
 * not know are printed, but refused. */
static void what_is_printed_is_read_back(void **state)
{
    uint64_t random = 1;
    struct buf avro, json, back;

    (void)state;
    buf_init(&avro, BYTES_MAX);
    buf_init(&json, BYTES_MAX);
    buf_init(&back, BYTES_MAX);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct err err = {0};
        struct writer_schema *schema = writer_schema_parse(schema_text(kind), &err);
        void *record = mem_calloc(1, avro_record_bytes(kind));

        for (int read_back = 0; read_back < 200;) {
            buf_reset(&avro);
            buf_reset(&json);
            buf_reset(&back);
            random_record_fill(kind, &random, record);
            assert_int_equal(avro_encode(kind, record, &avro, &err), 0);
            avro_record_clear(kind, record);
            struct avro_cursor cursor = avro_cursor_of((const uint8_t *)avro.data, avro.length);
            assert_int_equal(value_text_append(&json, &cursor, writer_schema_root(schema),
                                               VALUE_STYLE_JSON, &err),
                             0);
            if (json_value_encode((struct text_view){json.data, json.length},
                                  writer_schema_root(schema), &back, &err) != 0) {
                if (!strstr(err.message, "is not a date"))
                    fail_msg("%s: %s", json.data, err.message);
                continue;
            }
            read_back++;
            assert_int_equal(back.length, avro.length);
            assert_memory_equal(back.data, avro.data, avro.length);
        }
        free(record);
        writer_schema_destroy(schema);
    }
    buf_clear(&avro);
    buf_clear(&json);
    buf_clear(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_written_as_avro_says),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_place),
        cmocka_unit_test(a_value_larger_than_the_room_is_refused),
        cmocka_unit_test(what_is_printed_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
