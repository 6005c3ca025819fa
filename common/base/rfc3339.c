#include "base/rfc3339.h"

#include <stdbool.h>

enum { SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400 };

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

/* The rest of floor_divide, 0 to divisor - 1. */
static int64_t floor_modulo(int64_t value, int64_t divisor)
{
    int64_t rest = value % divisor;
    return rest < 0 ? rest + divisor : rest;
}

/* Days since 1970-01-01 and back, for any year: Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms". Years begin in March there, so that the leap day is the last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    int64_t year_of_era = floor_modulo(year, YEARS_PER_ERA);
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - 719468;
}

static void civil_from_days(int64_t days, struct civil_time *civil)
{
    days += 719468;
    int64_t era = floor_divide(days, DAYS_PER_ERA);
    int64_t day_of_era = floor_modulo(days, DAYS_PER_ERA);
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    civil->day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    civil->month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    civil->year = (int)(year_of_era + era * YEARS_PER_ERA + (civil->month <= 2));
}

struct civil_time civil_from_unix_s(int64_t unix_s)
{
    struct civil_time civil;
    int64_t days = floor_divide(unix_s, SECONDS_PER_DAY);
    int second_of_day = (int)floor_modulo(unix_s, SECONDS_PER_DAY);
    civil_from_days(days, &civil);
    civil.hour = second_of_day / 3600;
    civil.minute = second_of_day / 60 % 60;
    civil.second = second_of_day % 60;
    civil.weekday = (int)floor_modulo(days + 4, 7); /* 1970-01-01: a Thursday */
    return civil;
}

int64_t civil_to_unix_s(int year, int month, int day, int hour, int minute, int second)
{
    return days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
}

static char *write_number(char *text, int64_t number, int digits)
{
    for (int i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return text + digits;
}

static char *write_year(char *text, int64_t year)
{
    if (year < 0) {
        *text++ = '-';
        year = -year;
    }
    int digits = 4;
    for (int64_t rest = year / 10000; rest > 0; rest /= 10)
        digits++;
    return write_number(text, year, digits);
}

/* fraction_digits of fraction behind the point; 0: none. */
static void format(int64_t unix_s, int64_t fraction, int fraction_digits, char *text)
{
    struct civil_time civil = civil_from_unix_s(unix_s);
    text = write_year(text, civil.year);
    *text++ = '-';
    text = write_number(text, civil.month, 2);
    *text++ = '-';
    text = write_number(text, civil.day, 2);
    *text++ = 'T';
    text = write_number(text, civil.hour, 2);
    *text++ = ':';
    text = write_number(text, civil.minute, 2);
    *text++ = ':';
    text = write_number(text, civil.second, 2);
    if (fraction_digits) {
        *text++ = '.';
        text = write_number(text, fraction, fraction_digits);
    }
    *text++ = 'Z';
    *text = '\0';
}

void rfc3339_format_ms(int64_t unix_ms, char text[RFC3339_BYTES])
{
    format(floor_divide(unix_ms, 1000), floor_modulo(unix_ms, 1000), 3, text);
}

void rfc3339_format_us(int64_t unix_us, char text[RFC3339_BYTES])
{
    format(floor_divide(unix_us, 1000000), floor_modulo(unix_us, 1000000), 6, text);
}

void rfc3339_format_s(int64_t unix_ms, char text[RFC3339_BYTES])
{
    format(floor_divide(unix_ms, 1000), 0, 0, text);
}

/* The readers below advance rest, or return false. */
static bool read_number(struct text_view *rest, size_t digits, int *number)
{
    int sum = 0;
    if (rest->length < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char byte = rest->data[i];
        if (byte < '0' || byte > '9')
            return false;
        sum = sum * 10 + (byte - '0');
    }
    rest->data += digits;
    rest->length -= digits;
    *number = sum;
    return true;
}

static bool read_char(struct text_view *rest, char byte)
{
    if (rest->length == 0 || rest->data[0] != byte)
        return false;
    rest->data++;
    rest->length--;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool read_date(struct text_view *rest, struct civil_time *civil)
{
    return read_number(rest, 4, &civil->year) && read_char(rest, '-') &&
           read_number(rest, 2, &civil->month) && read_char(rest, '-') &&
           read_number(rest, 2, &civil->day) && civil->year >= 1 && civil->month >= 1 &&
           civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_in_month(civil->year, civil->month);
}

static bool read_time(struct text_view *rest, struct civil_time *civil)
{
    return read_number(rest, 2, &civil->hour) && read_char(rest, ':') &&
           read_number(rest, 2, &civil->minute) && read_char(rest, ':') &&
           read_number(rest, 2, &civil->second) && civil->hour < 24 && civil->minute < 60 &&
           civil->second < 60;
}

/* Digits beyond the sixth are cut off. */
static bool read_fraction(struct text_view *rest, int64_t *microseconds)
{
    int64_t weight = 100000;
    int digit;
    if (!read_char(rest, '.'))
        return true;
    if (!read_number(rest, 1, &digit))
        return false;
    do {
        *microseconds += digit * weight;
        weight /= 10;
    } while (read_number(rest, 1, &digit));
    return true;
}

static bool read_zone(struct text_view *rest, int64_t *offset_s)
{
    int hours, minutes;
    if (read_char(rest, 'Z') || read_char(rest, 'z'))
        return true;
    bool is_west = read_char(rest, '-');
    if (!is_west && !read_char(rest, '+'))
        return false;
    if (!read_number(rest, 2, &hours) || !read_char(rest, ':') || !read_number(rest, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *offset_s = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_date_time(struct text_view rest, int64_t *unix_us)
{
    struct civil_time civil = {0};
    int64_t microseconds = 0;
    int64_t offset_s = 0;

    if (!read_date(&rest, &civil))
        return false;
    if (rest.length > 0) {
        bool has_separator =
            read_char(&rest, 'T') || read_char(&rest, 't') || read_char(&rest, ' ');
        if (!has_separator || !read_time(&rest, &civil) || !read_fraction(&rest, &microseconds) ||
            !read_zone(&rest, &offset_s) || rest.length > 0)
            return false;
    }
    int64_t unix_s =
        civil_to_unix_s(civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
    *unix_us = (unix_s - offset_s) * 1000000 + microseconds;
    return true;
}

int rfc3339_parse_us(struct text_view text, int64_t *unix_us, struct err *err)
{
    if (!read_date_time(text, unix_us))
        return err_set(err, ERR_PROTOCOL,
                       "'%.*s' is not a date (2020-01-01) or a time (2020-01-01T12:00:00Z)",
                       TEXT_VIEW_ARGS(text));
    return 0;
}

int rfc3339_parse_ms(struct text_view text, int64_t *unix_ms, struct err *err)
{
    int64_t unix_us = 0;

    if (rfc3339_parse_us(text, &unix_us, err) != 0)
        return -1;
    *unix_ms = floor_divide(unix_us, 1000);
    return 0;
}
