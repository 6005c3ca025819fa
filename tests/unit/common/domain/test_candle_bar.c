#include "tests/support/unit_test.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/rfc3339.h"
#include "domain/candle_bar.h"

static const char *const names[] = {
    "1s",    "1m",     "3m",    "5m",    "15m",   "30m",   "1H",    "2H",    "4H",
    "6H",    "12H",    "1D",    "2D",    "3D",    "5D",    "1W",    "1M",    "3M",
    "6Hutc", "12Hutc", "1Dutc", "2Dutc", "3Dutc", "5Dutc", "1Wutc", "1Mutc", "3Mutc",
};

enum { BAR_COUNT = sizeof names / sizeof names[0] };

static int64_t at(const char *text)
{
    int64_t unix_ms = 0;
    struct err err = {0};
    if (rfc3339_parse_ms(text_view_of(text), &unix_ms, &err) != 0)
        fail_msg("%s", err.message);
    return unix_ms;
}

static void every_bar_of_okx_is_known_and_case_matters(void **state)
{
    static const char *const unknown[] = {"",   "1h",  "1M ", "2m",    "1utc", "1Hutc",
                                          "1w", "60m", "1d",  "1DUTC", "6M"};
    (void)state;
    for (size_t i = 0; i < BAR_COUNT; i++) {
        const struct candle_bar *bar = candle_bar_find(names[i]);
        assert_non_null(bar);
        assert_string_equal(bar->name, names[i]);
        assert_int_equal(bar->duration_ms == 0, bar->months != 0);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(candle_bar_find(unknown[i]));
    assert_int_equal(candle_bar_find("1m")->duration_ms, 60000);
    assert_int_equal(candle_bar_find("1M")->months, 1);
}

static void bars_open_where_okx_opens_them(void **state)
{
    static const struct {
        const char *bar, *time, *open, *next;
    } cases[] = {
        {"1s", "2024-05-15T13:47:12.999Z", "2024-05-15T13:47:12Z", "2024-05-15T13:47:13Z"},
        {"1m", "2024-05-15T13:47:12.999Z", "2024-05-15T13:47:00Z", "2024-05-15T13:48:00Z"},
        {"3m", "2024-05-15T13:47:12Z", "2024-05-15T13:45:00Z", "2024-05-15T13:48:00Z"},
        {"1H", "2024-05-15T13:47:12Z", "2024-05-15T13:00:00Z", "2024-05-15T14:00:00Z"},
        {"1H", "2024-05-15T13:00:00Z", "2024-05-15T13:00:00Z", "2024-05-15T14:00:00Z"},
        {"4H", "2024-05-15T13:47:12Z", "2024-05-15T12:00:00Z", "2024-05-15T16:00:00Z"},
        {"6H", "2024-05-15T13:47:12Z", "2024-05-15T10:00:00Z", "2024-05-15T16:00:00Z"},
        {"6Hutc", "2024-05-15T13:47:12Z", "2024-05-15T12:00:00Z", "2024-05-15T18:00:00Z"},
        {"12H", "2024-05-15T13:47:12Z", "2024-05-15T04:00:00Z", "2024-05-15T16:00:00Z"},
        {"12Hutc", "2024-05-15T13:47:12Z", "2024-05-15T12:00:00Z", "2024-05-16T00:00:00Z"},
        {"1D", "2024-05-15T13:47:12Z", "2024-05-14T16:00:00Z", "2024-05-15T16:00:00Z"},
        {"1D", "2024-05-15T15:59:59.999Z", "2024-05-14T16:00:00Z", "2024-05-15T16:00:00Z"},
        {"1D", "2024-05-15T16:00:00Z", "2024-05-15T16:00:00Z", "2024-05-16T16:00:00Z"},
        {"1Dutc", "2024-05-15T13:47:12Z", "2024-05-15", "2024-05-16"},
        {"1W", "2024-05-15T13:47:12Z", "2024-05-12T16:00:00Z", "2024-05-19T16:00:00Z"},
        {"1W", "2024-05-12T15:59:59Z", "2024-05-05T16:00:00Z", "2024-05-12T16:00:00Z"},
        {"1Wutc", "2024-05-15T13:47:12Z", "2024-05-13", "2024-05-20"},
        {"1Wutc", "2024-05-12T23:59:59Z", "2024-05-06", "2024-05-13"},
        {"1M", "2024-03-15T00:00:00Z", "2024-02-29T16:00:00Z", "2024-03-31T16:00:00Z"},
        {"1M", "2024-02-29T15:59:59.999Z", "2024-01-31T16:00:00Z", "2024-02-29T16:00:00Z"},
        {"1M", "2024-12-31T16:00:00Z", "2024-12-31T16:00:00Z", "2025-01-31T16:00:00Z"},
        {"1Mutc", "2024-02-29T15:59:59.999Z", "2024-02-01", "2024-03-01"},
        {"1Mutc", "2024-12-31T23:59:59.999Z", "2024-12-01", "2025-01-01"},
        {"3M", "2024-05-15", "2024-03-31T16:00:00Z", "2024-06-30T16:00:00Z"},
        {"3M", "2023-12-31T15:59:59.999Z", "2023-09-30T16:00:00Z", "2023-12-31T16:00:00Z"},
        {"3Mutc", "2024-03-31T23:59:59.999Z", "2024-01-01", "2024-04-01"},
        {"3Mutc", "1969-12-31T23:59:59.999Z", "1969-10-01", "1970-01-01"},
        {"1H", "1969-12-31T23:59:59.999Z", "1969-12-31T23:00:00Z", "1970-01-01"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct candle_bar *bar = candle_bar_find(cases[i].bar);
        int64_t open = candle_bar_floor(bar, at(cases[i].time));
        if (open != at(cases[i].open) || candle_bar_next(bar, open) != at(cases[i].next))
            fail_msg("%s at %s", cases[i].bar, cases[i].time);
    }
}

/* Whether a bar opens at this second, told from the calendar in the bar's zone alone. */
static bool opens_at(const char *name, int64_t unix_s)
{
    bool is_utc = strstr(name, "utc") != NULL;
    bool is_short = strchr("smH", name[strlen(name) - 1]) && strcmp(name, "6H") != 0 &&
                    strcmp(name, "12H") != 0;
    time_t local = (time_t)(unix_s + (is_utc || is_short ? 0 : 8 * 3600));
    int64_t number = 0;
    const char *unit = name;
    struct tm tm;
    assert_non_null(gmtime_r(&local, &tm));
    for (; *unit >= '0' && *unit <= '9'; unit++)
        number = number * 10 + (*unit - '0');
    bool is_midnight = tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0;
    int64_t day = local / 86400;
    switch (*unit) {
    case 's':
        return local % number == 0;
    case 'm':
        return tm.tm_sec == 0 && tm.tm_min % number == 0;
    case 'H':
        return tm.tm_sec == 0 && tm.tm_min == 0 && tm.tm_hour % number == 0;
    case 'D':
        return is_midnight && day % number == 0;
    case 'W':
        return is_midnight && tm.tm_wday == 1;
    default:
        return is_midnight && tm.tm_mday == 1 && tm.tm_mon % number == 0;
    }
}

/* Steps through years by the smallest grid that all opens of the bar lie on. */
static void check_against_calendar(const char *name, int64_t from_s, int64_t to_s)
{
    const struct candle_bar *bar = candle_bar_find(name);
    int64_t step_s =
        bar->duration_ms && bar->duration_ms < 3600000 ? bar->duration_ms / 1000 : 3600;
    int64_t last_open_ms = -1;
    int64_t opens = 0;
    for (int64_t unix_s = from_s; unix_s < to_s; unix_s += step_s) {
        int64_t unix_ms = unix_s * 1000;
        if (opens_at(name, unix_s)) {
            if (last_open_ms >= 0)
                assert_true(candle_bar_next(bar, last_open_ms) == unix_ms);
            last_open_ms = unix_ms;
            opens++;
        }
        if (last_open_ms >= 0 && (candle_bar_floor(bar, unix_ms) != last_open_ms ||
                                  candle_bar_floor(bar, unix_ms + 999) != last_open_ms))
            fail_msg("%s at %lld", name, (long long)unix_s);
    }
    assert_true(opens > 0);
    assert_int_equal(candle_bar_count(bar, from_s * 1000, to_s * 1000), opens);
}

static void every_bar_agrees_with_the_calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAR_COUNT; i++) {
        const struct candle_bar *bar = candle_bar_find(names[i]);
        bool is_fine = bar->duration_ms && bar->duration_ms < 3600000;
        int64_t from_s = at("2019-12-17T05:00:00Z") / 1000;
        int64_t days = strcmp(names[i], "1s") == 0 ? 1 : is_fine ? 70 : 6 * 366;
        check_against_calendar(names[i], from_s, from_s + days * 86400);
    }
}

static void counting_takes_the_first_and_leaves_the_end(void **state)
{
    static const struct {
        const char *bar, *from, *to;
        int64_t count;
    } cases[] = {
        {"1H", "2020-01-01", "2020-01-01", 0},
        {"1H", "2020-01-02", "2020-01-01", 0},
        {"1H", "2020-01-01", "2020-01-01T00:00:00.001Z", 1},
        {"1H", "2020-01-01T00:00:00.001Z", "2020-01-01T01:00:00Z", 0},
        {"1H", "2020-01-01T00:00:00.001Z", "2020-01-01T01:00:00.001Z", 1},
        {"1H", "2020-01-01", "2026-01-01", 2192 * 24},
        {"1Mutc", "2020-01-01", "2026-01-01", 72},
        {"3Mutc", "2020-01-02", "2026-01-01", 23},
        {"1M", "2019-12-31T16:00:00Z", "2020-12-31T16:00:00Z", 12},
        {"1M", "2019-12-31T16:00:00.001Z", "2020-12-31T16:00:00.001Z", 12},
        {"1Wutc", "2024-01-01", "2024-01-08", 1},
        {"1Wutc", "2024-01-01", "2024-01-08T00:00:00.001Z", 2},
        {"1H", "1969-12-31", "1970-01-02", 48},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t count =
            candle_bar_count(candle_bar_find(cases[i].bar), at(cases[i].from), at(cases[i].to));
        if (count != cases[i].count)
            fail_msg("%s %s to %s: %lld", cases[i].bar, cases[i].from, cases[i].to,
                     (long long)count);
    }
}

static void times_beyond_any_market_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAR_COUNT; i++) {
        const struct candle_bar *bar = candle_bar_find(names[i]);
        assert_true(candle_bar_floor(bar, INT64_MIN) < candle_bar_floor(bar, 0));
        assert_true(candle_bar_floor(bar, INT64_MAX) > candle_bar_floor(bar, 0));
        assert_true(candle_bar_next(bar, INT64_MAX) > candle_bar_floor(bar, 0));
        assert_true(candle_bar_count(bar, INT64_MIN, INT64_MAX) > 0);
        assert_int_equal(candle_bar_count(bar, INT64_MAX, INT64_MIN), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bar_of_okx_is_known_and_case_matters),
        cmocka_unit_test(bars_open_where_okx_opens_them),
        cmocka_unit_test(every_bar_agrees_with_the_calendar),
        cmocka_unit_test(counting_takes_the_first_and_leaves_the_end),
        cmocka_unit_test(times_beyond_any_market_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
