#include "tests/support/unit_test.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/rfc3339.h"

static void the_three_forms_have_fixed_decimals(void **state)
{
    static const struct {
        int64_t us;
        const char *s, *ms, *us_text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000000Z"},
        {INT64_C(1607418537715042), "2020-12-08T09:08:57Z", "2020-12-08T09:08:57.715Z",
         "2020-12-08T09:08:57.715042Z"},
        {INT64_C(1582934400007000), "2020-02-29T00:00:00Z", "2020-02-29T00:00:00.007Z",
         "2020-02-29T00:00:00.007000Z"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800000000), "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z",
         "0001-01-01T00:00:00.000000Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z",
         "9999-12-31T23:59:59.999999Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[RFC3339_BYTES];
        int64_t ms = cases[i].us / 1000 - (cases[i].us % 1000 < 0);
        rfc3339_format_s(ms, text);
        assert_string_equal(text, cases[i].s);
        rfc3339_format_ms(ms, text);
        assert_string_equal(text, cases[i].ms);
        rfc3339_format_us(cases[i].us, text);
        assert_string_equal(text, cases[i].us_text);
    }
}

static void any_64_bit_time_fits_the_room(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[RFC3339_BYTES];
        rfc3339_format_ms(times[i], text);
        assert_true(strlen(text) < sizeof text);
        rfc3339_format_us(times[i], text);
        assert_true(strlen(text) < sizeof text);
    }
}

static void dates_and_times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01", 0},
        {"2020-01-01", INT64_C(1577836800000)},
        {"2020-02-29", INT64_C(1582934400000)},
        {"2000-02-29T12:00:00Z", INT64_C(951825600000)},
        {"2020-12-08T09:08:57.715Z", INT64_C(1607418537715)},
        {"2020-12-08t09:08:57.715z", INT64_C(1607418537715)},
        {"2020-12-08 09:08:57.715Z", INT64_C(1607418537715)},
        {"2020-12-08T09:08:57.7Z", INT64_C(1607418537700)},
        {"2020-12-08T09:08:57.7159999999999999Z", INT64_C(1607418537715)},
        {"2020-12-08T17:08:57+08:00", INT64_C(1607418537000)},
        {"2020-12-07T21:38:57.001-11:30", INT64_C(1607418537001)},
        {"1969-12-31T23:59:59.999Z", -1},
        {"0001-01-01", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 42;
        struct err err = {0};
        if (rfc3339_parse_ms(text_view_of(cases[i].text), &ms, &err) != 0)
            fail_msg("%s", err.message);
        if (ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2020",
        "2020-01",
        "2020-1-1",
        "20200101",
        "2021-02-29",
        "1900-02-29",
        "2020-00-01",
        "2020-13-01",
        "2020-04-31",
        "2020-01-00",
        "2020-01-32",
        "0000-01-01",
        "-2020-01-01",
        "10000-01-01",
        "2020-01-01Z",
        "2020-01-01T",
        "2020-01-01T00:00",
        "2020-01-01T00:00:00",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z",
        "2020-01-01T00:00:60Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00,5Z",
        "2020-01-01T00:00:00+8",
        "2020-01-01T00:00:00+0800",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+08:60",
        "2020-01-01T00:00:00ZZ",
        "2020-01-01x00:00:00Z",
        " 2020-01-01",
        "2020-01-01 ",
        "yesterday",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = 42;
        struct err err = {0};
        if (rfc3339_parse_ms(text_view_of(texts[i]), &ms, &err) != -1)
            fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_int_equal(ms, 42);
    }
}

static void every_day_of_ten_thousand_years_follows_the_calendar(void **state)
{
    /* Counted by hand beside it, one day after the other. */
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1, month = 1, day = 1;
    int weekday = 1; /* 0001-01-01 was a Monday */
    int64_t unix_s = INT64_C(-62135596800);
    (void)state;
    while (year < 10000) {
        struct civil_time civil = civil_from_unix_s(unix_s + 86399);
        if (civil.year != year || civil.month != month || civil.day != day ||
            civil.weekday != weekday || civil.hour != 23 || civil.minute != 59 ||
            civil.second != 59)
            fail_msg("%04d-%02d-%02d", year, month, day);
        if (civil_to_unix_s(year, month, day, 0, 0, 0) != unix_s)
            fail_msg("%04d-%02d-%02d", year, month, day);
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (++day > days[month - 1] + (month == 2 && is_leap)) {
            day = 1;
            month++;
        }
        if (month > 12) {
            month = 1;
            year++;
        }
        weekday = (weekday + 1) % 7;
        unix_s += 86400;
    }
    assert_true(unix_s == INT64_C(253402300800));
}

static void the_c_library_agrees_at_random_times(void **state)
{
    uint64_t random = 42;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        time_t unix_s = (time_t)(random >> 24) - (INT64_C(1) << 39);
        struct civil_time civil = civil_from_unix_s(unix_s);
        struct tm tm;
        assert_non_null(gmtime_r(&unix_s, &tm));
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(civil.hour, tm.tm_hour);
        assert_int_equal(civil.minute, tm.tm_min);
        assert_int_equal(civil.second, tm.tm_sec);
        assert_int_equal(civil.weekday, tm.tm_wday);
        assert_true(civil_to_unix_s(civil.year, civil.month, civil.day, civil.hour, civil.minute,
                                    civil.second) == unix_s);
    }
}

static void what_was_printed_is_read_back(void **state)
{
    uint64_t random = 7;
    const int64_t first = INT64_C(-62135596800000);
    const uint64_t span = UINT64_C(315537897600000);
    (void)state;
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        int64_t ms = first + (int64_t)((random >> 8) % span);
        int64_t back = 0;
        struct err err;
        char text[RFC3339_BYTES];
        rfc3339_format_ms(ms, text);
        assert_int_equal(rfc3339_parse_ms(text_view_of(text), &back, &err), 0);
        assert_true(back == ms);
    }
}

static void microseconds_are_read_to_the_last(void **state)
{
    static const struct {
        const char *text;
        int64_t us, ms;
    } cases[] = {
        {"1970-01-01T00:00:00.123456Z", 123456, 123},
        {"1970-01-01T00:00:00.1234569Z", 123456, 123},
        {"1970-01-01T00:00:00.1Z", 100000, 100},
        {"1969-12-31T23:59:59.999999Z", -1, -1},
        {"1970-01-01T01:00:00.000001+01:00", 1, 0},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), INT64_C(253402300799999)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = 0, ms = 0;
        struct err err;
        assert_int_equal(rfc3339_parse_us(text_view_of(cases[i].text), &us, &err), 0);
        assert_int_equal(rfc3339_parse_ms(text_view_of(cases[i].text), &ms, &err), 0);
        assert_true(us == cases[i].us);
        assert_true(ms == cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_forms_have_fixed_decimals),
        cmocka_unit_test(any_64_bit_time_fits_the_room),
        cmocka_unit_test(dates_and_times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_of_ten_thousand_years_follows_the_calendar),
        cmocka_unit_test(the_c_library_agrees_at_random_times),
        cmocka_unit_test(what_was_printed_is_read_back),
        cmocka_unit_test(microseconds_are_read_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
