#include "codec/avro_cursor.h"

#include <string.h>

#include "tests/support/unit_test.h"

static void longs_have_the_bytes_of_the_specification_both_ways(void **state)
{
    static const struct {
        int64_t value;
        const char *bytes;
        size_t length;
    } cases[] = {
        {0, "\x00", 1},
        {-1, "\x01", 1},
        {1, "\x02", 1},
        {-2, "\x03", 1},
        {-64, "\x7f", 1},
        {64, "\x80\x01", 2},
        {8192, "\x80\x80\x01", 3},
        {INT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avro_cursor cursor =
            avro_cursor_of((const uint8_t *)cases[i].bytes, cases[i].length);
        struct buf out = {0};
        struct err err = {0};
        int64_t value = 7;

        buf_init(&out, 16);
        avro_put_long(&out, cases[i].value);
        assert_int_equal(out.length, cases[i].length);
        assert_memory_equal(out.data, cases[i].bytes, cases[i].length);
        assert_int_equal(avro_cursor_read_long(&cursor, &value, &err), 0);
        assert_true(value == cases[i].value);
        assert_ptr_equal(cursor.at, cursor.end);
        buf_clear(&out);
    }
}

static void malformed_integers_are_refused_and_the_cursor_stays(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
    } cases[] = {
        {"nothing", "", 0},
        {"ends within", "\x80\x80", 2},
        {"65 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
        {"eleven bytes", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avro_cursor cursor =
            avro_cursor_of((const uint8_t *)cases[i].bytes, cases[i].length);
        struct err err = {0};
        int64_t value = 7;

        print_message("%s\n", cases[i].name);
        assert_int_equal(avro_cursor_read_long(&cursor, &value, &err), -1);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_int_equal(value, 7);
        assert_ptr_equal(cursor.at, cases[i].bytes);
    }
}

static void an_int_must_fit_32_bits(void **state)
{
    static const struct {
        int64_t value;
        int status;
    } cases[] = {
        {INT32_MAX, 0}, {INT32_MIN, 0}, {(int64_t)INT32_MAX + 1, -1}, {(int64_t)INT32_MIN - 1, -1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avro_cursor cursor;
        struct buf out = {0};
        struct err err = {0};
        int32_t value = 0;

        buf_init(&out, 16);
        avro_put_long(&out, cases[i].value);
        cursor = avro_cursor_of((const uint8_t *)out.data, out.length);
        assert_int_equal(avro_cursor_read_int(&cursor, &value, &err), cases[i].status);
        if (cases[i].status == 0)
            assert_int_equal(value, cases[i].value);
        buf_clear(&out);
    }
}

static void a_boolean_is_zero_or_one(void **state)
{
    struct err err = {0};
    bool value = false;
    struct avro_cursor one = avro_cursor_of((const uint8_t *)"\1", 1);
    struct avro_cursor two = avro_cursor_of((const uint8_t *)"\2", 1);
    struct avro_cursor none = avro_cursor_of((const uint8_t *)"", 0);

    (void)state;
    assert_int_equal(avro_cursor_read_boolean(&one, &value, &err), 0);
    assert_true(value);
    assert_int_equal(avro_cursor_read_boolean(&two, &value, &err), -1);
    assert_int_equal(avro_cursor_read_boolean(&none, &value, &err), -1);
    assert_true(value);
}

/* Each record holds two of the one below: 2^40 values, none of which takes a byte. */
static void a_schema_that_explodes_meets_the_bound(void **state)
{
    struct writer_schema *schema = NULL;
    struct avro_cursor cursor = avro_cursor_of((const uint8_t *)"", 0);
    struct buf text = {0};
    struct err err = {0};

    (void)state;
    buf_init(&text, 1 << 16);
    assert_int_equal(
        buf_append_text(&text, "{\"type\":\"record\",\"name\":\"All\",\"fields\":["
                               "{\"name\":\"r0\",\"type\":{\"type\":\"record\",\"name\":\"R0\","
                               "\"fields\":[{\"name\":\"a\",\"type\":\"null\"}]}}"),
        0);
    for (int i = 1; i <= 40; i++)
        assert_int_equal(
            buf_append_format(&text,
                              ",{\"name\":\"r%d\",\"type\":{\"type\":\"record\",\"name\":\"R%d\","
                              "\"fields\":[{\"name\":\"a\",\"type\":\"R%d\"},{\"name\":\"b\","
                              "\"type\":\"R%d\"}]}}",
                              i, i, i - 1, i - 1),
            0);
    assert_int_equal(buf_append_text(&text, "]}"), 0);
    schema = writer_schema_parse(text_view_of(text.data), &err);
    assert_non_null(schema);
    assert_int_equal(avro_cursor_skip(&cursor, writer_schema_root(schema), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    writer_schema_destroy(schema);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longs_have_the_bytes_of_the_specification_both_ways),
        cmocka_unit_test(malformed_integers_are_refused_and_the_cursor_stays),
        cmocka_unit_test(an_int_must_fit_32_bits),
        cmocka_unit_test(a_boolean_is_zero_or_one),
        cmocka_unit_test(a_schema_that_explodes_meets_the_bound),
    };
    return cmocka_run_group_tests_name("avro_cursor", tests, NULL, NULL);
}
