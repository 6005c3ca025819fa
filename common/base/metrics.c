#include "base/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_GAUGE_MILLIS, KIND_HISTOGRAM };

/* Close together where trades usually are: a quantile is a guess within its bucket. */
static const struct {
    int64_t upper_us;
    const char *label; /* the same in seconds */
} buckets[] = {
    {500, "0.0005"},  {1000, "0.001"},  {2000, "0.002"},  {3000, "0.003"},  {4000, "0.004"},
    {5000, "0.005"},  {7500, "0.0075"}, {10000, "0.01"},  {15000, "0.015"}, {20000, "0.02"},
    {30000, "0.03"},  {40000, "0.04"},  {50000, "0.05"},  {75000, "0.075"}, {100000, "0.1"},
    {150000, "0.15"}, {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"},
    {5000000, "5"},   {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
};

enum { BUCKET_COUNT = sizeof buckets / sizeof buckets[0] };

struct metric {
    struct metric *next; /* of the same family */
    enum metric_kind kind;
    char *labels;               /* "" when there are none */
    atomic_int_least64_t value; /* of a histogram: the sum of what was observed, microseconds */
    atomic_int_least64_t in_bucket[BUCKET_COUNT + 1]; /* not cumulative; the last: above all */
};

/* All series of one name. */
struct family {
    struct family *next;
    enum metric_kind kind;
    char *name, *help;
    struct metric *first;
};

struct metrics {
    pthread_mutex_t lock; /* protects the lists, not the values */
    struct family *first;
    int64_t created_ms;
};

struct metrics *metrics_create(void)
{
    struct metrics *metrics = mem_calloc(1, sizeof *metrics);
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->created_ms = clock_wall_ms();
    return metrics;
}

static void destroy_family(struct family *family)
{
    struct metric *metric = family->first;
    while (metric) {
        struct metric *next = metric->next;
        free(metric->labels);
        free(metric);
        metric = next;
    }
    free(family->name);
    free(family->help);
    free(family);
}

void metrics_destroy(struct metrics *metrics)
{
    if (!metrics)
        return;
    struct family *family = metrics->first;
    while (family) {
        struct family *next = family->next;
        destroy_family(family);
        family = next;
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static struct family *find_or_add_family(struct metrics *metrics, enum metric_kind kind,
                                         const char *name, const char *help)
{
    struct family **place = &metrics->first;
    for (; *place; place = &(*place)->next) {
        if (strcmp((*place)->name, name) == 0) {
            assert((*place)->kind == kind);
            return *place;
        }
    }
    struct family *family = mem_calloc(1, sizeof *family);
    family->kind = kind;
    family->name = mem_strdup(name);
    family->help = mem_strdup(help);
    *place = family;
    return family;
}

static struct metric *find_or_add(struct metrics *metrics, enum metric_kind kind, const char *name,
                                  const char *help, const char *labels)
{
    if (!labels)
        labels = "";
    pthread_mutex_lock(&metrics->lock);
    struct metric **place = &find_or_add_family(metrics, kind, name, help)->first;
    while (*place && strcmp((*place)->labels, labels) != 0)
        place = &(*place)->next;
    if (!*place) {
        *place = mem_calloc(1, sizeof **place);
        (*place)->kind = kind;
        (*place)->labels = mem_strdup(labels);
    }
    struct metric *metric = *place;
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const char *labels)
{
    return find_or_add(metrics, KIND_COUNTER, name, help, labels);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const char *labels)
{
    return find_or_add(metrics, KIND_GAUGE, name, help, labels);
}

struct metric *metrics_latency_histogram(struct metrics *metrics, const char *name,
                                         const char *help, const char *labels)
{
    return find_or_add(metrics, KIND_HISTOGRAM, name, help, labels);
}

struct metric *metrics_gauge_millis(struct metrics *metrics, const char *name, const char *help,
                                    const char *labels)
{
    return find_or_add(metrics, KIND_GAUGE_MILLIS, name, help, labels);
}

void metric_add(struct metric *metric, int64_t amount)
{
    atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, int64_t microseconds)
{
    size_t i = 0;
    if (microseconds < 0) /* two clocks that disagree */
        microseconds = 0;
    while (i < BUCKET_COUNT && microseconds > buckets[i].upper_us)
        i++;
    atomic_fetch_add_explicit(&metric->in_bucket[i], 1, memory_order_relaxed);
    metric_add(metric, microseconds);
}

void metrics_append_label(struct buf *out, const char *name, const char *value)
{
    if (out->length > 0)
        buf_append_char(out, ',');
    buf_append_format(out, "%s=\"", name);
    for (const char *byte = value; *byte; byte++) {
        if (*byte == '\n') {
            buf_append_text(out, "\\n");
            continue;
        }
        if (*byte == '"' || *byte == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *byte);
    }
    buf_append_char(out, '"');
}

/* A signed count of 1/unit as a plain number: 1500 of 1000 is "1.500". */
static void append_fraction(struct buf *out, int64_t value, int64_t unit)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    buf_append_format(out, "%s%llu.%0*llu", value < 0 ? "-" : "",
                      (unsigned long long)(magnitude / (uint64_t)unit), unit == 1000 ? 3 : 6,
                      (unsigned long long)(magnitude % (uint64_t)unit));
}

static void append_series(struct buf *out, const char *name, const char *suffix, const char *labels)
{
    buf_append_format(out, "%s%s", name, suffix);
    if (*labels)
        buf_append_format(out, "{%s}", labels);
    buf_append_char(out, ' ');
}

static void render_histogram(struct buf *out, const char *name, const struct metric *metric)
{
    const char *comma = *metric->labels ? "," : "";
    long long count = 0;
    for (size_t i = 0; i <= BUCKET_COUNT; i++) {
        count += atomic_load_explicit(&metric->in_bucket[i], memory_order_relaxed);
        buf_append_format(out, "%s_bucket{%s%sle=\"%s\"} %lld\n", name, metric->labels, comma,
                          i < BUCKET_COUNT ? buckets[i].label : "+Inf", count);
    }
    append_series(out, name, "_sum", metric->labels);
    append_fraction(out, metric_value(metric), 1000000);
    buf_append_char(out, '\n');
    append_series(out, name, "_count", metric->labels);
    buf_append_format(out, "%lld\n", count);
}

static void render_head(struct buf *out, const char *name, const char *help, const char *type)
{
    buf_append_format(out, "# HELP %s ", name);
    for (const char *byte = help; *byte; byte++) {
        if (*byte == '\n' || *byte == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *byte == '\n' ? 'n' : *byte);
    }
    buf_append_format(out, "\n# TYPE %s %s\n", name, type);
}

static void render_family(struct buf *out, const struct family *family)
{
    static const char *const types[] = {"counter", "gauge", "gauge", "histogram"};
    render_head(out, family->name, family->help, types[family->kind]);
    for (const struct metric *metric = family->first; metric; metric = metric->next) {
        if (family->kind == KIND_HISTOGRAM) {
            render_histogram(out, family->name, metric);
            continue;
        }
        append_series(out, family->name, "", metric->labels);
        if (family->kind == KIND_GAUGE_MILLIS)
            append_fraction(out, metric_value(metric), 1000);
        else
            buf_append_format(out, "%lld", (long long)metric_value(metric));
        buf_append_char(out, '\n');
    }
}

static void render_integer(struct buf *out, const char *name, const char *help, long long value)
{
    render_head(out, name, help, "gauge");
    buf_append_format(out, "%s %lld\n", name, value);
}

static long long count_open_files(void)
{
    long long count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return 0;
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
        if (entry->d_name[0] != '.')
            count++;
    closedir(directory);
    return count - 1; /* but for the directory itself */
}

static void render_memory(struct buf *out)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    char *end = fgets(line, sizeof line, file);
    fclose(file);
    if (!end)
        return;
    long long page_bytes = sysconf(_SC_PAGESIZE);
    long long virtual_pages = strtoll(line, &end, 10);
    long long resident_pages = strtoll(end, NULL, 10);
    render_integer(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
                   virtual_pages * page_bytes);
    render_integer(out, "process_resident_memory_bytes", "Resident memory size in bytes.",
                   resident_pages * page_bytes);
}

static void render_process(struct buf *out, int64_t started_ms)
{
    struct timespec cpu = {0};
    struct rlimit limit = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    render_head(out, "process_cpu_seconds_total",
                "Total user and system CPU time spent in seconds.", "counter");
    buf_append_text(out, "process_cpu_seconds_total ");
    append_fraction(out, (int64_t)cpu.tv_sec * 1000000 + cpu.tv_nsec / 1000, 1000000);
    buf_append_char(out, '\n');
    render_memory(out);
    render_integer(out, "process_open_fds", "Number of open file descriptors.", count_open_files());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        render_integer(out, "process_max_fds", "Maximum number of open file descriptors.",
                       (long long)limit.rlim_cur);
    render_head(out, "process_start_time_seconds",
                "Start time of the process since the Unix epoch in seconds.", "gauge");
    buf_append_text(out, "process_start_time_seconds ");
    append_fraction(out, started_ms, 1000);
    buf_append_char(out, '\n');
}

void metrics_render(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (const struct family *family = metrics->first; family; family = family->next)
        render_family(out, family);
    pthread_mutex_unlock(&metrics->lock);
    render_process(out, metrics->created_ms);
}
