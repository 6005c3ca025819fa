#include "tests/support/unit_test.h"

#include "domain/fetch_result.h"

static void missing_ranges_are_kept_in_order(void **state)
{
    struct fetch_result result = {0};
    (void)state;
    fetch_result_add_missing(&result, 1, 5);
    fetch_result_add_missing(&result, 9, 9);
    assert_int_equal(result.missing_count, 2);
    assert_int_equal(result.missing[0].from, 1);
    assert_int_equal(result.missing[0].to, 5);
    assert_int_equal(result.missing[1].from, 9);
    fetch_result_clear(&result);
    assert_null(result.missing);
    assert_int_equal(result.missing_count, 0);
    fetch_result_clear(&result);
}

static void beyond_the_maximum_the_last_range_spans_the_rest(void **state)
{
    struct fetch_result result = {0};
    (void)state;
    for (int64_t i = 0; i < FETCH_MISSING_MAX + 500; i++)
        fetch_result_add_missing(&result, i * 10, i * 10 + 3);
    assert_int_equal(result.missing_count, FETCH_MISSING_MAX);
    assert_int_equal(result.missing[FETCH_MISSING_MAX - 2].to, (FETCH_MISSING_MAX - 2) * 10 + 3);
    assert_int_equal(result.missing[FETCH_MISSING_MAX - 1].from, (FETCH_MISSING_MAX - 1) * 10);
    assert_int_equal(result.missing[FETCH_MISSING_MAX - 1].to, (FETCH_MISSING_MAX + 499) * 10 + 3);
    fetch_result_clear(&result);
}

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(fetch_status_name(FETCH_STATUS_DONE), "done");
    assert_string_equal(fetch_status_name(FETCH_STATUS_INCOMPLETE), "incomplete");
    assert_string_equal(fetch_status_name(FETCH_STATUS_FAILED), "failed");
    assert_string_equal(fetch_status_name(FETCH_STATUS_SKIPPED), "skipped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_ranges_are_kept_in_order),
        cmocka_unit_test(beyond_the_maximum_the_last_range_spans_the_rest),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
