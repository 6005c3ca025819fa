#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum { SETTLE_US = 1000 * 1000 };

void samples_add(struct samples *samples, int64_t began_us, int64_t ended_us)
{
    if (samples->first_us == 0)
        samples->first_us = began_us;
    if (began_us - samples->first_us < SETTLE_US)
        return;
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? 2 * samples->capacity : 1024;
        samples->values =
            mem_realloc_array(samples->values, samples->capacity, sizeof *samples->values);
    }
    samples->values[samples->count++] = ended_us - began_us;
}

void samples_clear(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){0};
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static double at_ms(const struct samples *samples, double share)
{
    size_t index = (size_t)(share * (double)samples->count);

    return (double)samples->values[index < samples->count ? index : samples->count - 1] / 1000;
}

void samples_print_ms(struct samples *samples, const char *name)
{
    if (samples->count == 0)
        return;
    qsort(samples->values, samples->count, sizeof *samples->values, compare);
    printf(",\"%s\":{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f}", name, at_ms(samples, 0.5),
           at_ms(samples, 0.99), at_ms(samples, 0.999));
}

double cpu_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}
