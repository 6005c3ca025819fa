#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "persister/numeric_binary.h"

struct numeric_case {
    const char *text;
    unsigned dscale;
    bool is_negative;
    int weight;
    int digit_count;
    uint16_t digits[NUMERIC_DIGITS_MAX];
};

/* Digits as PostgreSQL 15 sends them: SELECT numeric_send('...'). */
static const struct numeric_case numeric_cases[] = {
    {"0", 0, false, 0, 0, {0}},
    {"1", 0, false, 0, 1, {1}},
    {"-1", 0, true, 0, 1, {1}},
    {"10000", 0, false, 1, 1, {1}},
    {"63921.5", 1, false, 1, 3, {6, 3921, 5000}},
    {"0.0001", 4, false, -1, 1, {1}},
    {"0.00012", 5, false, -1, 2, {1, 2000}},
    {"0.000000000000000001", 18, false, -5, 1, {100}},
    {"-0.5", 1, true, -1, 1, {5000}},
    {"12345678.000000000000000012", 18, false, 1, 7, {1234, 5678, 0, 0, 0, 0, 1200}},
    {"99999999999999999999.999999999999999999",
     18,
     false,
     4,
     10,
     {9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900}},
    {"18446744073709551616", 0, false, 4, 5, {1844, 6744, 737, 955, 1616}},
};

static unsigned read_int16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void numeric_has_the_digits_that_postgresql_expects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numeric_cases / sizeof numeric_cases[0]; i++) {
        const struct numeric_case *expected = &numeric_cases[i];
        uint8_t bytes[NUMERIC_BINARY_BYTES_MAX];
        struct decimal value;
        struct err err;
        size_t length;

        print_message("%s\n", expected->text);
        assert_int_equal(decimal_parse(text_view_of(expected->text), &value, &err), 0);
        length = numeric_binary_write(value, bytes);
        assert_int_equal(length, NUMERIC_HEADER_BYTES + 2 * expected->digit_count);
        assert_int_equal(read_int16(bytes), expected->digit_count);
        assert_int_equal((int16_t)read_int16(bytes + 2), expected->weight);
        assert_int_equal(read_int16(bytes + 4), expected->is_negative ? 0x4000 : 0);
        assert_int_equal(read_int16(bytes + 6), expected->dscale);
        for (int d = 0; d < expected->digit_count; d++)
            assert_int_equal(read_int16(bytes + 8 + 2 * d), expected->digits[d]);
    }
}

static void timestamptz_counts_from_the_year_2000(void **state)
{
    (void)state;
    assert_int_equal(timestamptz_from_unix_ms(INT64_C(946684800000)), 0);
    assert_int_equal(timestamptz_from_unix_ms(INT64_C(946684800001)), 1000);
    assert_int_equal(timestamptz_from_unix_us(INT64_C(946684799999999)), -1);
    assert_int_equal(timestamptz_from_unix_ms(0), INT64_C(-946684800000000));
}

static void timestamptz_beyond_64_bits_is_refused_by_postgresql_and_never_infinite(void **state)
{
    static const int64_t ms_cases[] = {INT64_MAX, INT64_MIN, INT64_MAX / 1000 + 1,
                                       INT64_MIN / 1000 - 1, INT64_MIN / 1000};

    (void)state;
    for (size_t i = 0; i < sizeof ms_cases / sizeof ms_cases[0]; i++) {
        int64_t time = timestamptz_from_unix_ms(ms_cases[i]);

        assert_true(time != INT64_MAX && time != INT64_MIN);
        /* timestamptz begins in 4714 BC and ends with the year 294276. */
        assert_true(time < INT64_C(-211813488000000000) || time >= INT64_C(9223371331200000000));
    }
    assert_true(timestamptz_from_unix_us(INT64_MIN) == INT64_MIN + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_has_the_digits_that_postgresql_expects),
        cmocka_unit_test(timestamptz_counts_from_the_year_2000),
        cmocka_unit_test(timestamptz_beyond_64_bits_is_refused_by_postgresql_and_never_infinite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
