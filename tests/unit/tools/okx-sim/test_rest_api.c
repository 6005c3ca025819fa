#include "sim_fixture.h"

#include <stdio.h>
#include <string.h>

#include "okx-sim/rest_api.h"

struct bench {
    struct tape *tape;
    struct faults faults;
    struct rest_api *api;
    struct instant now;
    struct http_reply reply;
};

static void bench_open(struct bench *bench, bool has_rate_limits)
{
    memset(bench, 0, sizeof *bench);
    bench->tape = fixture_tape("BTC-USDT,BABYDOGE-USDT", 10000000);
    bench->now = (struct instant){.wall_ms = FIXTURE_NOW_MS, .monotonic_us = 5000000};
    bench->api = rest_api_create(&(struct rest_api_options){
        .tape = bench->tape,
        .faults = &bench->faults,
        .credentials = {"key", "secret", "phrase"},
        .has_rate_limits = has_rate_limits,
        .trades_lag_ms = 500,
        .confirm_lag_ms = 1500,
    });
    http_reply_init(&bench->reply);
}

static void bench_close(struct bench *bench)
{
    http_reply_clear(&bench->reply);
    rest_api_destroy(bench->api);
    tape_destroy(bench->tape);
}

static struct http_request get(const char *path, const char *parameter)
{
    struct http_request request = {.peer = "127.0.0.1"};

    snprintf(request.path, sizeof request.path, "/api/v5/%s", path);
    if (parameter)
        http_request_add_parameter(&request, parameter);
    return request;
}

/* Returns owned: the answer as JSON; its status is in bench->reply. */
static json_t *ask(struct bench *bench, const struct http_request *request)
{
    json_t *root;

    http_reply_clear(&bench->reply);
    rest_api_answer(bench->api, request, bench->now, &bench->reply);
    root = json_loads(bench->reply.body.data, 0, NULL);
    if (!root)
        fail_msg("no JSON: %s", bench->reply.body.data);
    return root;
}

static void expect(struct bench *bench, const struct http_request *request, int status,
                   const char *code)
{
    json_t *root = ask(bench, request);

    if (strcmp(json_string_value(json_object_get(root, "code")), code) != 0 ||
        bench->reply.status != status)
        fail_msg("%s: %d %s", request->path, bench->reply.status, bench->reply.body.data);
    json_decref(root);
}

static void every_endpoint_has_its_limit(void **state)
{
    static const struct {
        const char *path, *parameter;
        int limit;
        int64_t window_us;
    } cases[] = {
        {"public/time", NULL, 10, 2000000},
        {"public/instruments", "instType=SPOT", 20, 2000000},
        {"market/trades", "instId=BTC-USDT", 100, 2000000},
        {"market/history-trades", "instId=BTC-USDT", 20, 2000000},
        {"market/candles", "instId=BTC-USDT", 40, 2000000},
        {"market/history-candles", "instId=BTC-USDT", 20, 2000000},
        {"asset/currencies", NULL, 6, 1000000},
        {"system/status", NULL, 1, 5000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request request = get(cases[i].path, cases[i].parameter);
        struct bench bench;
        bench_open(&bench, true);
        for (int k = 0; k < cases[i].limit; k++) {
            json_decref(ask(&bench, &request));
            assert_int_not_equal(bench.reply.status, 429);
        }
        bench.now.monotonic_us += cases[i].window_us - 1;
        json_decref(ask(&bench, &request));
        assert_int_equal(bench.reply.status, 429);
        assert_string_equal(bench.reply.body.data,
                            "{\"msg\":\"Too Many Requests\",\"code\":\"50011\"}");
        bench.now.monotonic_us += 1;
        json_decref(ask(&bench, &request));
        assert_int_not_equal(bench.reply.status, 429);
        bench_close(&bench);
    }
}

static void without_limits_the_figures_still_tell_of_the_rush(void **state)
{
    struct http_request request = get("public/time", NULL);
    struct bench bench;
    struct buf out;
    json_t *stats;

    (void)state;
    bench_open(&bench, false);
    for (int i = 0; i < 25; i++)
        expect(&bench, &request, 200, "0");
    buf_init(&out, 10000);
    rest_api_append_stats(bench.api, &out);
    stats = json_loads(out.data, 0, NULL);
    assert_int_equal(fixture_int(json_object_get(stats, "public/time"), "requests"), 25);
    assert_int_equal(fixture_int(json_object_get(stats, "public/time"), "throttled"), 0);
    assert_int_equal(fixture_int(json_object_get(stats, "public/time"), "max_in_window"), 25);
    json_decref(stats);
    buf_clear(&out);
    bench_close(&bench);
}

static void mistakes_have_okx_s_codes(void **state)
{
    struct http_request post = get("public/time", NULL);
    static const struct {
        const char *path, *parameter, *code;
        int status;
    } cases[] = {
        {"market/trades", NULL, "50014", 400},
        {"market/trades", "instId=XX-YY", "51001", 200},
        {"market/candles", "bar=1m", "50014", 400},
        {"public/instruments", NULL, "50014", 400},
        {"asset/currencies", NULL, "50103", 401},
        {"market/nothing", NULL, "404", 404},
        {"../etc", NULL, "404", 404},
    };
    struct bench bench;

    (void)state;
    bench_open(&bench, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request request = get(cases[i].path, cases[i].parameter);
        expect(&bench, &request, cases[i].status, cases[i].code);
    }
    post.is_post = true;
    expect(&bench, &post, 405, "50115");
    bench_close(&bench);
}

static void instruments_have_all_members_and_one_is_not_open_yet(void **state)
{
    struct http_request request = get("public/instruments", "instType=SPOT");
    struct bench bench;
    json_t *root, *rows, *row;

    (void)state;
    bench_open(&bench, false);
    root = ask(&bench, &request);
    rows = json_object_get(root, "data");
    assert_int_equal(json_array_size(rows), 3);
    row = json_array_get(rows, 0);
    assert_int_equal(json_object_size(row), 49);
    assert_string_equal(json_string_value(json_object_get(row, "tickSz")), "0.1");
    assert_string_equal(json_string_value(json_object_get(row, "lotSz")), "0.00000001");
    row = json_array_get(rows, 1);
    assert_string_equal(json_string_value(json_object_get(row, "tickSz")), "0.000000000001");
    assert_string_equal(json_string_value(json_object_get(row, "minSz")), "1000000000");
    assert_string_equal(json_string_value(json_object_get(row, "state")), "live");
    row = json_array_get(rows, 2);
    assert_string_equal(json_string_value(json_object_get(row, "state")), "preopen");
    assert_string_equal(json_string_value(json_object_get(row, "tickSz")), "");
    assert_true(json_is_null(json_object_get(row, "instIdCode")));
    json_decref(root);
    request = get("public/instruments", "instType=SWAP");
    root = ask(&bench, &request);
    assert_int_equal(json_array_size(json_object_get(root, "data")), 0);
    json_decref(root);
    bench_close(&bench);
}

static void a_signed_request_gets_the_currencies_that_it_names(void **state)
{
    struct http_request request = get("asset/currencies", NULL);
    struct bench bench;
    json_t *root, *rows;
    size_t all, named = 0;

    (void)state;
    bench_open(&bench, false);
    snprintf(request.access_key, sizeof request.access_key, "key");
    snprintf(request.access_passphrase, sizeof request.access_passphrase, "phrase");
    snprintf(request.access_timestamp, sizeof request.access_timestamp, "2026-11-23T12:00:29.000Z");
    okx_signature_of("secret", "2026-11-23T12:00:29.000ZGET/api/v5/asset/currencies",
                     request.access_sign);
    root = ask(&bench, &request);
    assert_int_equal(bench.reply.status, 200);
    rows = json_object_get(root, "data");
    all = json_array_size(rows);
    assert_in_range(all, 30, 200);
    for (size_t i = 0; i < all; i++) {
        assert_int_equal(json_object_size(json_array_get(rows, i)), 30);
        named +=
            strcmp(json_string_value(json_object_get(json_array_get(rows, i), "ccy")), "BTC") == 0;
    }
    json_decref(root);
    http_request_add_parameter(&request, "ccy=BTC,NONE");
    okx_signature_of("secret", "2026-11-23T12:00:29.000ZGET/api/v5/asset/currencies?ccy=BTC%2CNONE",
                     request.access_sign);
    root = ask(&bench, &request);
    assert_int_equal(json_array_size(json_object_get(root, "data")), named);
    json_decref(root);
    bench_close(&bench);
}

static void ordered_errors_spoil_so_many_answers_of_their_endpoint(void **state)
{
    struct http_request time = get("public/time", NULL);
    struct http_request trades = get("market/trades", "instId=BTC-USDT");
    struct bench bench;

    (void)state;
    bench_open(&bench, false);
    assert_true(faults_add_rest(&bench.faults, &(struct rest_fault){.endpoint = "market/trades",
                                                                    .code = "50026",
                                                                    .status = 500,
                                                                    .form = REST_FAULT_ERROR,
                                                                    .count = 2}));
    expect(&bench, &time, 200, "0");
    expect(&bench, &trades, 500, "50026");
    expect(&bench, &trades, 500, "50026");
    expect(&bench, &trades, 200, "0");
    assert_true(faults_add_rest(
        &bench.faults, &(struct rest_fault){.status = 403, .form = REST_FAULT_HTML, .count = 1}));
    http_reply_clear(&bench.reply);
    rest_api_answer(bench.api, &time, bench.now, &bench.reply);
    assert_int_equal(bench.reply.status, 403);
    assert_string_equal(bench.reply.content_type, "text/html");
    expect(&bench, &time, 200, "0");
    bench_close(&bench);
}

static void two_caches_answer_by_turns(void **state)
{
    struct http_request request = get("market/trades", "instId=BTC-USDT");
    struct bench bench;
    int64_t newest[2];

    (void)state;
    bench_open(&bench, false);
    for (int i = 0; i < 2; i++) {
        json_t *root = ask(&bench, &request);
        newest[i] = fixture_int(json_array_get(json_object_get(root, "data"), 0), "tradeId");
        json_decref(root);
    }
    assert_int_equal(tape_index_of_id(bench.tape, 0, newest[0]) + 1,
                     tape_executed(bench.tape, 0, FIXTURE_NOW_MS - 500));
    assert_int_equal(tape_index_of_id(bench.tape, 0, newest[1]) + 1,
                     tape_executed(bench.tape, 0, FIXTURE_NOW_MS - 250));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_has_its_limit),
        cmocka_unit_test(without_limits_the_figures_still_tell_of_the_rush),
        cmocka_unit_test(mistakes_have_okx_s_codes),
        cmocka_unit_test(instruments_have_all_members_and_one_is_not_open_yet),
        cmocka_unit_test(a_signed_request_gets_the_currencies_that_it_names),
        cmocka_unit_test(ordered_errors_spoil_so_many_answers_of_their_endpoint),
        cmocka_unit_test(two_caches_answer_by_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
