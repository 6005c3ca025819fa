#include "ingestor/last_trade_fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/shutdown.h"
#include "ingestor/fetch_worker.h"
#include "tests/support/http_stub.h"
#include "tests/support/unit_test.h"

#define OKX_TIME_MS INT64_C(1795420800000)
enum { BODY_BYTES = 64 * 1024, AGO_MS = 5000, LIMIT = 100, DEADLINE_MS = 60000 };

/* One client for all: a budget grants nothing in its first two seconds. */
struct fixture {
    struct http_stub *stub;
    struct metrics *metrics;
    struct fetch_queue *queue;
    struct fetch_context context;
    size_t asked; /* requests before this test's */
};

static void queue_rows(struct fixture *fixture, const char *rows)
{
    char body[BODY_BYTES];

    snprintf(body, sizeof body, "{\"code\":\"0\",\"msg\":\"\",\"data\":[%s]}", rows);
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, body);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct okx_rest_options options = {.user_agent = "test"};
    struct err err = {0};
    int64_t okx_time_ms = 0;
    char row[64];

    fixture.stub = http_stub_start();
    fixture.metrics = metrics_create();
    fixture.queue = fetch_queue_create();
    options.url = http_stub_url(fixture.stub);
    for (size_t i = 0; i < OKX_ENDPOINT_COUNT; i++)
        options.limits[i] = LIMIT;
    fixture.context.rest = okx_rest_client_create(&options, fixture.metrics);
    fixture.context.session = okx_rest_session_create(fixture.context.rest, &err);
    fixture.context.deadline_ms = DEADLINE_MS;
    assert_non_null(fixture.context.session);
    snprintf(row, sizeof row, "{\"ts\":\"%" PRId64 "\"}", OKX_TIME_MS);
    queue_rows(&fixture, row);
    assert_int_equal(
        okx_rest_session_time_at(fixture.context.session, clock_monotonic_ms(), &okx_time_ms, &err),
        0);
    assert_in_range(okx_time_ms, OKX_TIME_MS - DEADLINE_MS, OKX_TIME_MS);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    okx_rest_session_destroy(fixture->context.session);
    okx_rest_client_destroy(fixture->context.rest);
    fetch_queue_destroy(fixture->queue);
    metrics_destroy(fixture->metrics);
    http_stub_stop(fixture->stub);
    return 0;
}

/* Trades from newest_id down to oldest_id, a second apart; that of id 100 was executed ten seconds
 * before OKX told its time. */
static void queue_page(struct fixture *fixture, int64_t newest_id, int64_t oldest_id)
{
    struct buf rows;

    buf_init(&rows, BODY_BYTES);
    for (int64_t id = newest_id; id >= oldest_id; id--)
        buf_append_format(&rows,
                          "%s{\"instId\":\"BTC-USDT\",\"tradeId\":\"%" PRId64
                          "\",\"px\":\"1\",\"sz\":\"1\",\"side\":\"buy\",\"ts\":\"%" PRId64 "\"}",
                          id == newest_id ? "" : ",", id, OKX_TIME_MS + (id - 110) * 1000);
    buf_append_char(&rows, '\0');
    queue_rows(fixture, rows.data);
    buf_clear(&rows);
}

/* Asks until there is an answer. */
static struct last_trade ask(struct fixture *fixture, int64_t since_ms, enum fetch_status *status)
{
    struct fetch_job *job;
    struct last_trade last;

    fixture->asked = http_stub_request_count(fixture->stub);
    fetch_queue_ask_last_trade(fixture->queue, "BTC-USDT", since_ms);
    job = fetch_queue_pop(fixture->queue);
    job->progressed_at_ms = clock_monotonic_ms();
    while (last_trade_fetch_step(&fixture->context, job) == FETCH_STEP_AGAIN) {
        int64_t wait_ms = job->ready_at_ms - clock_monotonic_ms();

        assert_false(wait_ms > 0 && shutdown_wait_ms(wait_ms));
    }
    last = job->last;
    *status = job->result.status;
    fetch_job_destroy(job);
    return last;
}

static void assert_asked(struct fixture *fixture, size_t number, const char *path)
{
    const char *request = http_stub_request(fixture->stub, fixture->asked + number);

    assert_non_null(strstr(request, path));
}

static void assert_answer(const struct last_trade *last, int64_t trade_id, int64_t event_time_ms)
{
    assert_string_equal(last->inst_id, "BTC-USDT");
    assert_true(last->trade_id.present);
    assert_int_equal(last->trade_id.value, trade_id);
    assert_int_equal(last->event_time_ms.present, event_time_ms != 0);
    if (event_time_ms != 0)
        assert_int_equal(last->event_time_ms.value, event_time_ms);
}

static void the_newest_is_the_newest(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_page(fixture, 120, 120);
    struct last_trade last = ask(fixture, INT64_MAX, &status);
    assert_int_equal(status, FETCH_STATUS_DONE);
    assert_false(last.is_beginning);
    assert_answer(&last, 120, OKX_TIME_MS + 10000);
    assert_asked(fixture, 0, "/api/v5/market/trades?instId=BTC-USDT&limit=1 ");
}

/* Followed five seconds before OKX told its time, or a little less. */
static int64_t since_ms(struct fixture *fixture)
{
    struct err err = {0};
    int64_t now_ms = clock_monotonic_ms();
    int64_t okx_time_ms = 0;

    assert_int_equal(okx_rest_session_time_at(fixture->context.session, now_ms, &okx_time_ms, &err),
                     0);
    return now_ms - (okx_time_ms - OKX_TIME_MS) - AGO_MS;
}

static void a_series_begins_behind_the_newest_trade_before_it_was_followed(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_page(fixture, 120, 90);
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_int_equal(status, FETCH_STATUS_DONE);
    assert_true(last.is_beginning);
    assert_answer(&last, 104, OKX_TIME_MS - 6000); /* that of id 105 is not older */
    assert_asked(fixture, 0, "/api/v5/market/trades?instId=BTC-USDT&limit=100 ");
}

static void pages_are_turned_until_one_reaches_so_far_back(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_page(fixture, 120, 110);
    queue_page(fixture, 109, 106);
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 503, "busy");
    queue_page(fixture, 105, 100);
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_answer(&last, 104, OKX_TIME_MS - 6000);
    assert_asked(fixture, 1, "/api/v5/market/history-trades?instId=BTC-USDT&type=1&after=110&");
    assert_asked(fixture, 2, "&after=106&");
    assert_asked(fixture, 3, "&after=106&");
}

static void a_series_that_began_after_it_was_followed_begins_at_its_first_trade(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_page(fixture, 120, 110);
    queue_rows(fixture, "");
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_int_equal(status, FETCH_STATUS_DONE);
    assert_answer(&last, 109, 0);
}

static void an_instrument_without_trades_has_no_answer(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_rows(fixture, "");
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_int_equal(status, FETCH_STATUS_DONE);
    assert_true(last.is_beginning);
    assert_false(last.trade_id.present);
}

static void what_cannot_be_read_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    queue_rows(fixture, "{\"instId\":\"BTC-USDT\"},7"); /* nothing at all: asked again */
    queue_rows(fixture, "{\"instId\":\"BTC-USDT\"},7,"
                        "{\"instId\":\"ETH-USDT\",\"tradeId\":\"8\",\"px\":\"1\",\"sz\":\"1\","
                        "\"side\":\"buy\",\"ts\":\"1795420000000\"},"
                        "{\"instId\":\"BTC-USDT\",\"tradeId\":\"7\",\"px\":\"1\",\"sz\":\"1\","
                        "\"side\":\"buy\",\"ts\":\"1795420000000\"}");
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_int_equal(status, FETCH_STATUS_DONE);
    assert_answer(&last, 7, INT64_C(1795420000000));
}

static void a_refusal_is_final(void **state)
{
    struct fixture *fixture = *state;
    enum fetch_status status;

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200,
                    "{\"code\":\"51001\",\"msg\":\"no such instrument\",\"data\":[]}");
    struct last_trade last = ask(fixture, since_ms(fixture), &status);
    assert_int_equal(status, FETCH_STATUS_FAILED);
    assert_false(last.trade_id.present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_the_newest),
        cmocka_unit_test(a_series_begins_behind_the_newest_trade_before_it_was_followed),
        cmocka_unit_test(pages_are_turned_until_one_reaches_so_far_back),
        cmocka_unit_test(a_series_that_began_after_it_was_followed_begins_at_its_first_trade),
        cmocka_unit_test(an_instrument_without_trades_has_no_answer),
        cmocka_unit_test(what_cannot_be_read_is_passed_over),
        cmocka_unit_test(a_refusal_is_final),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
