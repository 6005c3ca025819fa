#include "partition_plan.h"

#include <stdio.h>

#include "base/rfc3339.h"

static int64_t month_number(int64_t unix_ms)
{
    int64_t unix_s = unix_ms >= 0 ? unix_ms / 1000 : (unix_ms - 999) / 1000;
    struct civil_time civil = civil_from_unix_s(unix_s);

    return ((int64_t)civil.year - PARTITION_FIRST_YEAR) * 12 + civil.month - 1;
}

int partition_month(int64_t unix_ms, int64_t now_ms)
{
    /* The bounds in milliseconds first: the calendar need not cope with every 64-bit number. */
    int64_t first_ms = civil_to_unix_s(PARTITION_FIRST_YEAR, 1, 1, 0, 0, 0) * 1000;
    int64_t year_after_now_ms = now_ms + INT64_C(366) * 24 * 3600 * 1000;
    int64_t month;

    if (unix_ms < first_ms || unix_ms > year_after_now_ms)
        return -1;
    month = month_number(unix_ms);
    if (month > month_number(now_ms) + 1 || month >= PARTITION_MONTHS_MAX)
        return -1;
    return (int)month;
}

bool partition_is_possible(int64_t unix_ms, int64_t now_ms)
{
    static const int64_t first_ms = INT64_C(1483228800000); /* of PARTITION_FIRST_YEAR */

    return (unix_ms >= first_ms && unix_ms <= now_ms) || partition_month(unix_ms, now_ms) >= 0;
}

void partition_month_date(int month, char date[PARTITION_DATE_BYTES])
{
    (void)snprintf(date, PARTITION_DATE_BYTES, "%04u-%02u-01",
                   (unsigned)(PARTITION_FIRST_YEAR + month / 12) % 10000,
                   (unsigned)(month % 12 + 1));
}

bool month_set_has(const struct month_set *set, int month)
{
    return set->words[month / 64] >> (month % 64) & 1;
}

void month_set_add(struct month_set *set, int month)
{
    set->words[month / 64] |= UINT64_C(1) << (month % 64);
}

void month_set_add_ahead(struct month_set *set, int64_t now_ms)
{
    int64_t current = month_number(now_ms);

    for (int64_t month = current; month <= current + PARTITION_MONTHS_AHEAD; month++) {
        if (month >= 0 && month < PARTITION_MONTHS_MAX)
            month_set_add(set, (int)month);
    }
}

int month_set_next_missing(const struct month_set *wanted, const struct month_set *known, int from)
{
    for (int word = from / 64; word < PARTITION_MONTHS_MAX / 64; word++) {
        uint64_t missing = wanted->words[word] & ~known->words[word];

        if (word == from / 64)
            missing &= UINT64_MAX << (from % 64);
        if (missing)
            return word * 64 + __builtin_ctzll(missing);
    }
    return -1;
}
