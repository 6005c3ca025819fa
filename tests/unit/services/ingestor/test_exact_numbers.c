#include "ingestor/exact_numbers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/unit_test.h"

enum { VALUES_MAX = 100 };

#define M "\"\\u0001"

struct mark_case {
    const char *json, *marked; /* NULL: nothing to mark */
};

static const struct mark_case mark_cases[] = {
    {"{\"a\":1.5}", "{\"a\":" M "1.5\"}"},
    {"[-0.10,1e5,1E-05]", "[" M "-0.10\"," M "1e5\"," M "1E-05\"]"},
    {"[1234567890123456789]", "[" M "1234567890123456789\"]"},
    {"[ 1.5 , 7 ]", "[ " M "1.5\" , 7 ]"},
    {"[123456789012345678,-1,0]", NULL},
    {"[\"1.5\",\"\\\"1.5\",\"\\\\\"]", NULL},
    {"", NULL},
    /* What is no JSON stays none. */
    {"{1.5:1}", NULL},
    {"{1.5 \n:1}", NULL},
    {"[1.]", NULL},
    {"[.5]", NULL},
    {"[1e]", NULL},
    {"[1e+]", NULL},
    {"[-]", NULL},
    {"[\"1.5", NULL},
    {"[\"1.5\\", NULL},
    {"[1.2.3]", "[" M "1.2\".3]"},
    {"[01.5]", "[0" M "1.5\"]"},
};

static void only_numbers_that_would_change_are_marked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mark_cases / sizeof *mark_cases; i++) {
        const struct mark_case *row = &mark_cases[i];
        struct buf out;

        print_message("%s\n", row->json);
        buf_init(&out, 1000);
        assert_int_equal(exact_numbers_mark(row->json, strlen(row->json), VALUES_MAX, &out),
                         row->marked != NULL);
        if (row->marked) {
            char *back = mem_strdup(out.data);

            assert_string_equal(out.data, row->marked);
            exact_numbers_unmark(back);
            assert_string_equal(back, row->json);
            free(back);
        }
        buf_clear(&out);
    }
}

static void only_a_mark_before_a_number_is_one(void **state)
{
    char strings[] = "[\"\\u0001\",\"\\u0001x\",\"\\u00011.5x\",\"a\\u00011.5\",\"\\u00011.5\"]";
    struct text_view number;

    (void)state;
    exact_numbers_unmark(strings);
    assert_string_equal(strings, "[\"\\u0001\",\"\\u0001x\",\"\\u00011.5x\",\"a\\u00011.5\",1.5]");
    assert_false(exact_numbers_is_marked(text_view_of(""), &number));
    assert_false(exact_numbers_is_marked(text_view_of("1.5"), &number));
    assert_false(exact_numbers_is_marked(text_view_of("\x01"), &number));
    assert_false(exact_numbers_is_marked(text_view_of("\x01x"), &number));
    assert_false(exact_numbers_is_marked(text_view_of("\x01"
                                                      "1.5 "),
                                         &number));
    assert_true(exact_numbers_is_marked(text_view_of("\x01-1.5"), &number));
    assert_true(text_view_equals(number, "-1.5"));
}

static void a_text_that_grows_too_large_is_left_alone(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    assert_int_equal(exact_numbers_mark("[1.5,1.5]", 9, VALUES_MAX, &out), 0);
    buf_clear(&out);
}

static void more_values_than_allowed_are_counted_outside_of_strings(void **state)
{
    static const char json[] = "{\"[,{\":[1,2,\",,,,,\\\",,,,\",{}]}"; /* behind { [ , , , { */
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(exact_numbers_mark(json, strlen(json), 6, &out), 0);
    assert_int_equal(exact_numbers_mark(json, strlen(json), 5, &out), -1);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_numbers_that_would_change_are_marked),
        cmocka_unit_test(only_a_mark_before_a_number_is_one),
        cmocka_unit_test(more_values_than_allowed_are_counted_outside_of_strings),
        cmocka_unit_test(a_text_that_grows_too_large_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
