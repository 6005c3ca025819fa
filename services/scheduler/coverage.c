#include "coverage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void coverage_clear(struct coverage *coverage)
{
    free(coverage->ranges);
    *coverage = (struct coverage){0};
}

/* Index of the first range that ends at or after time_ms; count if there is none. */
static size_t first_ending_from(const struct coverage *coverage, int64_t time_ms)
{
    size_t low = 0;
    size_t high = coverage->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (coverage->ranges[middle].to_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts the new_count ranges at replacement in the place of old_count ranges at index. */
static void replace(struct coverage *coverage, size_t index, size_t old_count,
                    const struct time_range *replacement, size_t new_count)
{
    const size_t count = coverage->count - old_count + new_count;

    if (count > coverage->capacity) {
        coverage->capacity = coverage->capacity ? 2 * coverage->capacity : 4;
        coverage->ranges =
            mem_realloc_array(coverage->ranges, coverage->capacity, sizeof coverage->ranges[0]);
    }
    memmove(coverage->ranges + index + new_count, coverage->ranges + index + old_count,
            (coverage->count - index - old_count) * sizeof coverage->ranges[0]);
    memcpy(coverage->ranges + index, replacement, new_count * sizeof replacement[0]);
    coverage->count = count;
}

void coverage_add(struct coverage *coverage, int64_t from_ms, int64_t to_ms)
{
    struct time_range merged = {from_ms, to_ms};
    const size_t first = first_ending_from(coverage, from_ms);
    size_t end = first;

    if (from_ms >= to_ms)
        return;
    for (; end < coverage->count && coverage->ranges[end].from_ms <= to_ms; end++) {
        const struct time_range *touched = &coverage->ranges[end];

        if (touched->from_ms < merged.from_ms)
            merged.from_ms = touched->from_ms;
        if (touched->to_ms > merged.to_ms)
            merged.to_ms = touched->to_ms;
    }
    replace(coverage, first, end - first, &merged, 1);
}

void coverage_subtract(struct coverage *coverage, int64_t from_ms, int64_t to_ms)
{
    struct time_range left_over[2];
    size_t left_count = 0;
    const size_t first = first_ending_from(coverage, from_ms);
    size_t end = first;

    if (from_ms >= to_ms)
        return;
    for (; end < coverage->count && coverage->ranges[end].from_ms < to_ms; end++) {
        const struct time_range touched = coverage->ranges[end];

        if (touched.from_ms < from_ms) /* only the first one can */
            left_over[left_count++] = (struct time_range){
                touched.from_ms, from_ms < touched.to_ms ? from_ms : touched.to_ms};
        if (touched.to_ms > to_ms) /* only the last one can */
            left_over[left_count++] = (struct time_range){to_ms, touched.to_ms};
    }
    if (end > first)
        replace(coverage, first, end - first, left_over, left_count);
}

bool coverage_contains(const struct coverage *coverage, int64_t from_ms, int64_t to_ms)
{
    struct time_range missing;

    return !coverage_last_missing(coverage, from_ms, to_ms, &missing);
}

bool coverage_last_missing(const struct coverage *coverage, int64_t from_ms, int64_t to_ms,
                           struct time_range *missing)
{
    size_t index = first_ending_from(coverage, to_ms);
    int64_t end_ms = to_ms;

    /* The range that reaches or crosses to_ms, if it begins before it, moves the end down. */
    if (index < coverage->count && coverage->ranges[index].from_ms < end_ms)
        end_ms = coverage->ranges[index].from_ms;
    if (end_ms <= from_ms)
        return false;
    missing->to_ms = end_ms;
    missing->from_ms = index > 0 && coverage->ranges[index - 1].to_ms > from_ms
                           ? coverage->ranges[index - 1].to_ms
                           : from_ms;
    return true;
}
