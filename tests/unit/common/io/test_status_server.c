/* The status server over loopback, asked by plain sockets. */
#include "io/status_server.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/unit_test.h"

enum { ANSWER_BYTES = 256 * 1024, RECEIVE_TIMEOUT_S = 5 };

static char answer[ANSWER_BYTES];

static int connect_to(const struct status_server *server)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)status_server_port(server)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval timeout = {.tv_sec = RECEIVE_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends one request, reads until the server closes, and returns the status. */
static int request(const struct status_server *server, const char *method, const char *path)
{
    char text[256];
    size_t length = 0;
    ssize_t got;
    int fd = connect_to(server);
    int status;

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
             path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    while ((got = read(fd, answer + length, sizeof answer - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    answer[length] = '\0';
    assert_true(strncmp(answer, "HTTP/1.1 ", 9) == 0);
    status = (int)strtol(answer + 9, NULL, 10);
    return status;
}

static const char *body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

struct fixture {
    struct metrics *metrics;
    struct status_server *server;
};

static int start(void **state)
{
    static struct fixture fixture;
    struct err err = {0};

    fixture.metrics = metrics_create();
    fixture.server = status_server_start("127.0.0.1:0", fixture.metrics, &err);
    *state = &fixture;
    return fixture.server ? 0 : -1;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    status_server_stop(fixture->server);
    metrics_destroy(fixture->metrics);
    return 0;
}

static void metrics_are_served_as_prometheus_text(void **state)
{
    struct fixture *fixture = *state;

    metric_add(metrics_counter(fixture->metrics, "currency_trends_test_total", "A test.", NULL), 7);
    assert_int_equal(request(fixture->server, "GET", "/metrics"), 200);
    assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
    assert_non_null(strstr(body(), "\ncurrency_trends_test_total 7\n"));
}

static void large_answers_arrive_whole(void **state)
{
    struct fixture *fixture = *state;
    char labels[64], last[128];

    for (int i = 0; i < 1000; i++) {
        snprintf(labels, sizeof labels, "kind=\"%d\"", i);
        metric_set(metrics_gauge(fixture->metrics, "currency_trends_many", "Many.", labels), i);
    }
    assert_int_equal(request(fixture->server, "GET", "/metrics"), 200);
    assert_true(strlen(body()) > 16 * 1024);
    for (int i = 0; i < 1000; i++) {
        snprintf(last, sizeof last, "\ncurrency_trends_many{kind=\"%d\"} %d\n", i, i);
        assert_non_null(strstr(body(), last));
    }
}

static void readyz_is_503_until_every_condition_holds(void **state)
{
    struct fixture *fixture = *state;
    json_t *root, *condition;

    assert_int_equal(request(fixture->server, "GET", "/readyz"), 503);
    status_server_set_condition(fixture->server, "kafka", false, "not \"connected\"");
    status_server_set_condition(fixture->server, "registry", true, NULL);
    assert_int_equal(request(fixture->server, "GET", "/readyz"), 503);
    assert_non_null(strstr(answer, "application/json"));
    root = json_loads(body(), 0, NULL);
    assert_true(json_is_false(json_object_get(root, "ready")));
    condition = json_array_get(json_object_get(root, "conditions"), 0);
    assert_string_equal(json_string_value(json_object_get(condition, "name")), "kafka");
    assert_string_equal(json_string_value(json_object_get(condition, "reason")),
                        "not \"connected\"");
    json_decref(root);

    status_server_set_condition(fixture->server, "kafka", true, NULL);
    assert_int_equal(request(fixture->server, "GET", "/readyz"), 200);
    root = json_loads(body(), 0, NULL);
    assert_true(json_is_true(json_object_get(root, "ready")));
    assert_int_equal(json_array_size(json_object_get(root, "conditions")), 2);
    json_decref(root);
}

static void metrics_show_each_condition(void **state)
{
    struct fixture *fixture = *state;

    status_server_set_condition(fixture->server, "kafka", true, NULL);
    status_server_set_condition(fixture->server, "postgresql", true, NULL);
    status_server_set_condition(fixture->server, "postgresql", false, "not connected");
    assert_int_equal(request(fixture->server, "GET", "/metrics"), 200);
    assert_non_null(strstr(body(), "\ncurrency_trends_ready{condition=\"kafka\"} 1\n"));
    assert_non_null(strstr(body(), "\ncurrency_trends_ready{condition=\"postgresql\"} 0\n"));
}

static void livez_ignores_conditions(void **state)
{
    struct fixture *fixture = *state;

    status_server_set_condition(fixture->server, "kafka", false, "down");
    assert_int_equal(request(fixture->server, "GET", "/livez"), 200);
    assert_int_equal(request(fixture->server, "GET", "/healthz"), 200);
}

static void head_answers_without_a_body(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(request(fixture->server, "HEAD", "/livez"), 200);
    assert_string_equal(body(), "");
}

static void other_paths_and_methods_are_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(request(fixture->server, "GET", "/"), 404);
    assert_int_equal(request(fixture->server, "GET", "/metrics/../../etc/passwd"), 404);
    assert_int_equal(request(fixture->server, "POST", "/metrics"), 405);
    assert_int_equal(request(fixture->server, "GET", "/livez?x=1"), 200);
}

static void one_connection_serves_several_requests(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = connect_to(fixture->server);

    for (int i = 0; i < 3; i++) {
        size_t length = 0;

        assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
        do {
            ssize_t got = read(fd, answer + length, sizeof answer - 1 - length);

            assert_true(got > 0);
            length += (size_t)got;
            answer[length] = '\0';
        } while (!strstr(answer, "\r\n\r\nalive\n"));
    }
    close(fd);
}

static void oversized_and_malformed_requests_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    static char flood[64 * 1024];
    int fd = connect_to(fixture->server);

    memset(flood, 'a', sizeof flood);
    memcpy(flood, "GET /", 5);
    (void)!send(fd, flood, sizeof flood, MSG_NOSIGNAL);
    close(fd);
    fd = connect_to(fixture->server);
    (void)!send(fd, "\x16\x03\x01\r\n\r\n", 7, MSG_NOSIGNAL);
    close(fd);
    assert_int_equal(request(fixture->server, "GET", "/livez"), 200);
}

static void bad_addresses_are_configuration_errors(void **state)
{
    static const char *const addresses[] = {
        "",         "9100",         "host:", "host:x", "127.0.0.1:-1", "127.0.0.1:70000",
        "a b:9100", "127.0.0.1:9 1"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct err err = {0};

        if (status_server_start(addresses[i], fixture->metrics, &err))
            fail_msg("'%s' was accepted", addresses[i]);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void a_port_that_is_taken_is_a_system_error(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%d", status_server_port(fixture->server));
    assert_null(status_server_start(address, fixture->metrics, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.message, address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics_are_served_as_prometheus_text, start, stop),
        cmocka_unit_test_setup_teardown(large_answers_arrive_whole, start, stop),
        cmocka_unit_test_setup_teardown(readyz_is_503_until_every_condition_holds, start, stop),
        cmocka_unit_test_setup_teardown(metrics_show_each_condition, start, stop),
        cmocka_unit_test_setup_teardown(livez_ignores_conditions, start, stop),
        cmocka_unit_test_setup_teardown(head_answers_without_a_body, start, stop),
        cmocka_unit_test_setup_teardown(other_paths_and_methods_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(one_connection_serves_several_requests, start, stop),
        cmocka_unit_test_setup_teardown(oversized_and_malformed_requests_do_no_harm, start, stop),
        cmocka_unit_test_setup_teardown(bad_addresses_are_configuration_errors, start, stop),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_a_system_error, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
