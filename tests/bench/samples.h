/* Durations of single events and their percentiles, and the CPU time of this process. Pure but for
 * cpu_seconds. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
    int64_t *values; /* owned */
    size_t count;
    size_t capacity;
    int64_t first_us; /* when the first of the events began; 0: none came yet */
};

/* The duration of an event. Those that began within a second of the first are left out: a topic's
 * first records take longer than all others. */
void samples_add(struct samples *samples, int64_t began_us, int64_t ended_us);
void samples_clear(struct samples *samples);
/* Prints ,"NAME":{"p50":…,"p99":…,"p999":…} in milliseconds of samples in microseconds, which it
 * sorts; nothing without samples. */
void samples_print_ms(struct samples *samples, const char *name);

double cpu_seconds(void); /* user and system, all threads */

#endif
