/*
 * Counters, gauges and histograms in the text form of Prometheus. Metrics are made once at start
 * and live until the registry is destroyed; updating one is a relaxed atomic operation.
 * Thread-safe.
 *
 * Names carry the prefix currency_trends_ and base units (_seconds, _bytes, _total); labels are
 * bounded sets (topic, kind, endpoint), never ids.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"

struct metrics; /* the registry */
struct metric;  /* one time series: a name with its label values */

/* Once, at start: process_start_time_seconds is the time of this call. */
struct metrics *metrics_create(void) MUST_CHECK;
void metrics_destroy(struct metrics *metrics);

/*
 * labels is NULL or the inside of the braces, ready to print: "topic=\"trades\"". Asking again for
 * the same name and labels returns the same series; name, help and labels are copied. Never NULL.
 */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const char *labels) MUST_CHECK;
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const char *labels) MUST_CHECK;
/* Buckets from 0.5 ms to 60 s, observed in microseconds, printed in seconds. */
struct metric *metrics_latency_histogram(struct metrics *metrics, const char *name,
                                         const char *help, const char *labels) MUST_CHECK;
/* As metrics_gauge, printed as value / 1000: for times kept in milliseconds and shown in seconds.
 */
struct metric *metrics_gauge_millis(struct metrics *metrics, const char *name, const char *help,
                                    const char *labels) MUST_CHECK;

/* Appends name="value", the value escaped, behind a comma unless out is empty: for labels whose
 * values are not constants. */
void metrics_append_label(struct buf *out, const char *name, const char *value);

void metric_add(struct metric *metric, int64_t amount);
static inline void metric_increment(struct metric *metric)
{
    metric_add(metric, 1);
}
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric);
void metric_observe_us(struct metric *metric, int64_t microseconds);

/* The whole exposition, with # HELP and # TYPE once per name, and the process_* standard metrics
 * (cpu, resident memory, open files, start time). */
void metrics_render(struct metrics *metrics, struct buf *out);

#endif
