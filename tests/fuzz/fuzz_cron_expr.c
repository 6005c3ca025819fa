/* A cron expression, up to the first line feed; behind it eight bytes that choose a time. */
#include "scheduler/cron_expr.h"

#include <stdio.h>

#include "base/rfc3339.h"
#include "fuzz.h"

enum { MINUTE_MS = 60000, MINUTES_WATCHED = 2000 };

static const int64_t YEAR_10000_MS = 253402300800000;

static bool has(uint64_t values, int value)
{
    return values >> value & 1;
}

/* The rule of the header, minute by minute. */
static bool fires_at(const struct cron_expr *cron, int64_t minute_ms)
{
    struct civil_time time = civil_from_unix_s(minute_ms / 1000);
    bool is_day = has(cron->days, time.day), is_weekday = has(cron->weekdays, time.weekday);

    return has(cron->minutes, time.minute) && has(cron->hours, time.hour) &&
           has(cron->months, time.month) &&
           (cron->is_either_day_enough ? is_day || is_weekday : is_day && is_weekday);
}

static void check_times(const struct cron_expr *cron, int64_t now_ms)
{
    int64_t next_ms = cron_expr_next_ms(cron, now_ms);
    int64_t previous_ms = cron_expr_previous_ms(cron, now_ms);
    int64_t minute_ms = now_ms - now_ms % MINUTE_MS;

    FUZZ_CHECK(next_ms > now_ms && next_ms % MINUTE_MS == 0 && fires_at(cron, next_ms));
    FUZZ_CHECK(previous_ms <= now_ms && previous_ms % MINUTE_MS == 0);
    FUZZ_CHECK(previous_ms < 0 || fires_at(cron, previous_ms));
    FUZZ_CHECK(cron_expr_previous_ms(cron, next_ms) == next_ms);
    FUZZ_CHECK(cron_expr_previous_ms(cron, next_ms - 1) == previous_ms);
    FUZZ_CHECK(cron_expr_next_ms(cron, previous_ms) == next_ms);
    for (int i = 1; i <= MINUTES_WATCHED; i++) {
        FUZZ_CHECK(!fires_at(cron, minute_ms + i * (int64_t)MINUTE_MS) ||
                   minute_ms + i * (int64_t)MINUTE_MS >= next_ms);
    }
}

static void append_list(char *text, size_t bytes, uint64_t values)
{
    size_t length = strlen(text);
    const char *separator = length > 0 ? " " : "";

    for (int value = 0; value < 64; value++) {
        if (!has(values, value))
            continue;
        length += (size_t)snprintf(text + length, bytes - length, "%s%d", separator, value);
        separator = ",";
    }
}

/* The sets, written out as lists, are an expression of the same sets, as far as it is not longer
 * than an expression may be. */
static void check_lists(const struct cron_expr *cron)
{
    char text[1024] = "";
    struct cron_expr again;
    struct err err = {0};

    append_list(text, sizeof text, cron->minutes);
    append_list(text, sizeof text, cron->hours);
    append_list(text, sizeof text, cron->days);
    append_list(text, sizeof text, cron->months);
    append_list(text, sizeof text, cron->weekdays);
    if (cron_expr_parse(text_view_of(text), &again, &err) != 0) {
        FUZZ_CHECK(strlen(text) > 256 || !cron->is_either_day_enough);
        return;
    }
    FUZZ_CHECK(again.minutes == cron->minutes && again.hours == cron->hours &&
               again.days == cron->days && again.months == cron->months &&
               again.weekdays == cron->weekdays);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct text_view text = fuzz_take_until(&input, '\n');
    struct cron_expr cron;
    struct err err = {0};

    fuzz_paint(&cron, sizeof cron);
    bool succeeded = cron_expr_parse(text, &cron, &err) == 0;
    if (succeeded || fuzz_is_utf8(text.data, text.length))
        fuzz_check_outcome(succeeded, &err);
    if (!succeeded) {
        FUZZ_CHECK(err.code == ERR_CONFIG);
        FUZZ_CHECK(fuzz_is_painted(&cron, sizeof cron));
        return 0;
    }
    check_lists(&cron);
    check_times(&cron, (int64_t)((uint64_t)fuzz_take_int64(&input) % (uint64_t)YEAR_10000_MS));
    return 0;
}
