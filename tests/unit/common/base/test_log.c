#include "tests/support/unit_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "base/rfc3339.h"
#include "tests/support/captured_child.h"

static int write_all_kinds(void *unused)
{
    (void)unused;
    log_configure("ingestor", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_warn("reconnecting to OKX", LOG_INT("attempt", 3), LOG_STR("host", "ws.okx.com"),
             LOG_BOOL("is_first", true), LOG_BOOL("is_last", 0), LOG_STR("reason", NULL),
             LOG_INT("least", INT64_MIN));
    return 0;
}

static void a_json_line_holds_the_fields_in_order(void **state)
{
    struct captured_child child = captured_child_run(write_all_kinds, NULL);
    const char *tail = "Z\",\"level\":\"warn\",\"service\":\"ingestor\","
                       "\"msg\":\"reconnecting to OKX\",\"attempt\":3,\"host\":\"ws.okx.com\","
                       "\"is_first\":true,\"is_last\":false,\"reason\":null,"
                       "\"least\":-9223372036854775808}\n";
    (void)state;
    assert_memory_equal(child.err, "{\"ts\":\"", 7);
    assert_string_equal(strchr(child.err, 'Z'), tail);
    struct text_view time = {.data = child.err + 7, .length = 24};
    struct err err;
    int64_t unix_ms;
    assert_int_equal(rfc3339_parse_ms(time, &unix_ms, &err), 0);
    assert_string_equal(child.out, "");
    captured_child_clear(&child);
}

static int write_below_and_at_level(void *unused)
{
    (void)unused;
    log_configure("x", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    log_debug("one");
    log_info("two", LOG_INT("n", 2));
    log_warn("three");
    log_error("four");
    return log_is_enabled(LOG_LEVEL_INFO) || !log_is_enabled(LOG_LEVEL_WARN);
}

static void lines_below_the_level_are_not_written(void **state)
{
    struct captured_child child = captured_child_run(write_below_and_at_level, NULL);
    (void)state;
    assert_int_equal(child.exit_status, 0);
    assert_null(strstr(child.err, "one"));
    assert_null(strstr(child.err, "two"));
    assert_non_null(strstr(child.err, " warn  three\n"));
    assert_non_null(strstr(child.err, " error four\n"));
    captured_child_clear(&child);
}

static int evaluate_fields_of_a_silent_line(void *unused)
{
    int evaluated = 0;
    (void)unused;
    log_configure("x", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
    log_debug("silent", LOG_INT("n", ++evaluated));
    return evaluated;
}

static void a_silent_line_costs_no_evaluation(void **state)
{
    struct captured_child child = captured_child_run(evaluate_fields_of_a_silent_line, NULL);
    (void)state;
    assert_int_equal(child.exit_status, 0);
    captured_child_clear(&child);
}

static int write_text(void *unused)
{
    (void)unused;
    log_configure("x", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    log_info("ready", LOG_INT("attempt", 3), LOG_STR("host", "ws.okx.com"),
             LOG_STR("reason", "timed out\n\"now\""), LOG_STR("empty", ""), LOG_STR("none", NULL),
             LOG_BOOL("ok", true));
    return 0;
}

static void the_text_form_is_one_readable_line(void **state)
{
    struct captured_child child = captured_child_run(write_text, NULL);
    (void)state;
    for (int i = 0; i < 12; i++) {
        char expected = "dd:dd:dd.ddd"[i];
        char byte = child.err[i];
        assert_true(expected == 'd' ? byte >= '0' && byte <= '9' : byte == expected);
    }
    assert_string_equal(child.err + 12,
                        " info  ready attempt=3 host=ws.okx.com reason=\"timed out\\n\\\"now\\\"\" "
                        "empty=\"\" none=null ok=true\n");
    captured_child_clear(&child);
}

static char long_text[100000];

static int write_hostile_values(void *unused)
{
    (void)unused;
    log_configure("a\"b", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_info("quotes \" and \\ and \n newlines", LOG_STR("bad \"name\"", "\x01\xFF\xC3\"\\\r\n"));
    memset(long_text, '\x02', sizeof long_text - 1);
    log_info(long_text, LOG_STR("a", long_text), LOG_STR("b", long_text), LOG_INT("c", 1));
    memset(long_text, 'x', sizeof long_text - 1);
    log_info("long", LOG_STR("a", long_text), LOG_INT("c", 1));
    struct log_field many[3000];
    for (size_t i = 0; i < 3000; i++)
        many[i] = LOG_INT("number", i);
    log_write(LOG_LEVEL_INFO, "many", many, 3000);
    log_configure("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    memset(long_text, '\x02', sizeof long_text - 1);
    log_info(long_text, LOG_STR("a", long_text), LOG_STR("b", long_text));
    return 0;
}

static void whatever_is_logged_each_line_is_valid_and_bounded(void **state)
{
    struct captured_child child = captured_child_run(write_hostile_values, NULL);
    char *line = child.err;
    int lines = 0, truncated = 0;
    (void)state;
    for (char *end = strchr(line, '\n'); end; line = end + 1, end = strchr(line, '\n')) {
        assert_true(end - line < 16384);
        lines++;
        if (*line != '{') {
            assert_int_equal(lines, 5);
            assert_memory_equal(end - 15, " truncated=true", 15);
            continue;
        }
        json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(json);
        truncated += json_is_true(json_object_get(json, "truncated"));
        assert_true(json_is_string(json_object_get(json, "msg")));
        if (lines == 1) {
            assert_string_equal(json_string_value(json_object_get(json, "service")), "a\"b");
            assert_string_equal(json_string_value(json_object_get(json, "msg")),
                                "quotes \" and \\ and \n newlines");
            assert_string_equal(json_string_value(json_object_get(json, "bad \"name\"")),
                                "\x01\xEF\xBF\xBD\xEF\xBF\xBD\"\\\r\n");
        }
        if (lines == 3)
            assert_int_equal(json_integer_value(json_object_get(json, "c")), 1);
        json_decref(json);
    }
    assert_int_equal(lines, 5);
    assert_int_equal(truncated, 2);
    captured_child_clear(&child);
}

enum { THREADS = 4, LINES_EACH = 10 };

static void *write_long_lines(void *unused)
{
    char text[2000];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES_EACH; i++)
        log_info("line", LOG_STR("a", text), LOG_STR("b", text), LOG_STR("c", text));
    return unused;
}

/* Through a pipe, whose writes beyond 4096 bytes may be torn apart. */
static int write_from_many_threads(void *unused)
{
    pthread_t threads[THREADS];
    int ends[2];
    (void)unused;
    if (pipe(ends) != 0)
        return 1;
    int file = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_configure("x", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, write_long_lines, NULL) != 0)
            return 1;
    char bytes[4096];
    for (int left = THREADS * LINES_EACH; left > 0;) {
        ssize_t count = read(ends[0], bytes, sizeof bytes);
        for (ssize_t i = 0; i < count; i++)
            left -= bytes[i] == '\n';
        if (count <= 0 || write(file, bytes, (size_t)count) != count)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static void lines_of_threads_do_not_mix(void **state)
{
    struct captured_child child = captured_child_run(write_from_many_threads, NULL);
    char *line = child.err;
    int lines = 0;
    (void)state;
    assert_int_equal(child.exit_status, 0);
    for (char *end = strchr(line, '\n'); end; line = end + 1, end = strchr(line, '\n')) {
        json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(json);
        json_decref(json);
        lines++;
    }
    assert_int_equal(lines, THREADS * LINES_EACH);
    captured_child_clear(&child);
}

static int write_to_a_full_pipe(void *unused)
{
    int ends[2];
    (void)unused;
    if (pipe2(ends, O_NONBLOCK) != 0)
        return 1;
    dup2(ends[1], STDERR_FILENO);
    log_configure("x", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    errno = E2BIG;
    for (int i = 0; i < 3000; i++)
        log_info("a line that nobody reads");
    return errno == E2BIG ? 0 : 2;
}

static void a_reader_that_hangs_does_not_stop_the_program(void **state)
{
    struct captured_child child = captured_child_run(write_to_a_full_pipe, NULL);
    (void)state;
    assert_int_equal(child.exit_status, 0);
    captured_child_clear(&child);
}

static void level_names_are_known_exactly(void **state)
{
    enum log_level level = LOG_LEVEL_INFO;
    (void)state;
    assert_true(log_level_from_name("debug", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_true(log_level_from_name("error", &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_false(log_level_from_name("WARN", &level));
    assert_false(log_level_from_name("", &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
}

static void the_limiter_lets_one_line_through_per_interval(void **state)
{
    struct log_limiter limiter = {.interval_ms = 1000};
    int64_t suppressed = -1;
    (void)state;
    assert_true(log_limiter_allow(&limiter, 5000, &suppressed));
    assert_int_equal(suppressed, 0);
    for (int i = 0; i < 10; i++)
        assert_false(log_limiter_allow(&limiter, 5000 + i * 100, &suppressed));
    assert_true(log_limiter_allow(&limiter, 6000, &suppressed));
    assert_int_equal(suppressed, 10);
    assert_true(log_limiter_allow(&limiter, 9000, &suppressed));
    assert_int_equal(suppressed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_holds_the_fields_in_order),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(a_silent_line_costs_no_evaluation),
        cmocka_unit_test(the_text_form_is_one_readable_line),
        cmocka_unit_test(whatever_is_logged_each_line_is_valid_and_bounded),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(a_reader_that_hangs_does_not_stop_the_program),
        cmocka_unit_test(level_names_are_known_exactly),
        cmocka_unit_test(the_limiter_lets_one_line_through_per_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
