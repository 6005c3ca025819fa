#include "tests/support/unit_test.h"

#include "base/text_view.h"

static struct text_view view(const char *text)
{
    return text_view_of(text);
}

static void equality_needs_every_byte(void **state)
{
    (void)state;
    assert_true(text_view_equals(view("buy"), "buy"));
    assert_false(text_view_equals(view("buy"), "buys"));
    assert_false(text_view_equals(view("buys"), "buy"));
    assert_false(text_view_equals(view("Buy"), "buy"));
    assert_false(text_view_equals((struct text_view){.data = "buy\0", .length = 4}, "buy"));
    assert_true(text_view_equals((struct text_view){0}, ""));
    assert_true(text_view_equals((struct text_view){.data = "buying", .length = 3}, "buy"));
}

static void prefixes_are_found_at_the_start_only(void **state)
{
    (void)state;
    assert_true(text_view_starts_with(view("KAFKA_X"), "KAFKA_"));
    assert_true(text_view_starts_with(view("KAFKA_"), "KAFKA_"));
    assert_true(text_view_starts_with((struct text_view){0}, ""));
    assert_false(text_view_starts_with(view("KAFKA"), "KAFKA_"));
    assert_false(text_view_starts_with(view("MY_KAFKA_"), "KAFKA_"));
}

static void trim_takes_white_space_off_both_ends(void **state)
{
    (void)state;
    assert_true(text_view_equals(text_view_trim(view(" \t\r\n\v\f a b \n")), "a b"));
    assert_true(text_view_equals(text_view_trim(view("ab")), "ab"));
    assert_int_equal(text_view_trim(view("  \t ")).length, 0);
    assert_int_equal(text_view_trim((struct text_view){0}).length, 0);
}

static void split_gives_the_pieces_in_order(void **state)
{
    static const struct {
        const char *text;
        const char *pieces[4];
    } cases[] = {
        {"a,,b", {"a", "", "b"}}, {"a", {"a"}},  {"", {NULL}}, {",", {""}},
        {",a", {"", "a"}},        {"a,", {"a"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_view rest = view(cases[i].text);
        struct text_view piece;
        for (size_t j = 0; cases[i].pieces[j]; j++) {
            assert_true(text_view_split(&rest, ',', &piece));
            assert_true(text_view_equals(piece, cases[i].pieces[j]));
        }
        assert_false(text_view_split(&rest, ',', &piece));
    }
}

static void split_of_no_text_at_all_gives_nothing(void **state)
{
    struct text_view rest = {0};
    struct text_view piece;
    (void)state;
    assert_false(text_view_split(&rest, ',', &piece));
}

static void integers_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"007", 7},
        {"-1", -1},
        {"1597026383085", INT64_C(1597026383085)},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"00000000000000000000000000000000009", 9},
    };
    struct err err;
    int64_t value;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(text_view_read_int64(view(cases[i].text), &value, &err), 0);
        assert_true(value == cases[i].value);
    }
}

static void what_is_no_integer_is_refused_and_leaves_the_output(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
    } cases[] = {
        {"", ERR_PROTOCOL},
        {"-", ERR_PROTOCOL},
        {"+1", ERR_PROTOCOL},
        {"1.0", ERR_PROTOCOL},
        {" 1", ERR_PROTOCOL},
        {"1 ", ERR_PROTOCOL},
        {"0x10", ERR_PROTOCOL},
        {"--1", ERR_PROTOCOL},
        {"9223372036854775808", ERR_OUT_OF_RANGE},
        {"-9223372036854775809", ERR_OUT_OF_RANGE},
        {"99999999999999999999999999", ERR_OUT_OF_RANGE},
        {"99999999999999999999999999x", ERR_PROTOCOL},
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 42;
        assert_int_equal(text_view_read_int64(view(cases[i].text), &value, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(value, 42);
    }
    int64_t value;
    struct text_view with_nul = {.data = "1\0"
                                         "2",
                                 .length = 3};
    assert_int_equal(text_view_read_int64(with_nul, &value, &err), -1);
    assert_int_equal(text_view_read_int64((struct text_view){0}, &value, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_needs_every_byte),
        cmocka_unit_test(prefixes_are_found_at_the_start_only),
        cmocka_unit_test(trim_takes_white_space_off_both_ends),
        cmocka_unit_test(split_gives_the_pieces_in_order),
        cmocka_unit_test(split_of_no_text_at_all_gives_nothing),
        cmocka_unit_test(integers_are_read_exactly),
        cmocka_unit_test(what_is_no_integer_is_refused_and_leaves_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
