#include "codec/wire_format.h"

#include <string.h>

#include "tests/support/unit_test.h"

static void writes_zero_then_the_id_big_endian(void **state)
{
    static const struct {
        int32_t id;
        uint8_t bytes[WIRE_FORMAT_PREFIX_BYTES];
    } cases[] = {
        {1, {0, 0, 0, 0, 1}},
        {0x01020304, {0, 1, 2, 3, 4}},
        {INT32_MAX, {0, 0x7F, 0xFF, 0xFF, 0xFF}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];
        wire_format_write(prefix, cases[i].id);
        assert_memory_equal(prefix, cases[i].bytes, sizeof prefix);
    }
}

static void reads_what_was_written_and_points_behind_the_prefix(void **state)
{
    uint8_t value[WIRE_FORMAT_PREFIX_BYTES + 2];
    const uint8_t *avro = NULL;
    size_t avro_length = 0;
    int32_t id = 0;
    struct err err = {0};

    (void)state;
    wire_format_write(value, 123456789);
    assert_int_equal(wire_format_read(value, sizeof value, &id, &avro, &avro_length, &err), 0);
    assert_int_equal(id, 123456789);
    assert_ptr_equal(avro, value + WIRE_FORMAT_PREFIX_BYTES);
    assert_int_equal(avro_length, 2);
}

static void refuses_what_is_not_framed_and_leaves_outputs_alone(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t length;
    } cases[] = {
        {"nothing at all", "", 0},
        {"four bytes", "\0\0\0\1", 4},
        {"another first byte", "\1\0\0\0\1x", 6},
        {"JSON", "{\"instId\":\"BTC-USDT\"}", 21},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *avro = NULL;
        size_t avro_length = 7;
        int32_t id = 42;
        struct err err = {0};

        print_message("%s\n", cases[i].name);
        assert_int_equal(wire_format_read((const uint8_t *)cases[i].bytes, cases[i].length, &id,
                                          &avro, &avro_length, &err),
                         -1);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_false(err.retriable);
        assert_int_equal(id, 42);
        assert_null(avro);
        assert_int_equal(avro_length, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_zero_then_the_id_big_endian),
        cmocka_unit_test(reads_what_was_written_and_points_behind_the_prefix),
        cmocka_unit_test(refuses_what_is_not_framed_and_leaves_outputs_alone),
    };
    return cmocka_run_group_tests_name("wire_format", tests, NULL, NULL);
}
