#include "tests/support/unit_test.h"

#include <stdio.h>

#include "domain/extra_fields.h"

static void fields_are_copied_and_found_by_name(void **state)
{
    struct extra_fields extra = {0};
    char name[] = "seriesIdX";
    char value[] = "42 and more";
    (void)state;
    assert_null(extra_fields_find(&extra, "seriesId"));
    assert_int_equal(extra_fields_add(&extra, name, 8, value, 2), 0);
    assert_int_equal(extra_fields_add(&extra, "empty", 5, "", 0), 0);
    name[0] = value[0] = '?';
    assert_string_equal(extra_fields_find(&extra, "seriesId"), "42");
    assert_string_equal(extra_fields_find(&extra, "empty"), "");
    assert_null(extra_fields_find(&extra, "seriesIdX"));
    assert_null(extra_fields_find(&extra, ""));
    extra_fields_clear(&extra);
    assert_null(extra.fields);
    assert_null(extra_fields_find(&extra, "seriesId"));
}

static void the_number_of_fields_is_bounded(void **state)
{
    struct extra_fields extra = {0};
    char name[16];
    (void)state;
    for (int i = 0; i < EXTRA_FIELDS_MAX; i++) {
        int length = snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(extra_fields_add(&extra, name, (size_t)length, name, (size_t)length), 0);
    }
    assert_int_equal(extra_fields_add(&extra, "more", 4, "x", 1), -1);
    assert_int_equal(extra.count, EXTRA_FIELDS_MAX);
    assert_null(extra_fields_find(&extra, "more"));
    assert_string_equal(extra_fields_find(&extra, "n63"), "n63");
    extra_fields_clear(&extra);
    assert_int_equal(extra_fields_add(&extra, "more", 4, "x", 1), 0);
    extra_fields_clear(&extra);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_copied_and_found_by_name),
        cmocka_unit_test(the_number_of_fields_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
