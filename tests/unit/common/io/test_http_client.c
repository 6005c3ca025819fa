#include "io/http_client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "tests/support/http_stub.h"
#include "tests/support/unit_test.h"

struct fixture {
    struct http_stub *stub;
    struct http_client *client;
    char url[128];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct http_client_options options = {
        .user_agent = "test",
        .user_password = "reader:s3cret",
        .connect_timeout_ms = 2000,
        .timeout_ms = 500,
        .body_bytes_max = 64,
    };
    struct err err = {0};

    http_client_global_init();
    fixture.stub = http_stub_start();
    fixture.client = http_client_create(&options, &err);
    assert_non_null(fixture.client);
    snprintf(fixture.url, sizeof fixture.url, "%s/path?token=hidden", http_stub_url(fixture.stub));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_client_destroy(fixture->client);
    http_stub_stop(fixture->stub);
    return 0;
}

static int get(struct fixture *fixture, struct http_response *response, struct err *err)
{
    const struct http_request request = {.method = "GET", .url = fixture->url};

    return http_client_perform(fixture->client, &request, response, err);
}

static void an_answer_of_any_status_is_a_success(void **state)
{
    static const int statuses[] = {200, 204, 302, 404, 503};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct http_response response = {0};
        struct err err = {0};

        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, statuses[i],
                        statuses[i] == 204 ? "" : "body");
        assert_int_equal(get(fixture, &response, &err), 0);
        assert_int_equal(response.status, statuses[i]);
        assert_int_equal(response.body.length, statuses[i] == 204 ? 0 : 4);
        buf_clear(&response.body);
    }
    assert_int_equal(http_stub_connection_count(fixture->stub), 1);
}

static void method_headers_body_and_credentials_are_sent(void **state)
{
    struct fixture *fixture = *state;
    const char *const headers[] = {"Content-Type: text/plain", "X-One: 1"};
    const struct http_request request = {
        .method = "PUT",
        .url = fixture->url,
        .headers = headers,
        .header_count = 2,
        .body = "a\0b",
        .body_length = 3,
    };
    struct http_response response = {0};
    struct err err = {0};
    const char *sent = NULL;

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "");
    assert_int_equal(http_client_perform(fixture->client, &request, &response, &err), 0);
    sent = http_stub_request(fixture->stub, 0);
    assert_ptr_equal(strstr(sent, "PUT /path?token=hidden HTTP/1.1\r\n"), sent);
    assert_non_null(strstr(sent, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(sent, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(sent, "\r\nUser-Agent: test\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Length: 3\r\n"));
    assert_non_null(strstr(sent, "\r\nAuthorization: Basic cmVhZGVyOnMzY3JldA==\r\n"));
    assert_memory_equal(strstr(sent, "\r\n\r\n") + 4, "a\0b", 3);
    buf_clear(&response.body);

    /* The next request has nothing of it. */
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "");
    assert_int_equal(get(fixture, &response, &err), 0);
    sent = http_stub_request(fixture->stub, 1);
    assert_ptr_equal(strstr(sent, "GET "), sent);
    assert_null(strstr(sent, "X-One"));
    assert_null(strstr(sent, "Content-Length"));
    buf_clear(&response.body);
}

static void failures_have_a_code_and_a_text_without_secrets(void **state)
{
    static const struct {
        const char *name;
        enum http_stub_manner manner;
        const char *body;
        enum err_code code;
        bool retriable;
    } cases[] = {
        {"no answer in time", HTTP_STUB_HANG, "", ERR_TIMEOUT, true},
        {"closed without an answer", HTTP_STUB_CLOSE, "", ERR_NETWORK, true},
        {"cut short", HTTP_STUB_TRUNCATE, "half", ERR_NETWORK, true},
        {"one byte over the cap", HTTP_STUB_ANSWER,
         "12345678901234567890123456789012345678901234567890123456789012345", ERR_LIMIT, false},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response response = {.status = 42};
        struct err err = {0};

        print_message("%s\n", cases[i].name);
        http_stub_queue(fixture->stub, cases[i].manner, 200, cases[i].body);
        assert_int_equal(get(fixture, &response, &err), -1);
        print_message("  %s\n", err.message);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
        assert_ptr_equal(strstr(err.message, "GET http://127.0.0.1:"), err.message);
        assert_non_null(strstr(err.message, "/path: "));
        assert_null(strstr(err.message, "hidden"));
        assert_null(strstr(err.message, "s3cret"));
        assert_int_equal(response.status, 42);
    }
}

static void addresses_that_cannot_be_used_are_told_apart(void **state)
{
    static const struct {
        const char *url;
        enum err_code code;
        bool retriable;
    } cases[] = {
        {"http://user:s3cret@127.0.0.1:1/x", ERR_NETWORK, true},
        {"ftp://user:s3cret@127.0.0.1/x", ERR_CONFIG, false},
        {"file:///etc/hostname", ERR_CONFIG, false},
        {"http://", ERR_CONFIG, false},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_request request = {.method = "GET", .url = cases[i].url};
        struct http_response response = {0};
        struct err err = {0};

        assert_int_equal(http_client_perform(fixture->client, &request, &response, &err), -1);
        print_message("%s\n", err.message);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
        assert_null(strstr(err.message, "s3cret"));
    }
}

static void *request_shutdown(void *context)
{
    struct http_stub *stub = context;
    int64_t deadline_ms = clock_monotonic_ms() + 5000;

    while (http_stub_request_count(stub) == 0 && clock_monotonic_ms() < deadline_ms)
        (void)shutdown_wait_ms(5);
    shutdown_request();
    return NULL;
}

/* Last: a process that was asked to stop stays so. */
static void a_shutdown_ends_a_request_promptly(void **state)
{
    struct fixture *fixture = *state;
    const struct http_client_options options = {
        .connect_timeout_ms = 60000, .timeout_ms = 60000, .body_bytes_max = 64};
    const struct http_request request = {.method = "GET", .url = fixture->url};
    struct http_response response = {0};
    struct err err = {0};
    struct http_client *patient = http_client_create(&options, &err);
    int64_t started_ms = clock_monotonic_ms();
    pthread_t thread;

    http_stub_queue(fixture->stub, HTTP_STUB_HANG, 200, "");
    assert_int_equal(pthread_create(&thread, NULL, request_shutdown, fixture->stub), 0);
    assert_int_equal(http_client_perform(patient, &request, &response, &err), -1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(err.code, ERR_STOPPED);
    assert_true(clock_monotonic_ms() - started_ms < 5000);
    http_client_destroy(patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_of_any_status_is_a_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(method_headers_body_and_credentials_are_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failures_have_a_code_and_a_text_without_secrets, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(addresses_that_cannot_be_used_are_told_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_shutdown_ends_a_request_promptly, set_up, tear_down),
    };
    shutdown_install();
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
