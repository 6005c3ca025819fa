/*
 * A set of times as disjoint half-open ranges [from, to), ascending: what of a series is there.
 * Pure. Touching ranges are merged, so a series without holes is one range. One owner.
 */
#ifndef SCHEDULER_COVERAGE_H
#define SCHEDULER_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct time_range {
    int64_t from_ms;
    int64_t to_ms; /* exclusive */
};

/* All zero is the empty set. */
struct coverage {
    struct time_range *ranges; /* owned */
    size_t count;
    size_t capacity;
};

void coverage_clear(struct coverage *coverage);
/* An empty or inverted range changes nothing. */
void coverage_add(struct coverage *coverage, int64_t from_ms, int64_t to_ms);
void coverage_subtract(struct coverage *coverage, int64_t from_ms, int64_t to_ms);
bool coverage_contains(const struct coverage *coverage, int64_t from_ms, int64_t to_ms);
/* The latest stretch within [from, to) that the set lacks; false when it lacks nothing. */
bool coverage_last_missing(const struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                           struct time_range *missing);

#endif
