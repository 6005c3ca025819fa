/*
 * Which monthly partitions of trades are needed. Pure.
 * A month is a number: 0 is January 2017, before which OKX had no spot trades.
 */
#ifndef PERSISTER_PARTITION_PLAN_H
#define PERSISTER_PARTITION_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PARTITION_FIRST_YEAR = 2017,
    PARTITION_MONTHS_MAX = 1024, /* to 2102 */
    PARTITION_MONTHS_AHEAD = 2,
    PARTITION_DATE_BYTES = 16,
};

/* The month (UTC) that holds unix_ms, or -1 if it is out of bounds: before 2017, or later than the
 * month after now_ms. Such a time is a mistake, not a reason for a partition. */
int partition_month(int64_t unix_ms, int64_t now_ms);
/* partition_month(...) >= 0, at next to no cost for a time that is past. */
bool partition_is_possible(int64_t unix_ms, int64_t now_ms);
/* "2026-11-01" */
void partition_month_date(int month, char date[PARTITION_DATE_BYTES]);

/* The months that are known to have their partition. Zeroed memory is the empty set. */
struct month_set {
    uint64_t words[PARTITION_MONTHS_MAX / 64];
};
bool month_set_has(const struct month_set *set, int month);
void month_set_add(struct month_set *set, int month);
void month_set_add_ahead(struct month_set *set, int64_t now_ms); /* this month and the next two */
/* The first month from `from` on that is in wanted and not in known; -1 if there is none. */
int month_set_next_missing(const struct month_set *wanted, const struct month_set *known, int from);

#endif
