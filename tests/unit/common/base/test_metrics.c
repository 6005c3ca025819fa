#include "tests/support/unit_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"

static char *render(struct metrics *metrics)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    metrics_render(metrics, &out);
    assert_false(out.overflowed);
    return buf_take(&out);
}

/* The text before the process's own metrics. */
static void assert_rendered(struct metrics *metrics, const char *expected)
{
    char *text = render(metrics);
    char *process = strstr(text, "# HELP process_cpu_seconds_total");
    assert_non_null(process);
    *process = '\0';
    assert_string_equal(text, expected);
    free(text);
}

static void series_of_a_name_stand_together_under_one_head(void **state)
{
    struct metrics *metrics = metrics_create();
    (void)state;
    struct metric *trades = metrics_counter(metrics, "records_total", "Records.", "topic=\"a\"");
    struct metric *gauge = metrics_gauge(metrics, "depth", "Depth.", NULL);
    struct metric *candles = metrics_counter(metrics, "records_total", "Records.", "topic=\"b\"");
    metric_increment(trades);
    metric_add(trades, 41);
    metric_increment(candles);
    metric_set(gauge, -7);
    assert_int_equal(metric_value(trades), 42);
    assert_rendered(metrics, "# HELP records_total Records.\n"
                             "# TYPE records_total counter\n"
                             "records_total{topic=\"a\"} 42\n"
                             "records_total{topic=\"b\"} 1\n"
                             "# HELP depth Depth.\n"
                             "# TYPE depth gauge\n"
                             "depth -7\n");
    metrics_destroy(metrics);
    metrics_destroy(NULL);
}

static void the_same_name_and_labels_are_the_same_series(void **state)
{
    struct metrics *metrics = metrics_create();
    char name[] = "x_total";
    char labels[] = "k=\"v\"";
    (void)state;
    struct metric *first = metrics_counter(metrics, name, "X.", labels);
    name[0] = '?';
    labels[0] = '?';
    assert_ptr_equal(first, metrics_counter(metrics, "x_total", "X.", "k=\"v\""));
    assert_ptr_not_equal(first, metrics_counter(metrics, "x_total", "X.", NULL));
    assert_ptr_not_equal(first, metrics_counter(metrics, "x_total", "X.", "k=\"w\""));
    assert_ptr_equal(metrics_gauge(metrics, "y", "Y.", NULL),
                     metrics_gauge(metrics, "y", "Y.", ""));
    metrics_destroy(metrics);
}

static void millisecond_gauges_are_printed_in_seconds(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0.000"},      {1, "0.001"},   {INT64_C(1607418537715), "1607418537.715"},
                 {-1500, "-1.500"}, {-1, "-0.001"}, {INT64_MIN, "-9223372036854775.808"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[128];
        struct metrics *metrics = metrics_create();
        metric_set(metrics_gauge_millis(metrics, "at_seconds", "At.", NULL), cases[i].value);
        snprintf(expected, sizeof expected,
                 "# HELP at_seconds At.\n# TYPE at_seconds gauge\nat_seconds %s\n", cases[i].text);
        assert_rendered(metrics, expected);
        metrics_destroy(metrics);
    }
}

static void a_histogram_counts_upwards_and_sums_in_seconds(void **state)
{
    struct metrics *metrics = metrics_create();
    static const int64_t observed_us[] = {-5, 0, 500, 501, 60000000, 60000001};
    (void)state;
    struct metric *latency = metrics_latency_histogram(metrics, "l_seconds", "L.", "a=\"b\"");
    for (size_t i = 0; i < sizeof observed_us / sizeof observed_us[0]; i++)
        metric_observe_us(latency, observed_us[i]);
    assert_rendered(metrics, "# HELP l_seconds L.\n"
                             "# TYPE l_seconds histogram\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.0005\"} 3\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.001\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.002\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.003\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.004\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.005\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.0075\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.01\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.015\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.02\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.03\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.04\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.05\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.075\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.1\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.15\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.25\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"0.5\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"1\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"2.5\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"5\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"10\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"30\"} 4\n"
                             "l_seconds_bucket{a=\"b\",le=\"60\"} 5\n"
                             "l_seconds_bucket{a=\"b\",le=\"+Inf\"} 6\n"
                             "l_seconds_sum{a=\"b\"} 120.001002\n"
                             "l_seconds_count{a=\"b\"} 6\n");
    metrics_destroy(metrics);
}

static void a_histogram_without_labels_has_no_empty_braces(void **state)
{
    struct metrics *metrics = metrics_create();
    (void)state;
    metric_observe_us(metrics_latency_histogram(metrics, "l_seconds", "L.", NULL), 1);
    char *text = render(metrics);
    assert_non_null(strstr(text, "\nl_seconds_bucket{le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(text, "\nl_seconds_sum 0.000001\n"));
    assert_non_null(strstr(text, "\nl_seconds_count 1\n"));
    free(text);
    metrics_destroy(metrics);
}

static void label_values_and_help_are_escaped(void **state)
{
    struct metrics *metrics = metrics_create();
    struct buf labels;
    (void)state;
    buf_init(&labels, 1000);
    metrics_append_label(&labels, "topic", "trades");
    metrics_append_label(&labels, "reason", "a\"b\\c\nd");
    assert_string_equal(labels.data, "topic=\"trades\",reason=\"a\\\"b\\\\c\\nd\"");
    metric_set(metrics_gauge(metrics, "x", "one\ntwo \\ three", labels.data), 1);
    assert_rendered(metrics, "# HELP x one\\ntwo \\\\ three\n# TYPE x gauge\n"
                             "x{topic=\"trades\",reason=\"a\\\"b\\\\c\\nd\"} 1\n");
    buf_clear(&labels);
    metrics_destroy(metrics);
}

static double process_metric(const char *text, const char *name)
{
    char start[128];
    snprintf(start, sizeof start, "\n%s ", name);
    const char *line = strstr(text, start);
    assert_non_null(line);
    assert_non_null(strstr(text, "# TYPE "));
    return strtod(line + strlen(start), NULL);
}

static void the_process_reports_on_itself(void **state)
{
    struct metrics *metrics = metrics_create();
    (void)state;
    char *before = render(metrics);
    int fd = dup(STDERR_FILENO);
    char *after = render(metrics);
    assert_true(process_metric(after, "process_cpu_seconds_total") >=
                process_metric(before, "process_cpu_seconds_total"));
    assert_true(process_metric(after, "process_open_fds") ==
                process_metric(before, "process_open_fds") + 1);
    assert_true(process_metric(after, "process_open_fds") >= 3);
    assert_true(process_metric(after, "process_max_fds") >= 64);
    assert_true(process_metric(after, "process_resident_memory_bytes") > 100000);
    assert_true(process_metric(after, "process_virtual_memory_bytes") >=
                process_metric(after, "process_resident_memory_bytes"));
    double age = (double)time(NULL) - process_metric(after, "process_start_time_seconds");
    assert_true(age > -2 && age < 60);
    close(fd);
    free(before);
    free(after);
    metrics_destroy(metrics);
}

static void a_render_that_does_not_fit_is_marked(void **state)
{
    struct metrics *metrics = metrics_create();
    struct buf out;
    (void)state;
    buf_init(&out, 50);
    metrics_render(metrics, &out);
    assert_true(out.overflowed);
    buf_clear(&out);
    metrics_destroy(metrics);
}

enum { THREADS = 4, UPDATES_EACH = 20000 };

static void *update(void *context)
{
    struct metrics *metrics = context;
    struct metric *counter = metrics_counter(metrics, "c_total", "C.", NULL);
    struct metric *latency = metrics_latency_histogram(metrics, "l_seconds", "L.", NULL);
    for (int i = 0; i < UPDATES_EACH; i++) {
        metric_increment(counter);
        metric_observe_us(latency, i);
    }
    return NULL;
}

static void updates_from_many_threads_are_all_counted(void **state)
{
    struct metrics *metrics = metrics_create();
    pthread_t threads[THREADS];
    char expected[64];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, update, metrics), 0);
    for (int i = 0; i < 20; i++)
        free(render(metrics));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    char *text = render(metrics);
    snprintf(expected, sizeof expected, "\nc_total %d\n", THREADS * UPDATES_EACH);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof expected, "\nl_seconds_count %d\n", THREADS * UPDATES_EACH);
    assert_non_null(strstr(text, expected));
    free(text);
    metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_of_a_name_stand_together_under_one_head),
        cmocka_unit_test(the_same_name_and_labels_are_the_same_series),
        cmocka_unit_test(millisecond_gauges_are_printed_in_seconds),
        cmocka_unit_test(a_histogram_counts_upwards_and_sums_in_seconds),
        cmocka_unit_test(a_histogram_without_labels_has_no_empty_braces),
        cmocka_unit_test(label_values_and_help_are_escaped),
        cmocka_unit_test(the_process_reports_on_itself),
        cmocka_unit_test(a_render_that_does_not_fit_is_marked),
        cmocka_unit_test(updates_from_many_threads_are_all_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
