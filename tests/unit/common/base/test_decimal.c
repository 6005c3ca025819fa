#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

/* A plain value made another way than the module does: digit by digit, the last 18 decimals. */
static int128 unscaled(const char *digits)
{
    int128 sum = 0;
    for (const char *digit = digits + (*digits == '-'); *digit; digit++)
        sum = sum * 10 + (*digit - '0');
    return *digits == '-' ? -sum : sum;
}

static void assert_unscaled(struct decimal value, const char *digits, const char *name)
{
    if (value.unscaled != unscaled(digits))
        fail_msg("%s: not %s", name, digits);
}

static void numbers_are_read_exactly(void **state)
{
    static const struct {
        const char *text, *digits;
    } cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.000000000000000000000000000", "0"},
        {"1", "1000000000000000000"},
        {"-12.5", "-12500000000000000000"},
        {"63921", "63921000000000000000000"},
        {"64040.2", "64040200000000000000000"},
        {"0.00240857", "2408570000000000"},
        {"9999999999999999", "9999999999999999000000000000000000"},
        {"0.0000500000000000", "50000000000000"},
        {"1.", "1000000000000000000"},
        {".5", "500000000000000000"},
        {"-.5", "-500000000000000000"},
        {"1.772e-05", "17720000000000"},
        {"1e0", "1000000000000000000"},
        {"1E+2", "100000000000000000000"},
        {"12.5e1", "125000000000000000000"},
        {"1e-18", "1"},
        {"10e-19", "1"},
        {"100000000000000000000e-38", "1"},
        {"1e19", "10000000000000000000000000000000000000"},
        {"0.00000000000000000001e2", "1"},
        {"0.000000000000000000000000000000000000000000000001e48", "1000000000000000000"},
        {"1000000000000000000000000000000000000000000000000e-48", "1000000000000000000"},
        {"0e999999999999999999999999999", "0"},
        {"0.0e-999999999999999999999999999", "0"},
        {"0.000000000000000001", "1"},
        {"-0.000000000000000001", "-1"},
        {"0.0000000000000000010000", "1"},
        {"1.10000000000000000000000000000000000000000000", "1100000000000000000"},
        {"00000000000000000000000000000000000000000000001", "1000000000000000000"},
        {"99999999999999999999", "99999999999999999999000000000000000000"},
        {"99999999999999999999.999999999999999999", "99999999999999999999999999999999999999"},
        {"-99999999999999999999.999999999999999999", "-99999999999999999999999999999999999999"},
        {"99999999999999999999999999999999999999e-18", "99999999999999999999999999999999999999"},
        {".99999999999999999999999999999999999999e20", "99999999999999999999999999999999999999"},
        {"18446744073709551615", "18446744073709551615000000000000000000"},
        {"18446744073709551616", "18446744073709551616000000000000000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal value;
        struct err err = {0};
        if (decimal_parse(text_view_of(cases[i].text), &value, &err) != 0)
            fail_msg("%s", err.message);
        assert_unscaled(value, cases[i].digits, cases[i].text);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {
        "",    "-",     ".",        "-.",   "e",        "e5",   ".e5",  "1e",
        "1e+", "1e-",   "1e1.5",    "+1",   "--1",      "1-",   "1..2", "1.2.3",
        " 1",  "1 ",    "1,5",      "0x10", "NaN",      "nan",  "inf",  "-inf",
        "1_0", "1e5e5", "Infinity", "null", "\xD9\xA1", "1e 5", "/",    ":",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct decimal value = {.unscaled = 42};
        struct err err = {0};
        if (decimal_parse(text_view_of(texts[i]), &value, &err) != -1)
            fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_true(value.unscaled == 42);
    }
}

static void the_length_ends_the_text_not_a_nul(void **state)
{
    struct decimal value;
    struct err err;
    (void)state;
    assert_int_equal(decimal_parse((struct text_view){.data = "12345", .length = 2}, &value, &err),
                     0);
    assert_unscaled(value, "12000000000000000000", "12");
    assert_int_equal(decimal_parse((struct text_view){.data = "12\0", .length = 3}, &value, &err),
                     -1);
    assert_int_equal(decimal_parse((struct text_view){.data = "\0", .length = 1}, &value, &err),
                     -1);
    assert_int_equal(decimal_parse((struct text_view){0}, &value, &err), -1);
    assert_int_equal(decimal_parse((struct text_view){.data = "1e5", .length = 2}, &value, &err),
                     -1);
}

static void what_does_not_fit_is_refused_not_rounded(void **state)
{
    static const char *const texts[] = {
        "0.0000000000000000001",
        "-0.0000000000000000001",
        "1.0000000000000000001",
        "1e-19",
        "1.5e-18",
        "100000000000000000000",
        "-100000000000000000000",
        "99999999999999999999.9999999999999999999",
        "1e20",
        "1e38",
        "1e2147483648",
        "1e-2147483649",
        "1e18446744073709551616",
        "-1e99999999999999999999999999999999999999",
        "1e-99999999999999999999999999999999999999",
        "340282366920938463463374607431768211456",
        "123456789012345678901234567890123456789012345678901234567890",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct decimal value = {.unscaled = 42};
        struct err err = {0};
        if (decimal_parse(text_view_of(texts[i]), &value, &err) != -1)
            fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(err.code, ERR_OUT_OF_RANGE);
        assert_true(value.unscaled == 42);
    }
}

static void very_long_texts_are_read_or_refused(void **state)
{
    static char text[100001];
    struct decimal value;
    struct err err = {0};
    (void)state;
    memset(text, '0', sizeof text);
    text[50000] = '.';
    text[49999] = '7';
    assert_int_equal(
        decimal_parse((struct text_view){.data = text, .length = sizeof text}, &value, &err), 0);
    assert_unscaled(value, "7000000000000000000", "long");
    text[100000] = '1';
    assert_int_equal(
        decimal_parse((struct text_view){.data = text, .length = sizeof text}, &value, &err), -1);
    assert_int_equal(err.code, ERR_OUT_OF_RANGE);
    assert_true(strlen(err.message) < 120);
}

static void every_power_of_ten_is_read_and_printed(void **state)
{
    (void)state;
    for (int exponent = -18; exponent < 20; exponent++) {
        struct decimal value;
        struct err err;
        char text[32], plain[DECIMAL_TEXT_BYTES], expected[DECIMAL_TEXT_BYTES];
        int128 power = 1;
        for (int i = -18; i < exponent; i++)
            power *= 10;
        snprintf(text, sizeof text, "1e%d", exponent);
        assert_int_equal(decimal_parse(text_view_of(text), &value, &err), 0);
        assert_true(value.unscaled == power);
        if (exponent >= 0)
            snprintf(expected, sizeof expected, "1%.*s", exponent, "0000000000000000000000");
        else
            snprintf(expected, sizeof expected, "0.%.*s1", -exponent - 1, "0000000000000000000000");
        assert_int_equal(decimal_format(value, plain), strlen(expected));
        assert_string_equal(plain, expected);
    }
}

static void formatting_is_the_shortest_plain_text(void **state)
{
    static const struct {
        const char *digits, *text;
    } cases[] = {
        {"0", "0"},
        {"1", "0.000000000000000001"},
        {"-1", "-0.000000000000000001"},
        {"500000000000000000", "0.5"},
        {"1000000000000000000", "1"},
        {"10000000000000000000", "10"},
        {"18446744073709551615", "18.446744073709551615"},
        {"18446744073709551616", "18.446744073709551616"},
        {"-64040200000000000000000", "-64040.2"},
        {"1000000000000000000000000000000000000", "1000000000000000000"},
        {"1000000000000000000100000000000000000", "1000000000000000000.1"},
        {"18446744073709551615000000000000000000", "18446744073709551615"},
        {"18446744073709551616000000000000000000", "18446744073709551616"},
        {"99999999999999999999999999999999999999", "99999999999999999999.999999999999999999"},
        {"-99999999999999999999999999999999999999", "-99999999999999999999.999999999999999999"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DECIMAL_TEXT_BYTES];
        struct decimal value = {.unscaled = unscaled(cases[i].digits)};
        assert_int_equal(decimal_format(value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void binary_is_minimal_twos_complement(void **state)
{
    static const struct {
        const char *digits;
        size_t length;
        uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
    } cases[] = {
        {"0", 1, {0x00}},
        {"1", 1, {0x01}},
        {"-1", 1, {0xFF}},
        {"127", 1, {0x7F}},
        {"128", 2, {0x00, 0x80}},
        {"-128", 1, {0x80}},
        {"-129", 2, {0xFF, 0x7F}},
        {"255", 2, {0x00, 0xFF}},
        {"256", 2, {0x01, 0x00}},
        {"32767", 2, {0x7F, 0xFF}},
        {"32768", 3, {0x00, 0x80, 0x00}},
        {"-32768", 2, {0x80, 0x00}},
        {"-32769", 3, {0xFF, 0x7F, 0xFF}},
        {"9223372036854775807", 8, {0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
        {"9223372036854775808", 9, {0x00, 0x80, 0, 0, 0, 0, 0, 0, 0}},
        {"-9223372036854775808", 8, {0x80, 0, 0, 0, 0, 0, 0, 0}},
        {"-9223372036854775809", 9, {0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
        {"18446744073709551616", 9, {0x01, 0, 0, 0, 0, 0, 0, 0, 0}},
        {"99999999999999999999999999999999999999",
         16,
         {0x4B, 0x3B, 0x4C, 0xA8, 0x5A, 0x86, 0xC4, 0x7A, 0x09, 0x8A, 0x22, 0x3F, 0xFF, 0xFF, 0xFF,
          0xFF}},
        {"-99999999999999999999999999999999999999",
         16,
         {0xB4, 0xC4, 0xB3, 0x57, 0xA5, 0x79, 0x3B, 0x85, 0xF6, 0x75, 0xDD, 0xC0, 0x00, 0x00, 0x00,
          0x01}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
        struct decimal value = {.unscaled = unscaled(cases[i].digits)};
        struct decimal back = {.unscaled = 42};
        struct err err = {0};
        assert_int_equal(decimal_to_binary(value, bytes), cases[i].length);
        assert_memory_equal(bytes, cases[i].bytes, cases[i].length);
        if (decimal_from_binary(bytes, cases[i].length, DECIMAL_SCALE, &back, &err) != 0)
            fail_msg("%s: %s", cases[i].digits, err.message);
        assert_true(back.unscaled == value.unscaled);
    }
}

static void binary_need_not_be_minimal_to_be_read(void **state)
{
    uint8_t bytes[40];
    struct decimal value;
    struct err err;
    (void)state;
    for (size_t length = 1; length <= sizeof bytes; length++) {
        memset(bytes, 0xFF, length);
        assert_int_equal(decimal_from_binary(bytes, length, DECIMAL_SCALE, &value, &err), 0);
        assert_true(value.unscaled == -1);
        memset(bytes, 0, length);
        bytes[length - 1] = 5;
        assert_int_equal(decimal_from_binary(bytes, length, DECIMAL_SCALE, &value, &err), 0);
        assert_true(value.unscaled == 5);
    }
}

static void binary_beyond_the_precision_is_refused(void **state)
{
    static const uint8_t ten_to_38[] = {0x4B, 0x3B, 0x4C, 0xA8, 0x5A, 0x86, 0xC4, 0x7A,
                                        0x09, 0x8A, 0x22, 0x40, 0x00, 0x00, 0x00, 0x00};
    static const uint8_t least[16] = {0x80};
    static const uint8_t seventeen[17] = {0x01};
    static const uint8_t unsigned_16[17] = {0x00, 0x80};
    static const uint8_t negative_17[17] = {0xFF, 0x7F};
    struct decimal value = {.unscaled = 42};
    struct err err = {0};
    (void)state;
    assert_int_equal(decimal_from_binary(ten_to_38, 0, DECIMAL_SCALE, &value, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    const struct {
        const uint8_t *bytes;
        size_t length;
    } cases[] = {
        {ten_to_38, 16}, {least, 16}, {seventeen, 17}, {unsigned_16, 17}, {negative_17, 17}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            decimal_from_binary(cases[i].bytes, cases[i].length, DECIMAL_SCALE, &value, &err), -1);
        assert_int_equal(err.code, ERR_OUT_OF_RANGE);
    }
    assert_true(value.unscaled == 42);
}

static void other_scales_are_brought_to_eighteen_exactly(void **state)
{
    static const struct {
        const char *digits;
        int scale;
        const char *expected; /* NULL: refused */
    } cases[] = {
        {"5", 0, "5000000000000000000"},
        {"-5", 2, "-50000000000000000"},
        {"12345", 17, "123450"},
        {"12340", 19, "1234"},
        {"12345", 19, NULL},
        {"-100", 20, "-1"},
        {"0", 1000, "0"},
        {"0", -1000, "0"},
        {"0", INT32_MAX, "0"},
        {"0", INT32_MIN, "0"},
        {"1", INT32_MAX, NULL},
        {"1", INT32_MIN, NULL},
        {"10000000000000000000000000000000000000", 55, "1"},
        {"10000000000000000000000000000000000000", 56, NULL},
        {"99999999999999999999", 0, "99999999999999999999000000000000000000"},
        {"100000000000000000000", 0, NULL},
        {"-99999999999999999999", 0, "-99999999999999999999000000000000000000"},
        {"-100000000000000000000", 0, NULL},
        {"9", -19, "90000000000000000000000000000000000000"},
        {"10", -19, NULL},
        {"1", -20, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
        struct decimal value = {.unscaled = 42};
        struct err err = {0};
        size_t length =
            decimal_to_binary((struct decimal){.unscaled = unscaled(cases[i].digits)}, bytes);
        int status = decimal_from_binary(bytes, length, cases[i].scale, &value, &err);
        if (cases[i].expected) {
            assert_int_equal(status, 0);
            assert_unscaled(value, cases[i].expected, cases[i].digits);
        } else {
            if (status != -1)
                fail_msg("%s of scale %d was taken", cases[i].digits, cases[i].scale);
            assert_int_equal(err.code, ERR_OUT_OF_RANGE);
            assert_true(value.unscaled == 42);
        }
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The canonical text of unscaled digits, by moving characters only. */
static void place_point(const char *digits, bool is_negative, char *text)
{
    char padded[64];
    size_t length = strlen(digits);
    size_t zeros = length < 19 ? 19 - length : 0;
    snprintf(padded, sizeof padded, "%.*s%s", (int)zeros, "0000000000000000000", digits);
    size_t integer = strlen(padded) - 18;
    size_t fraction = 18;
    while (fraction > 0 && padded[integer + fraction - 1] == '0')
        fraction--;
    snprintf(text, DECIMAL_TEXT_BYTES, "%s%.*s%s%.*s", is_negative ? "-" : "", (int)integer, padded,
             fraction ? "." : "", (int)fraction, padded + integer);
}

static void random_values_survive_text_and_binary(void **state)
{
    uint64_t random = 88172645463325252;
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char digits[40], expected[DECIMAL_TEXT_BYTES], text[DECIMAL_TEXT_BYTES];
        uint8_t bytes[DECIMAL_BINARY_BYTES_MAX];
        struct decimal value, again;
        struct err err = {0};
        size_t length = 1 + next_random(&random) % 38;
        bool is_negative = next_random(&random) & 1;
        for (size_t i = 0; i < length; i++)
            digits[i] = (char)('0' + (next_random(&random) % 4 ? next_random(&random) % 10 : 0));
        if (digits[0] == '0')
            digits[0] = '1';
        digits[length] = '\0';
        place_point(digits, is_negative, expected);

        assert_int_equal(decimal_parse(text_view_of(expected), &value, &err), 0);
        assert_true(value.unscaled == (is_negative ? -unscaled(digits) : unscaled(digits)));
        decimal_format(value, text);
        assert_string_equal(text, expected);

        size_t count = decimal_to_binary(value, bytes);
        assert_int_equal(decimal_from_binary(bytes, count, DECIMAL_SCALE, &again, &err), 0);
        assert_true(again.unscaled == value.unscaled);
        bool is_sign_only = count > 1 && ((bytes[0] == 0 && !(bytes[1] & 0x80)) ||
                                          (bytes[0] == 0xFF && bytes[1] & 0x80));
        assert_false(is_sign_only);
    }
}

static void comparison_orders_by_value(void **state)
{
    static const char *const ascending[] = {
        "-99999999999999999999", "-1", "-0.5", "0", "0.000000000000000001", "1",
        "99999999999999999999"};
    struct decimal values[7];
    struct err err;
    (void)state;
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(decimal_parse(text_view_of(ascending[i]), &values[i], &err), 0);
    for (int i = 0; i < 7; i++) {
        for (int j = 0; j < 7; j++) {
            int order = decimal_compare(values[i], values[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
        assert_int_equal(decimal_is_zero(values[i]), i == 3);
    }
}

static void integers_become_decimals(void **state)
{
    char text[DECIMAL_TEXT_BYTES];
    (void)state;
    decimal_format(decimal_from_int64(INT64_MIN), text);
    assert_string_equal(text, "-9223372036854775808");
    decimal_format(decimal_from_int64(INT64_MAX), text);
    assert_string_equal(text, "9223372036854775807");
    assert_true(decimal_is_zero(decimal_from_int64(0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_exactly),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(the_length_ends_the_text_not_a_nul),
        cmocka_unit_test(what_does_not_fit_is_refused_not_rounded),
        cmocka_unit_test(very_long_texts_are_read_or_refused),
        cmocka_unit_test(every_power_of_ten_is_read_and_printed),
        cmocka_unit_test(formatting_is_the_shortest_plain_text),
        cmocka_unit_test(binary_is_minimal_twos_complement),
        cmocka_unit_test(binary_need_not_be_minimal_to_be_read),
        cmocka_unit_test(binary_beyond_the_precision_is_refused),
        cmocka_unit_test(other_scales_are_brought_to_eighteen_exactly),
        cmocka_unit_test(random_values_survive_text_and_binary),
        cmocka_unit_test(comparison_orders_by_value),
        cmocka_unit_test(integers_become_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
