#include "tests/support/unit_test.h"

#include "base/rfc3339.h"
#include "persister/partition_plan.h"

static int64_t ms_of(const char *text)
{
    struct err err;
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

struct month_case {
    const char *name;
    const char *time;
    const char *date; /* NULL: out of bounds */
};

static const char now_text[] = "2026-11-23T08:20:00Z";
static const struct month_case month_cases[] = {
    {"the first instant of a month", "2026-11-01T00:00:00Z", "2026-11-01"},
    {"the last instant before it", "2026-10-31T23:59:59.999Z", "2026-10-01"},
    {"the first month of all", "2017-01-01T00:00:00Z", "2017-01-01"},
    {"the month before it", "2016-12-31T23:59:59.999Z", NULL},
    {"a December", "2020-12-31T23:59:59.999Z", "2020-12-01"},
    {"next month", "2026-12-31T23:59:59.999Z", "2026-12-01"},
    {"the month after next", "2027-01-01T00:00:00Z", NULL},
    {"1970", "1970-01-01T00:00:01Z", NULL},
    {"9999", "9999-12-31T23:59:59Z", NULL},
};

static void month_is_that_of_utc_and_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof month_cases / sizeof month_cases[0]; i++) {
        const struct month_case *expected = &month_cases[i];
        int month = partition_month(ms_of(expected->time), ms_of(now_text));
        char date[PARTITION_DATE_BYTES];

        print_message("%s\n", expected->name);
        assert_int_equal(partition_is_possible(ms_of(expected->time), ms_of(now_text)), month >= 0);
        if (!expected->date) {
            assert_int_equal(month, -1);
            continue;
        }
        assert_true(month >= 0);
        partition_month_date(month, date);
        assert_string_equal(date, expected->date);
    }
}

static void month_copes_with_every_64_bit_number(void **state)
{
    (void)state;
    assert_int_equal(partition_month(INT64_MIN, ms_of(now_text)), -1);
    assert_int_equal(partition_month(INT64_MAX, ms_of(now_text)), -1);
    assert_int_equal(partition_month(-1, ms_of(now_text)), -1);
}

static void ahead_are_this_month_and_the_next_two_across_the_year(void **state)
{
    struct month_set wanted = {0};
    struct month_set known = {0};
    const char *const dates[] = {"2026-11-01", "2026-12-01", "2027-01-01"};
    int month = -1;

    (void)state;
    month_set_add_ahead(&wanted, ms_of(now_text));
    for (size_t i = 0; i < 3; i++) {
        char date[PARTITION_DATE_BYTES];

        month = month_set_next_missing(&wanted, &known, month + 1);
        assert_true(month >= 0);
        partition_month_date(month, date);
        assert_string_equal(date, dates[i]);
    }
    assert_int_equal(month_set_next_missing(&wanted, &known, month + 1), -1);
}

static void missing_are_the_wanted_months_that_are_not_known(void **state)
{
    struct month_set wanted = {0};
    struct month_set known = {0};

    (void)state;
    month_set_add(&wanted, 0);
    month_set_add(&wanted, 63);
    month_set_add(&wanted, 64);
    month_set_add(&wanted, PARTITION_MONTHS_MAX - 1);
    month_set_add(&known, 63);
    assert_int_equal(month_set_next_missing(&wanted, &known, 0), 0);
    assert_int_equal(month_set_next_missing(&wanted, &known, 1), 64);
    assert_int_equal(month_set_next_missing(&wanted, &known, 65), PARTITION_MONTHS_MAX - 1);
    assert_int_equal(month_set_next_missing(&wanted, &known, PARTITION_MONTHS_MAX), -1);
    assert_true(month_set_has(&known, 63));
    assert_false(month_set_has(&known, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(month_is_that_of_utc_and_bounded),
        cmocka_unit_test(month_copes_with_every_64_bit_number),
        cmocka_unit_test(ahead_are_this_month_and_the_next_two_across_the_year),
        cmocka_unit_test(missing_are_the_wanted_months_that_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
