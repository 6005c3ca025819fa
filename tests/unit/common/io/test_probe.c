#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/program.h"
#include "io/probe.h"
#include "tests/support/captured_child.h"
#include "tests/support/http_stub.h"

static const char *const all_interfaces[] = {"0.0.0.0", ""};

static int probe_ready(void *address)
{
    return probe_run(address, "/readyz");
}

/* Starts the probe of the stub's port as if the program listened on host. */
static struct captured_child probe_stub(const struct http_stub *stub, const char *host)
{
    char address[64];

    snprintf(address, sizeof address, "%s%s", host, strrchr(http_stub_url(stub), ':'));
    return captured_child_run(probe_ready, address);
}

static void a_ready_program_is_healthy_whichever_address_it_listens_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all_interfaces / sizeof all_interfaces[0]; i++) {
        struct http_stub *stub = http_stub_start();
        struct captured_child child;

        http_stub_queue(stub, HTTP_STUB_ANSWER, 200, "{\"ready\":true}");
        child = probe_stub(stub, all_interfaces[i]);
        assert_int_equal(child.exit_status, PROGRAM_EXIT_OK);
        assert_string_equal(child.err, "");
        assert_non_null(strstr(http_stub_request(stub, 0), "GET /readyz "));
        captured_child_clear(&child);
        http_stub_stop(stub);
    }
}

static void a_program_that_is_not_ready_is_unhealthy_and_says_why(void **state)
{
    struct http_stub *stub = http_stub_start();
    struct captured_child child;

    (void)state;
    http_stub_queue(stub, HTTP_STUB_ANSWER, 503, "kafka is away");
    child = probe_stub(stub, "127.0.0.1");
    assert_int_equal(child.exit_status, PROGRAM_EXIT_FAILURE);
    assert_non_null(strstr(child.err, "503: kafka is away"));
    captured_child_clear(&child);
    http_stub_stop(stub);
}

static void a_program_that_closes_or_is_not_there_is_unhealthy(void **state)
{
    struct http_stub *stub = http_stub_start();
    struct captured_child child;
    char address[64];

    (void)state;
    snprintf(address, sizeof address, "127.0.0.1%s", strrchr(http_stub_url(stub), ':'));
    http_stub_queue(stub, HTTP_STUB_CLOSE, 0, "");
    child = captured_child_run(probe_ready, address);
    assert_int_equal(child.exit_status, PROGRAM_EXIT_FAILURE);
    assert_true(child.err[0] != '\0');
    captured_child_clear(&child);
    http_stub_stop(stub);
    child = captured_child_run(probe_ready, address);
    assert_int_equal(child.exit_status, PROGRAM_EXIT_FAILURE);
    captured_child_clear(&child);
}

static void a_proxy_in_the_environment_is_not_asked(void **state)
{
    struct http_stub *stub = http_stub_start();
    struct captured_child child;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    http_stub_queue(stub, HTTP_STUB_ANSWER, 200, "");
    child = probe_stub(stub, "127.0.0.1");
    assert_int_equal(child.exit_status, PROGRAM_EXIT_OK);
    captured_child_clear(&child);
    http_stub_stop(stub);
    unsetenv("http_proxy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_program_is_healthy_whichever_address_it_listens_on),
        cmocka_unit_test(a_program_that_is_not_ready_is_unhealthy_and_says_why),
        cmocka_unit_test(a_program_that_closes_or_is_not_there_is_unhealthy),
        cmocka_unit_test(a_proxy_in_the_environment_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
