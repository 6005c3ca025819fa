#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/firing_list.h"

/* Returns owned: what is printed, or NULL with err filled. */
static char *list(int count, const char *const *arguments, struct err *err)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    int status = 0;

    assert_non_null(out);
    status = firing_list_print((char **)arguments, count, out, err);
    assert_int_equal(fclose(out), 0);
    if (status == 0)
        return text;
    free(text);
    return NULL;
}

static void next_firings_come_first_to_last_and_previous_ones_last_to_first(void **state)
{
    static const char *const arguments[] = {
        "0 8,21 * * *", "2026-11-23T08:00:00Z", "3", "@daily", "2026-11-23", "-2",
    };
    struct err err = {0};
    char *text = list(6, arguments, &err);

    (void)state;
    assert_string_equal(text, "2026-11-23T21:00:00Z\n2026-11-24T08:00:00Z\n2026-11-24T21:00:00Z\n"
                              "2026-11-23T00:00:00Z\n2026-11-22T00:00:00Z\n");
    free(text);
}

struct bad_case {
    const char *arguments[3];
    int count;
    const char *message;
};

static void wrong_arguments_are_explained(void **state)
{
    static const struct bad_case cases[] = {
        {{"61 * * * *", "now", "1"}, 3, "minute '61' is not within 0-59"},
        {{"@daily", "soon", "1"},
         3,
         "FROM: 'soon' is not a date (2020-01-01) or a time "
         "(2020-01-01T12:00:00Z)"},
        {{"@daily", "now", "99999999"}, 3, "COUNT: at most 1000000 firings are listed"},
        {{"@daily", "now"},
         2,
         "--next-firings takes EXPR FROM COUNT, for one expression or several"},
        {{"@daily"}, 0, "--next-firings takes EXPR FROM COUNT, for one expression or several"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        assert_null(list(cases[i].count, cases[i].arguments, &err));
        assert_string_equal(err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_firings_come_first_to_last_and_previous_ones_last_to_first),
        cmocka_unit_test(wrong_arguments_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
