#include "tests/support/unit_test.h"

#include "base/rfc3339.h"
#include "scheduler/cron_expr.h"

enum { ROUNDS = 20000 };

static int64_t time_of(const char *text)
{
    struct err err = {0};
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

static struct cron_expr cron_of(const char *text)
{
    struct err err = {0};
    struct cron_expr cron = {0};

    if (cron_expr_parse(text_view_of(text), &cron, &err) != 0)
        fail_msg("'%s': %s", text, err.message);
    return cron;
}

static void assert_time(int64_t actual_ms, const char *expected, const char *name)
{
    char text[RFC3339_BYTES];

    rfc3339_format_s(actual_ms, text);
    if (strcmp(text, expected) != 0 || actual_ms % 1000 != 0)
        fail_msg("%s: %s instead of %s", name, text, expected);
}

struct firing_case {
    const char *expression;
    const char *time;
    const char *next;     /* strictly after */
    const char *previous; /* at or before */
};

static const struct firing_case firing_cases[] = {
    {"0 * * * *", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T12:00:00Z"},
    {"0 * * * *", "2026-11-23T12:00:00.001Z", "2026-11-23T13:00:00Z", "2026-11-23T12:00:00Z"},
    {"0 * * * *", "2026-11-23T11:59:59.999Z", "2026-11-23T12:00:00Z", "2026-11-23T11:00:00Z"},
    {"0 8,21 * * *", "2026-11-23T21:30:00Z", "2026-11-24T08:00:00Z", "2026-11-23T21:00:00Z"},
    {"*/15 * * * *", "2026-12-31T23:50:00Z", "2027-01-01T00:00:00Z", "2026-12-31T23:45:00Z"},
    {"5/20 * * * *", "2026-01-01T00:26:00Z", "2026-01-01T00:45:00Z", "2026-01-01T00:25:00Z"},
    {"10-30/10 3 * * *", "2026-01-01T03:30:00Z", "2026-01-02T03:10:00Z", "2026-01-01T03:30:00Z"},
    {"0 0 29 2 *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
    {"0 0 29 2 *", "2099-01-01T00:00:00Z", "2104-02-29T00:00:00Z", "2096-02-29T00:00:00Z"},
    {"0 0 31 * *", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00Z", "2026-03-31T00:00:00Z"},
    {"59 23 31 DEC *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z", "2026-12-31T23:59:00Z"},
    {"0 0 * jan,Jul mon", "2026-07-27T00:00:00Z", "2027-01-04T00:00:00Z", "2026-07-27T00:00:00Z"},
    {"0 12 * * 7", "2026-11-23T00:00:00Z", "2026-11-29T12:00:00Z", "2026-11-22T12:00:00Z"},
    {"0 12 * * 0", "2026-11-23T00:00:00Z", "2026-11-29T12:00:00Z", "2026-11-22T12:00:00Z"},
    {"0 0 * * FRI-SUN", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-22T00:00:00Z"},
    {"0 0 * * 5-7", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-28T00:00:00Z"},
    {"0 0 * * sun-tue", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-24T00:00:00Z"},
    {"0 0 * * 1/2", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z", "2026-11-27T00:00:00Z"},
    /* Either day is enough when neither field begins with a star, ... */
    {"0 0 13 * FRI", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-20T00:00:00Z"},
    {"0 0 13 * FRI", "2026-12-12T00:00:00Z", "2026-12-13T00:00:00Z", "2026-12-11T00:00:00Z"},
    {"0 0 31 2 MON", "2026-11-23T00:00:00Z", "2027-02-01T00:00:00Z", "2026-02-23T00:00:00Z"},
    /* ... but both are needed when one does, with a step too. */
    {"0 0 */2 * MON", "2026-11-23T00:00:00Z", "2026-12-07T00:00:00Z", "2026-11-23T00:00:00Z"},
    {"0 0 1 * */2", "2026-11-23T00:00:00Z", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"},
    {"@hourly", "2026-11-23T12:30:00Z", "2026-11-23T13:00:00Z", "2026-11-23T12:00:00Z"},
    {"@daily", "2026-11-23T12:30:00Z", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"},
    {"@weekly", "2026-11-23T12:30:00Z", "2026-11-29T00:00:00Z", "2026-11-22T00:00:00Z"},
    {"@Monthly", "2026-11-23T12:30:00Z", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"},
    {"@yearly", "2026-11-23T12:30:00Z", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
    {" @annually ", "2026-11-23T12:30:00Z", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
    {"\t0  0\t1 1  * ", "1970-01-01T00:00:00Z", "1971-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
    {"30 6 * * *", "1969-12-31T06:29:00Z", "1969-12-31T06:30:00Z", "1969-12-30T06:30:00Z"},
};

static void firings_are_those_of_the_calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof firing_cases / sizeof firing_cases[0]; i++) {
        const struct firing_case *row = &firing_cases[i];
        const struct cron_expr cron = cron_of(row->expression);
        const int64_t time_ms = time_of(row->time);

        assert_time(cron_expr_next_ms(&cron, time_ms), row->next, row->expression);
        assert_time(cron_expr_previous_ms(&cron, time_ms), row->previous, row->expression);
    }
}

struct bad_case {
    const char *expression;
    const char *message;
};

static const struct bad_case bad_cases[] = {
    {"61 * * * *", "minute '61' is not within 0-59"},
    {"* 24 * * *", "hour '24' is not within 0-23"},
    {"* * 0 * *", "day of month '0' is not within 1-31"},
    {"* * 32 * *", "day of month '32' is not within 1-31"},
    {"* * * 13 *", "month '13' is not within 1-12"},
    {"* * * * 8", "day of week '8' is not within 0-7"},
    {"* * * * MONDAY", "day of week 'MONDAY' is not a number or a three-letter name"},
    {"* * * foo *", "month 'foo' is not a number or a three-letter name"},
    {"JAN * * * *", "minute 'JAN' is not a number"},
    {"1,,2 * * * *", "minute '' is not a number"},
    {"1, * * * *", "minute '1,' ends with a comma"},
    {", * * * *", "minute ',' ends with a comma"},
    {"-5 * * * *", "minute '' is not a number"},
    {"5- * * * *", "minute '' is not a number"},
    {"1-2-3 * * * *", "minute '2-3' is not a number"},
    {"*/0 * * * *", "minute step '0' is not within 1-59"},
    {"*/60 * * * *", "minute step '60' is not within 1-59"},
    {"*/ * * * *", "minute step '' is not within 1-59"},
    {"1/2/3 * * * *", "minute step '2/3' is not within 1-59"},
    {"* 22-2 * * *", "hour range '22-2' runs backwards"},
    {"* * * * SAT-MON", "day of week range 'SAT-MON' runs backwards"},
    {"99999999999999999999 * * * *", "minute '99999999999999999999' is not within 0-59"},
    {"** * * * *", "minute '**' is not a number"},
    {"@reboot", "macro '@reboot' is not known"},
    {"* * * *", "cron expression '* * * *' has 4 fields instead of 5 (minute, hour, day of month, "
                "month, day of week)"},
    {"* * * * * *", "cron expression '* * * * * *' has 6 fields instead of 5 (minute, hour, day of "
                    "month, month, day of week)"},
    {"", "cron expression '' has 0 fields instead of 5 (minute, hour, day of month, month, day of "
         "week)"},
    {"0 0 31 2 *", "cron expression '0 0 31 2 *' never fires: none of its months has such a day"},
    {"0 0 31 4,6,9,11 *",
     "cron expression '0 0 31 4,6,9,11 *' never fires: none of its months has such a day"},
    {"0 0 30 2 */2",
     "cron expression '0 0 30 2 */2' never fires: none of its months has such a day"},
};

static void mistakes_are_named_by_field_and_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
        struct err err = {0};
        struct cron_expr cron = {.minutes = 42};

        if (cron_expr_parse(text_view_of(bad_cases[i].expression), &cron, &err) == 0)
            fail_msg("'%s' was accepted", bad_cases[i].expression);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_string_equal(err.message, bad_cases[i].message);
        assert_true(cron.minutes == 42); /* untouched */
    }
}

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* next and previous agree with each other about neighbours, whatever the expression. */
static void neighbours_are_each_others_neighbours(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const struct firing_case *row =
            &firing_cases[next_random(&random) % (sizeof firing_cases / sizeof firing_cases[0])];
        const struct cron_expr cron = cron_of(row->expression);
        const int64_t time_ms = (int64_t)next_random(&random) * 1000 + (int64_t)i % 1000;
        const int64_t next_ms = cron_expr_next_ms(&cron, time_ms);
        const int64_t previous_ms = cron_expr_previous_ms(&cron, time_ms);

        assert_true(next_ms > time_ms && previous_ms <= time_ms);
        assert_true(cron_expr_next_ms(&cron, previous_ms) == next_ms);
        assert_true(cron_expr_previous_ms(&cron, next_ms - 1) == previous_ms);
        assert_true(cron_expr_previous_ms(&cron, next_ms) == next_ms);
    }
}

/* A star in every field fires each minute: then the arithmetic is plain division. */
static void every_minute_is_every_minute(void **state)
{
    const struct cron_expr cron = cron_of("* * * * *");
    uint64_t random = 11;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t time_ms = (int64_t)next_random(&random) * 1000 + (int64_t)i % 1000;

        assert_true(cron_expr_next_ms(&cron, time_ms) == (time_ms / 60000 + 1) * 60000);
        assert_true(cron_expr_previous_ms(&cron, time_ms) == time_ms / 60000 * 60000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firings_are_those_of_the_calendar),
        cmocka_unit_test(mistakes_are_named_by_field_and_value),
        cmocka_unit_test(neighbours_are_each_others_neighbours),
        cmocka_unit_test(every_minute_is_every_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
