#include "sim_fixture.h"

#include <stdio.h>
#include <string.h>

#include "okx-sim/admin_api.h"
#include "okx-sim/ws_session.h"

struct bench {
    struct tape *tape;
    struct faults faults;
    struct ws_hub hub;
    struct rest_api *rest;
    struct admin_api admin;
    struct instant now;
    struct http_reply reply;
};

static void bench_open(struct bench *bench, int64_t micro_rate)
{
    memset(bench, 0, sizeof *bench);
    bench->tape = fixture_tape("BTC-USDT,ETH-USDT", micro_rate);
    bench->now = (struct instant){.wall_ms = FIXTURE_NOW_MS, .monotonic_us = 5000000};
    ws_hub_init(&bench->hub,
                &(struct ws_settings){
                    .idle_timeout_ms = 30000, .send_lag_max_ms = 10000, .channels_max = 10},
                bench->tape, &bench->faults, NULL);
    bench->rest =
        rest_api_create(&(struct rest_api_options){.tape = bench->tape, .faults = &bench->faults});
    bench->admin = (struct admin_api){
        .tape = bench->tape, .faults = &bench->faults, .hub = &bench->hub, .rest = bench->rest};
    http_reply_init(&bench->reply);
}

static void bench_close(struct bench *bench)
{
    http_reply_clear(&bench->reply);
    rest_api_destroy(bench->rest);
    ws_hub_clear(&bench->hub);
    tape_destroy(bench->tape);
}

/* "POST /fault/gap?instId=X&count=3"; returns the status, the whole body is in bench->reply. */
static int order(struct bench *bench, const char *line)
{
    struct http_request request = {.is_post = strncmp(line, "POST", 4) == 0};
    struct text_view rest = text_view_of(strchr(line, '/')), path, piece;
    size_t length;
    char text[200];

    assert_true(text_view_split(&rest, '?', &path));
    snprintf(request.path, sizeof request.path, "%.*s", TEXT_VIEW_ARGS(path));
    while (text_view_split(&rest, '&', &piece)) {
        snprintf(text, sizeof text, "%.*s", TEXT_VIEW_ARGS(piece));
        http_request_add_parameter(&request, text);
    }
    http_reply_clear(&bench->reply);
    admin_api_answer(&bench->admin, &request, bench->now, &bench->reply);
    do {
        length = bench->reply.body.length;
        if (bench->reply.append_more) {
            struct buf part;
            buf_init(&part, 1 << 20);
            bench->reply.append_more(bench->reply.context, &part);
            buf_append(&bench->reply.body, part.data ? part.data : "", part.length);
            buf_clear(&part);
        }
    } while (bench->reply.body.length > length);
    return bench->reply.status;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; text && *text; text++)
        lines += *text == '\n';
    return lines;
}

static void the_ledger_has_a_line_for_each_trade_since_the_start(void **state)
{
    struct bench bench;
    struct text_view rest, line, field;
    int64_t index[2], total = 0;

    (void)state;
    bench_open(&bench, 50000000);
    bench.now.wall_ms += 60000;
    assert_int_equal(order(&bench, "GET /ledger"), 200);
    assert_string_equal(bench.reply.content_type, "text/tab-separated-values");
    rest = text_view_of(bench.reply.body.data);
    for (size_t i = 0; i < 2; i++)
        index[i] = tape_started_index(bench.tape, i);
    while (text_view_split(&rest, '\n', &line) && line.length > 0) {
        struct text_view fields = line;
        struct err err;
        int64_t id;
        size_t i;
        assert_true(text_view_split(&fields, '\t', &field));
        i = (size_t)tape_find(bench.tape, field);
        assert_true(text_view_split(&fields, '\t', &field));
        assert_int_equal(text_view_read_int64(field, &id, &err), 0);
        assert_int_equal(id, tape_trade_id(bench.tape, i, index[i]++));
        total++;
    }
    assert_int_equal(total, 6000);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(index[i], tape_executed(bench.tape, i, bench.now.wall_ms));
    bench_close(&bench);
}

static void the_ledger_of_a_range_reaches_behind_the_start(void **state)
{
    struct bench bench;
    char line[200], first[40];
    int64_t id;

    (void)state;
    bench_open(&bench, 10000000);
    id = tape_trade_id(bench.tape, 1, tape_started_index(bench.tape, 1)) - 1000000;
    snprintf(line, sizeof line, "GET /ledger?instId=ETH-USDT&from=%lld&to=%lld", (long long)id,
             (long long)id + 9);
    assert_int_equal(order(&bench, line), 200);
    assert_int_equal(count_lines(bench.reply.body.data), 10);
    snprintf(first, sizeof first, "ETH-USDT\t%lld\t", (long long)id);
    assert_memory_equal(bench.reply.body.data, first, strlen(first));
    assert_int_equal(order(&bench, "GET /ledger?from=5"), 400);
    assert_int_equal(order(&bench, "GET /ledger?instId=NO-SUCH"), 400);
    bench_close(&bench);
}

static void lost_trades_are_marked_in_the_ledger(void **state)
{
    struct bench bench;
    size_t marked = 0;

    (void)state;
    bench_open(&bench, 10000000);
    assert_int_equal(order(&bench, "POST /fault/lose?instId=BTC-USDT&count=4"), 200);
    assert_int_equal(order(&bench, "POST /fault/gap?instId=BTC-USDT&count=4"), 200);
    bench.now.wall_ms += 10000;
    assert_int_equal(order(&bench, "GET /ledger?instId=BTC-USDT"), 200);
    for (const char *at = bench.reply.body.data; (at = strstr(at, "\tlost\n")) != NULL; at++)
        marked++;
    assert_int_equal(marked, 4);
    bench_close(&bench);
}

static void the_summary_agrees_with_the_ledger(void **state)
{
    struct bench bench;
    json_t *root, *one;

    (void)state;
    bench_open(&bench, 10000000);
    assert_int_equal(order(&bench, "POST /halt"), 200);
    assert_int_equal(order(&bench, "GET /ledger/summary"), 200);
    root = json_loads(bench.reply.body.data, 0, NULL);
    one = json_object_get(root, "ETH-USDT");
    assert_int_equal(fixture_int(one, "last") + 1 - fixture_int(one, "first"),
                     fixture_int(one, "count"));
    json_decref(root);
    assert_int_equal(order(&bench, "POST /resume"), 200);
    bench.now.wall_ms += 60000;
    assert_int_equal(order(&bench, "GET /ledger/summary"), 200);
    root = json_loads(bench.reply.body.data, 0, NULL);
    one = json_object_get(root, "ETH-USDT");
    assert_int_equal(fixture_int(one, "count"), 600);
    assert_int_equal(fixture_int(one, "last") + 1 - fixture_int(one, "first"), 600);
    json_decref(root);
    bench_close(&bench);
}

static void connections_end_as_ordered(void **state)
{
    struct bench bench;
    struct ws_session *sessions[2];
    const char *reason;

    (void)state;
    bench_open(&bench, 0);
    sessions[0] = ws_session_create(&bench.hub, WS_PATH_PUBLIC, bench.now);
    assert_int_equal(order(&bench, "POST /fault/close?code=4004"), 200);
    sessions[1] = ws_session_create(&bench.hub, WS_PATH_PUBLIC, bench.now);
    assert_int_equal(ws_session_end(sessions[0], bench.now, &reason), 4004);
    assert_int_equal(ws_session_end(sessions[1], bench.now, &reason), 0);
    assert_int_equal(order(&bench, "POST /fault/drop"), 200);
    assert_int_equal(ws_session_end(sessions[1], bench.now, &reason), WS_DROP);
    assert_int_equal(order(&bench, "GET /stats"), 200);
    assert_non_null(strstr(bench.reply.body.data, "\"connections\":{\"now\":2,\"total\":2}"));
    ws_session_destroy(sessions[0]);
    ws_session_destroy(sessions[1]);
    bench_close(&bench);
}

static void orders_take_effect_and_clear_takes_them_back(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, 10000000);
    assert_int_equal(order(&bench, "POST /fault/stall?ms=5000"), 200);
    assert_int_equal(order(&bench, "POST /fault/refuse?ms=5000"), 200);
    assert_int_equal(order(&bench, "POST /fault/malformed?count=3"), 200);
    assert_int_equal(order(&bench, "POST /fault/rest?endpoint=market/trades&status=500&code=50026"),
                     200);
    assert_int_equal(order(&bench, "POST /fault/rest?form=hang"), 200);
    assert_int_equal(order(&bench, "POST /fault/hostile?form=huge"), 200);
    assert_true(faults_is_stalled(&bench.faults, bench.now));
    assert_true(faults_is_refusing(&bench.faults, bench.now));
    assert_int_equal(bench.faults.malformed_count, 3);
    assert_int_equal(bench.faults.rest_count, 2);
    assert_int_equal(order(&bench, "POST /fault/clear"), 200);
    assert_false(faults_is_stalled(&bench.faults, bench.now));
    assert_false(faults_is_refusing(&bench.faults, bench.now));
    assert_int_equal(bench.faults.malformed_count, 0);
    assert_int_equal(bench.faults.rest_count, 0);
    bench_close(&bench);
}

static void what_is_no_order_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"GET /nothing", 404},
        {"GET /halt", 405},
        {"POST /stats", 405},
        {"POST /fault/gap", 400},
        {"POST /fault/gap?instId=NO-SUCH", 400},
        {"POST /fault/gap?instId=BTC-USDT&count=-1", 400},
        {"POST /fault/stall?ms=soon", 400},
        {"POST /fault/close?code=7", 400},
        {"POST /fault/rest?endpoint=market/nothing", 400},
        {"POST /fault/rest?form=slow", 400},
        {"POST /fault/hostile", 400},
        {"POST /fault/hostile?form=friendly", 400},
        {"POST /fault/hostile?form=huge&bytes=-1", 400},
        {"POST /fault/rest?status=99", 400},
        {"POST /fault/rest?count=0", 400},
    };
    struct bench bench;

    (void)state;
    bench_open(&bench, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (order(&bench, cases[i].line) != cases[i].status ||
            !strstr(bench.reply.body.data, "\"error\":\""))
            fail_msg("%s: %d %s", cases[i].line, bench.reply.status, bench.reply.body.data);
    }
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_has_a_line_for_each_trade_since_the_start),
        cmocka_unit_test(the_ledger_of_a_range_reaches_behind_the_start),
        cmocka_unit_test(lost_trades_are_marked_in_the_ledger),
        cmocka_unit_test(the_summary_agrees_with_the_ledger),
        cmocka_unit_test(connections_end_as_ordered),
        cmocka_unit_test(orders_take_effect_and_clear_takes_them_back),
        cmocka_unit_test(what_is_no_order_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
