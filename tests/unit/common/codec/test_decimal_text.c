#include "codec/decimal_text.h"

#include <string.h>

#include "base/decimal.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

static void decimals_of_any_scale_are_exact(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        int scale;
        const char *text;
    } cases[] = {
        {"\x00", 1, 0, "0"},
        {"\x00", 1, 18, "0"},
        {"\x01", 1, 0, "1"},
        {"\xFF", 1, 0, "-1"},
        {"\x80", 1, 0, "-128"},
        {"\x80", 1, 2, "-1.28"},
        {"\x80", 1, 3, "-0.128"},
        {"\x80", 1, 6, "-0.000128"},
        {"\x64", 1, 2, "1"},
        {"\x64", 1, 1, "10"},
        {"\x0A", 1, 3, "0.01"},
        {"\x00\x00\x01", 3, 0, "1"},
        {"\x0D\xE0\xB6\xB3\xA7\x64\x00\x00", 8, 18, "1"},
        {"\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 17, 20,
         "435561429658801233233.11949751266331066367"},
        {"\x01", 1, 40, "0.0000000000000000000000000000000000000001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        struct err err = {0};

        buf_init(&out, 256);
        assert_int_equal(decimal_text_append(&out, (const uint8_t *)cases[i].bytes, cases[i].length,
                                             cases[i].scale, &err),
                         0);
        assert_string_equal(out.data, cases[i].text);
        buf_clear(&out);
    }
}

static void our_own_decimals_print_as_base_decimal_does(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        int128 magnitude = (int128)(((uint128)random_next(&seed) << 64 | random_next(&seed)) >>
                                    (2 + random_below(&seed, 126)));
        struct decimal value = {.unscaled = round % 2 ? -magnitude : magnitude};
        uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
        char expected[DECIMAL_TEXT_BYTES];
        struct buf out = {0};
        struct err err = {0};

        buf_init(&out, 256);
        decimal_format(value, expected);
        assert_int_equal(
            decimal_text_append(&out, bytes, decimal_to_binary(value, bytes), DECIMAL_SCALE, &err),
            0);
        assert_string_equal(out.data, expected);
        buf_clear(&out);
    }
}

static void none_and_too_many_bytes_are_refused(void **state)
{
    uint8_t bytes[129] = {0};
    struct buf out = {0};
    struct err err = {0};

    (void)state;
    buf_init(&out, 512);
    assert_int_equal(decimal_text_append(&out, bytes, 0, 0, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_int_equal(decimal_text_append(&out, bytes, sizeof bytes, 0, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    memset(bytes, 0x7F, sizeof bytes);
    assert_int_equal(decimal_text_append(&out, bytes, sizeof bytes - 1, 0, &err), 0);
    assert_int_equal(out.length, 308);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_of_any_scale_are_exact),
        cmocka_unit_test(our_own_decimals_print_as_base_decimal_does),
        cmocka_unit_test(none_and_too_many_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("avrocat decimal_text", tests, NULL, NULL);
}
