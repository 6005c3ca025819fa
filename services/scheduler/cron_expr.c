#include "cron_expr.h"

#include <string.h>
#include <strings.h>

#include "base/rfc3339.h"

enum {
    CRON_TEXT_MAX = 256,
    MINUTE_MS = 60 * 1000,
    DAY_MINUTES = 24 * 60,
    DAY_S = 24 * 60 * 60,
    WEEKDAY_SUNDAY_AGAIN = 7,
};

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct cron_field {
    const char *name;
    int min, max;
    int cycle_max; /* where a star or an open step ends: 6 for weekdays, so that Sunday is once */
    const char *const *value_names; /* value_names[0] stands for min; NULL: numbers only */
    int value_name_count;
};

enum { FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY, FIELD_COUNT };

static const struct cron_field fields[FIELD_COUNT] = {
    [FIELD_MINUTE] = {"minute", 0, 59, 59, NULL, 0},
    [FIELD_HOUR] = {"hour", 0, 23, 23, NULL, 0},
    [FIELD_DAY] = {"day of month", 1, 31, 31, NULL, 0},
    [FIELD_MONTH] = {"month", 1, 12, 12, month_names, 12},
    [FIELD_WEEKDAY] = {"day of week", 0, 7, 6, weekday_names, 7},
};

static const struct {
    const char *name;
    const char *expression;
} macros[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

static bool equals_ignoring_case(struct text_view text, const char *name)
{
    return strlen(name) == text.length && strncasecmp(text.data, name, text.length) == 0;
}

static int parse_value(const struct cron_field *field, struct text_view text, int *value,
                       struct err *err)
{
    int64_t number = 0;
    struct err ignored = {0};

    for (int i = 0; i < field->value_name_count; i++) {
        if (equals_ignoring_case(text, field->value_names[i])) {
            *value = field->min + i;
            return 0;
        }
    }
    if (text_view_read_int64(text, &number, &ignored) != 0 && ignored.code != ERR_OUT_OF_RANGE)
        return err_set(err, ERR_CONFIG, "%s '%.*s' is not a %s", field->name, TEXT_VIEW_ARGS(text),
                       field->value_names ? "number or a three-letter name" : "number");
    if (ignored.code == ERR_OUT_OF_RANGE || number < field->min || number > field->max)
        return err_set(err, ERR_CONFIG, "%s '%.*s' is not within %d-%d", field->name,
                       TEXT_VIEW_ARGS(text), field->min, field->max);
    *value = (int)number;
    return 0;
}

static int parse_step(const struct cron_field *field, struct text_view text, int *step,
                      struct err *err)
{
    int64_t number = 0;
    struct err ignored = {0};

    if (text_view_read_int64(text, &number, &ignored) != 0 || number < 1 || number > field->max)
        return err_set(err, ERR_CONFIG, "%s step '%.*s' is not within 1-%d", field->name,
                       TEXT_VIEW_ARGS(text), field->max);
    *step = (int)number;
    return 0;
}

/* Cuts text at the first separator; false (text unchanged) when there is none. */
static bool cut_behind(struct text_view *text, char separator, struct text_view *behind)
{
    const char *at = memchr(text->data, separator, text->length);

    if (!at)
        return false;
    behind->data = at + 1;
    behind->length = text->length - (size_t)(at + 1 - text->data);
    text->length = (size_t)(at - text->data);
    return true;
}

/* "5-7" and "FRI-SUN" end on Sunday, "7-3" and "SUN-WED" begin with it. */
static void order_weekdays(int *low, int *high)
{
    if (*low == WEEKDAY_SUNDAY_AGAIN)
        *low = 0;
    else if (*high == 0 && *low > 0)
        *high = WEEKDAY_SUNDAY_AGAIN;
}

/* One piece of a field's list: "*", "3", "1-5", each with an optional "/step". */
static int parse_item(const struct cron_field *field, struct text_view item, uint64_t *values,
                      struct err *err)
{
    const struct text_view whole = item;
    struct text_view step_text = {0};
    struct text_view high_text = {0};
    int step = 1;
    int low = field->min;
    int high = field->cycle_max;
    const bool has_step = cut_behind(&item, '/', &step_text);

    if (has_step && parse_step(field, step_text, &step, err) != 0)
        return -1;
    if (!text_view_equals(item, "*")) {
        const bool is_range = cut_behind(&item, '-', &high_text);

        if (parse_value(field, item, &low, err) != 0 ||
            (is_range && parse_value(field, high_text, &high, err) != 0))
            return -1;
        if (!is_range && !has_step)
            high = low;
        if (field == &fields[FIELD_WEEKDAY] && (is_range || has_step) &&
            !(low == WEEKDAY_SUNDAY_AGAIN && high == WEEKDAY_SUNDAY_AGAIN))
            order_weekdays(&low, &high);
    }
    if (low > high)
        return err_set(err, ERR_CONFIG, "%s range '%.*s' runs backwards", field->name,
                       TEXT_VIEW_ARGS(whole));
    for (int value = low; value <= high; value += step)
        *values |= UINT64_C(1) << value;
    return 0;
}

static int parse_field(const struct cron_field *field, struct text_view text, uint64_t *values,
                       struct err *err)
{
    struct text_view item;

    *values = 0;
    if (text.data[text.length - 1] == ',')
        return err_set(err, ERR_CONFIG, "%s '%.*s' ends with a comma", field->name,
                       TEXT_VIEW_ARGS(text));
    while (text_view_split(&text, ',', &item)) {
        if (parse_item(field, item, values, err) != 0)
            return -1;
    }
    if (*values & (UINT64_C(1) << WEEKDAY_SUNDAY_AGAIN) && field == &fields[FIELD_WEEKDAY])
        *values = (*values & ~(UINT64_C(1) << WEEKDAY_SUNDAY_AGAIN)) | 1;
    return 0;
}

/* Whether some month of the set has some day of the set. 29 February comes on every weekday within
 * 400 years, so weekdays cannot make a date impossible. */
static bool has_possible_date(const struct cron_expr *cron)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    for (int month = 1; month <= 12; month++) {
        const uint64_t days_of_month = (UINT64_C(1) << (month_days[month - 1] + 1)) - 1;

        if (cron->months >> month & 1 && cron->days & days_of_month)
            return true;
    }
    return cron->is_either_day_enough;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Splits at runs of blanks; returns how many words there are, which may exceed FIELD_COUNT. */
static int split_words(struct text_view text, struct text_view words[FIELD_COUNT])
{
    int count = 0;

    for (size_t i = 0; i < text.length;) {
        size_t end = i;

        while (end < text.length && !is_blank(text.data[end]))
            end++;
        if (end > i) {
            if (count < FIELD_COUNT)
                words[count] = (struct text_view){text.data + i, end - i};
            count++;
        }
        i = end + 1;
    }
    return count;
}

static struct text_view expand_macro(struct text_view text)
{
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        if (equals_ignoring_case(text, macros[i].name))
            return text_view_of(macros[i].expression);
    }
    return text;
}

int cron_expr_parse(struct text_view text, struct cron_expr *cron, struct err *err)
{
    struct cron_expr parsed = {0};
    uint64_t *const targets[FIELD_COUNT] = {&parsed.minutes, &parsed.hours, &parsed.days,
                                            &parsed.months, &parsed.weekdays};
    struct text_view words[FIELD_COUNT];
    int count = 0;

    if (text.length > CRON_TEXT_MAX)
        return err_set(err, ERR_CONFIG, "cron expression is longer than %d bytes", CRON_TEXT_MAX);
    text = text_view_trim(text);
    if (text.length > 0 && text.data[0] == '@') {
        const struct text_view expanded = expand_macro(text);

        if (expanded.data == text.data)
            return err_set(err, ERR_CONFIG, "macro '%.*s' is not known", TEXT_VIEW_ARGS(text));
        text = expanded;
    }
    count = split_words(text, words);
    if (count != FIELD_COUNT)
        return err_set(err, ERR_CONFIG,
                       "cron expression '%.*s' has %d fields instead of %d (minute, hour, day of "
                       "month, month, day of week)",
                       TEXT_VIEW_ARGS(text), count, FIELD_COUNT);
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (parse_field(&fields[i], words[i], targets[i], err) != 0)
            return -1;
    }
    parsed.is_either_day_enough =
        words[FIELD_DAY].data[0] != '*' && words[FIELD_WEEKDAY].data[0] != '*';
    if (!has_possible_date(&parsed))
        return err_set(err, ERR_CONFIG,
                       "cron expression '%.*s' never fires: none of its months has such a day",
                       TEXT_VIEW_ARGS(text));
    *cron = parsed;
    return 0;
}

static bool has(uint64_t values, int value)
{
    return values >> value & 1;
}

static bool day_matches(const struct cron_expr *cron, const struct civil_time *date)
{
    const bool is_day = has(cron->days, date->day);
    const bool is_weekday = has(cron->weekdays, date->weekday);

    return cron->is_either_day_enough ? is_day || is_weekday : is_day && is_weekday;
}

/* The smallest value of the set that is at least from, or -1. */
static int lowest_from(uint64_t values, int from)
{
    const uint64_t rest = from < 64 ? values >> from << from : 0;

    return rest ? __builtin_ctzll(rest) : -1;
}

/* The largest value of the set that is at most to, or -1. */
static int highest_to(uint64_t values, int to)
{
    const uint64_t rest = to < 0 ? 0 : values << (63 - to) >> (63 - to);

    return rest ? 63 - __builtin_clzll(rest) : -1;
}

/* The first firing minute of a matching day that is at least from (0-1439), or -1. */
static int first_minute_of_day(const struct cron_expr *cron, int from)
{
    int hour = from / 60;
    int minute = has(cron->hours, hour) ? lowest_from(cron->minutes, from % 60) : -1;

    if (minute < 0) {
        hour = lowest_from(cron->hours, hour + 1);
        minute = lowest_from(cron->minutes, 0);
    }
    return hour < 0 ? -1 : hour * 60 + minute;
}

static int last_minute_of_day(const struct cron_expr *cron, int to)
{
    int hour = to / 60;
    int minute = has(cron->hours, hour) ? highest_to(cron->minutes, to % 60) : -1;

    if (minute < 0) {
        hour = highest_to(cron->hours, hour - 1);
        minute = highest_to(cron->minutes, 59);
    }
    return hour < 0 ? -1 : hour * 60 + minute;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static int64_t first_day_of_next_month(const struct civil_time *date)
{
    const int year = date->year + (date->month == 12);

    return floor_divide(civil_to_unix_s(year, date->month % 12 + 1, 1, 0, 0, 0), DAY_S);
}

int64_t cron_expr_next_ms(const struct cron_expr *cron, int64_t after_ms)
{
    const int64_t start = floor_divide(after_ms, MINUTE_MS) + 1;
    int64_t day = floor_divide(start, DAY_MINUTES);
    int from = (int)(start - day * DAY_MINUTES);

    for (;;) {
        const struct civil_time date = civil_from_unix_s(day * DAY_S);
        int64_t following = day + 1;

        if (!has(cron->months, date.month)) {
            following = first_day_of_next_month(&date);
        } else if (day_matches(cron, &date)) {
            const int minute = first_minute_of_day(cron, from);

            if (minute >= 0)
                return (day * DAY_MINUTES + minute) * MINUTE_MS;
        }
        day = following;
        from = 0;
    }
}

int64_t cron_expr_previous_ms(const struct cron_expr *cron, int64_t at_ms)
{
    const int64_t start = floor_divide(at_ms, MINUTE_MS);
    int64_t day = floor_divide(start, DAY_MINUTES);
    int to = (int)(start - day * DAY_MINUTES);

    for (;;) {
        const struct civil_time date = civil_from_unix_s(day * DAY_S);
        int64_t preceding = day - 1;

        if (!has(cron->months, date.month)) {
            preceding = day - date.day; /* the last day of the month before */
        } else if (day_matches(cron, &date)) {
            const int minute = last_minute_of_day(cron, to);

            if (minute >= 0)
                return (day * DAY_MINUTES + minute) * MINUTE_MS;
        }
        day = preceding;
        to = DAY_MINUTES - 1;
    }
}
