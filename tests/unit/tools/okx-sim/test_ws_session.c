#include "sim_fixture.h"

#include <stdio.h>
#include <string.h>

#include "okx-sim/ws_session.h"

/* One connection, its clock, and the frames that it was sent. */
struct bench {
    struct tape *tape;
    struct faults faults;
    struct ws_hub hub;
    struct ws_session *session;
    struct instant now;
    struct buf out;
    size_t read; /* bytes of out that were taken as frames */
};

static void bench_open(struct bench *bench, enum ws_path path, int64_t micro_rate)
{
    const struct ws_settings settings = {.idle_timeout_ms = 30000,
                                         .send_lag_max_ms = 10000,
                                         .channels_max = 3,
                                         .has_rate_limits = true};

    memset(bench, 0, sizeof *bench);
    bench->tape = fixture_tape("BTC-USDT,ETH-USDT,SOL-USDT", micro_rate);
    bench->now = (struct instant){.wall_ms = FIXTURE_NOW_MS, .monotonic_us = 5000000};
    ws_hub_init(&bench->hub, &settings, bench->tape, &bench->faults, NULL);
    bench->session = ws_session_create(&bench->hub, path, bench->now);
    buf_init(&bench->out, 16 << 20);
}

static void bench_close(struct bench *bench)
{
    ws_session_destroy(bench->session);
    assert_int_equal(bench->hub.connections_now, 0);
    assert_int_equal(bench->hub.subscriptions, 0);
    ws_hub_clear(&bench->hub);
    tape_destroy(bench->tape);
    buf_clear(&bench->out);
}

static void pass(struct bench *bench, int64_t ms)
{
    bench->now.wall_ms += ms;
    bench->now.monotonic_us += ms * 1000;
}

static void say(struct bench *bench, const char *text)
{
    ws_session_on_message(bench->session, text, strlen(text), bench->now);
}

static void subscribe(struct bench *bench, const char *channel, const char *inst_id)
{
    char text[200];

    snprintf(text, sizeof text,
             "{\"op\":\"subscribe\",\"args\":[{\"channel\":\"%s\",\"instId\":\"%s\"}]}", channel,
             inst_id);
    say(bench, text);
}

/* The payload of the next frame, NUL-terminated; NULL when there is none. */
static const char *hear(struct bench *bench)
{
    static char payload[100000];
    const unsigned char *frame;
    size_t length, head = 2;

    if (bench->read == bench->out.length) {
        buf_reset(&bench->out);
        bench->read = 0;
        ws_session_append_output(bench->session, bench->now, 1 << 16, &bench->out);
        if (bench->out.length == 0)
            return NULL;
    }
    frame = (const unsigned char *)bench->out.data + bench->read;
    assert_int_equal(frame[0], 0x81);
    length = frame[1];
    if (length == 126) {
        length = (size_t)frame[2] << 8 | frame[3];
        head = 4;
    }
    assert_true(length < sizeof payload);
    memcpy(payload, frame + head, length);
    payload[length] = '\0';
    bench->read += head + length;
    return payload;
}

/* Returns owned: the next frame as JSON. */
static json_t *hear_json(struct bench *bench)
{
    const char *text = hear(bench);
    json_t *root = json_loads(text ? text : "", 0, NULL);

    if (!root)
        fail_msg("no JSON: %s", text ? text : "silence");
    return root;
}

static void expect_event(struct bench *bench, const char *event, const char *code)
{
    json_t *root = hear_json(bench);
    const char *conn_id = json_string_value(json_object_get(root, "connId"));

    assert_string_equal(json_string_value(json_object_get(root, "event")), event);
    if (code)
        assert_string_equal(json_string_value(json_object_get(root, "code")), code);
    assert_non_null(conn_id);
    assert_int_equal(strspn(conn_id, "0123456789abcdef"), 8);
    json_decref(root);
}

static int end_of(struct bench *bench)
{
    const char *reason;

    return ws_session_end(bench->session, bench->now, &reason);
}

static void every_argument_is_acknowledged_with_id_and_arg(void **state)
{
    struct bench bench;
    json_t *root;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 0);
    say(&bench, "{\"id\":\"a7\",\"op\":\"subscribe\",\"args\":["
                "{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\",\"mine\":1},"
                "{\"channel\":\"trades-all\",\"instId\":\"NO-SUCH\"},"
                "{\"channel\":\"trades-all\",\"instId\":\"ETH-USDT\"}]}");
    root = hear_json(&bench);
    assert_string_equal(json_string_value(json_object_get(root, "id")), "a7");
    assert_string_equal(json_string_value(json_object_get(root, "event")), "subscribe");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "arg"), "mine")), 1);
    json_decref(root);
    root = hear_json(&bench);
    assert_string_equal(json_string_value(json_object_get(root, "code")), "60018");
    assert_non_null(strstr(json_string_value(json_object_get(root, "msg")),
                           "channel:trades-all,instId:NO-SUCH doesn't exist"));
    json_decref(root);
    expect_event(&bench, "subscribe", NULL);
    assert_null(hear(&bench));
    assert_int_equal(bench.hub.subscriptions, 2);
    bench_close(&bench);
}

static void channels_exist_only_on_their_own_path(void **state)
{
    static const struct {
        enum ws_path path;
        const char *channel;
        bool exists;
    } cases[] = {
        {WS_PATH_PUBLIC, "trades", true},       {WS_PATH_PUBLIC, "trades-all", false},
        {WS_PATH_PUBLIC, "candle1m", false},    {WS_PATH_BUSINESS, "trades", false},
        {WS_PATH_BUSINESS, "trades-all", true}, {WS_PATH_BUSINESS, "candle1m", true},
        {WS_PATH_BUSINESS, "candle1M", true},   {WS_PATH_BUSINESS, "candle1Dutc", true},
        {WS_PATH_BUSINESS, "candle1h", false},  {WS_PATH_BUSINESS, "candle", false},
        {WS_PATH_BUSINESS, "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;
        bench_open(&bench, cases[i].path, 0);
        subscribe(&bench, cases[i].channel, "BTC-USDT");
        expect_event(&bench, cases[i].exists ? "subscribe" : "error",
                     cases[i].exists ? NULL : "60018");
        bench_close(&bench);
    }
}

static void ping_is_answered_by_pong_and_nonsense_by_60012(void **state)
{
    struct bench bench;
    json_t *root;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    say(&bench, "ping");
    assert_string_equal(hear(&bench), "pong");
    say(&bench, "{\"op\": \"subscribe\", \"argss\":[]}");
    root = hear_json(&bench);
    assert_string_equal(json_string_value(json_object_get(root, "code")), "60012");
    assert_string_equal(json_string_value(json_object_get(root, "msg")),
                        "Invalid request: {\"op\": \"subscribe\", \"argss\":[]}");
    json_decref(root);
    assert_int_equal(bench.hub.pings, 1);
    bench_close(&bench);
}

static void trades_all_sends_every_trade_once_in_order(void **state)
{
    struct bench bench;
    int64_t expected, end;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 50000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    expected = tape_executed(bench.tape, 0, bench.now.wall_ms);
    subscribe(&bench, "trades-all", "BTC-USDT"); /* once more changes nothing */
    expect_event(&bench, "subscribe", NULL);
    for (int step = 0; step < 40; step++) {
        pass(&bench, 517);
        end = tape_executed(bench.tape, 0, bench.now.wall_ms);
        for (; expected < end; expected++) {
            json_t *root = hear_json(&bench);
            json_t *row = json_array_get(json_object_get(root, "data"), 0);
            assert_int_equal(fixture_int(row, "tradeId"), tape_trade_id(bench.tape, 0, expected));
            assert_null(json_object_get(row, "count"));
            assert_null(json_object_get(row, "seqId"));
            json_decref(root);
        }
        assert_null(hear(&bench));
    }
    bench_close(&bench);
}

static void trades_add_up_by_their_counts(void **state)
{
    struct bench bench;
    int64_t covered, end, merged = 0;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 50000000);
    subscribe(&bench, "trades", "ETH-USDT");
    expect_event(&bench, "subscribe", NULL);
    covered = tape_trade_id(bench.tape, 1, tape_executed(bench.tape, 1, bench.now.wall_ms)) - 1;
    pass(&bench, 30000);
    end = tape_trade_id(bench.tape, 1, tape_executed(bench.tape, 1, bench.now.wall_ms)) - 1;
    while (covered < end) {
        json_t *root = hear_json(&bench);
        json_t *row = json_array_get(json_object_get(root, "data"), 0);
        assert_int_equal(covered + fixture_int(row, "count"), fixture_int(row, "tradeId"));
        assert_true(json_is_integer(json_object_get(row, "seqId")));
        covered = fixture_int(row, "tradeId");
        merged += fixture_int(row, "count") > 1;
        json_decref(root);
    }
    assert_null(hear(&bench));
    assert_true(merged > 50);
    bench_close(&bench);
}

static void after_unsubscribing_nothing_more_comes(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 50000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    say(&bench, "{\"op\":\"unsubscribe\",\"args\":[{\"channel\":\"trades-all\",\"instId\":"
                "\"BTC-USDT\"}]}");
    expect_event(&bench, "unsubscribe", NULL);
    pass(&bench, 5000);
    assert_null(hear(&bench));
    assert_int_equal(bench.hub.subscriptions, 0);
    bench_close(&bench);
}

static void hidden_trades_are_skipped_and_the_next_one_follows(void **state)
{
    struct bench bench;
    struct err err;
    json_t *root;
    int64_t next;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 50000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    next = tape_executed(bench.tape, 0, bench.now.wall_ms);
    assert_int_equal(tape_hide(bench.tape, 0, 7, TAPE_UNSENT, bench.now.wall_ms, &err), 0);
    pass(&bench, 2000);
    root = hear_json(&bench);
    assert_int_equal(fixture_int(json_array_get(json_object_get(root, "data"), 0), "tradeId"),
                     tape_trade_id(bench.tape, 0, next + 7));
    json_decref(root);
    bench_close(&bench);
}

/* The row of the next frame, which must be a candle; *confirm gets its last member. */
static int64_t hear_candle(struct bench *bench, bool *is_confirmed)
{
    json_t *root = hear_json(bench);
    json_t *row = json_array_get(json_object_get(root, "data"), 0);
    struct err err;
    int64_t open_ms = 0;

    assert_int_equal(json_array_size(row), 9);
    assert_int_equal(text_view_read_int64(text_view_of(json_string_value(json_array_get(row, 0))),
                                          &open_ms, &err),
                     0);
    *is_confirmed = strcmp(json_string_value(json_array_get(row, 8)), "1") == 0;
    json_decref(root);
    return open_ms;
}

static void a_candle_is_shown_each_second_and_confirmed_once(void **state)
{
    struct bench bench;
    int64_t open_ms = FIXTURE_NOW_MS - 30000, shown = 0, confirmed = 0;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 5000000);
    subscribe(&bench, "candle1m", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    for (int step = 0; step < 300; step++) { /* a minute in steps of 200 ms */
        while (ws_session_has_output(bench.session, bench.now)) {
            bool is_confirmed;
            int64_t seen_ms = hear_candle(&bench, &is_confirmed);
            assert_int_equal(seen_ms, open_ms);
            if (is_confirmed) {
                open_ms += 60000;
                confirmed++;
            }
            shown++;
        }
        pass(&bench, 200);
    }
    assert_int_equal(confirmed, 1);
    assert_in_range(shown, 60, 63);
    bench_close(&bench);
}

static void silence_of_30_seconds_ends_with_4004(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    pass(&bench, 29999);
    assert_int_equal(end_of(&bench), 0);
    say(&bench, "ping");
    hear(&bench);
    pass(&bench, 29999);
    assert_int_equal(end_of(&bench), 0);
    pass(&bench, 1);
    assert_int_equal(end_of(&bench), 4004);
    bench_close(&bench);
}

static void pushes_keep_a_silent_client_connected(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 1000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    for (int i = 0; i < 60; i++) {
        pass(&bench, 2000);
        while (hear(&bench))
            ;
        assert_int_equal(end_of(&bench), 0);
    }
    bench_close(&bench);
}

static void a_reader_too_far_behind_ends_with_4005(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 10000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    hear(&bench);
    pass(&bench, 9000);
    assert_int_equal(end_of(&bench), 0);
    pass(&bench, 2000);
    assert_int_equal(end_of(&bench), 4005);
    bench_close(&bench);
}

static void a_resumed_market_is_not_the_reader_s_fault(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 10000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    hear(&bench);
    tape_halt(bench.tape, bench.now.wall_ms);
    pass(&bench, 20000);
    assert_null(hear(&bench));
    tape_resume(bench.tape);
    bench.hub.backlog_since_ms = bench.now.wall_ms;
    assert_int_equal(end_of(&bench), 0);
    assert_non_null(hear(&bench));
    bench_close(&bench);
}

static void a_stalled_connection_says_nothing_until_the_stall_ends(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 10000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    ws_hub_stall(&bench.hub, 40000, bench.now);
    say(&bench, "ping");
    for (int i = 0; i < 39; i++) {
        pass(&bench, 1000);
        assert_false(ws_session_has_output(bench.session, bench.now));
        assert_null(hear(&bench));
        assert_int_equal(end_of(&bench), 0);
    }
    pass(&bench, 1000);
    assert_string_equal(hear(&bench), "pong");
    assert_non_null(hear(&bench));
    assert_int_equal(end_of(&bench), 0);
    bench_close(&bench);
}

static void a_notice_comes_at_once_and_the_end_when_announced(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    ws_hub_announce_end(&bench.hub, 5000, bench.now);
    expect_event(&bench, "notice", "64008");
    pass(&bench, 4999);
    assert_int_equal(end_of(&bench), 0);
    pass(&bench, 1);
    assert_int_equal(end_of(&bench), 1001);
    bench_close(&bench);
}

static void more_than_480_requests_an_hour_get_60014(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    for (int i = 0; i < 480; i++) {
        subscribe(&bench, "trades", "BTC-USDT");
        expect_event(&bench, "subscribe", NULL);
    }
    subscribe(&bench, "trades", "BTC-USDT");
    expect_event(&bench, "error", "60014");
    pass(&bench, 3600000);
    subscribe(&bench, "trades", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    bench_close(&bench);
}

static void too_many_channels_end_with_4009(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 0);
    subscribe(&bench, "trades-all", "BTC-USDT");
    subscribe(&bench, "trades-all", "ETH-USDT");
    subscribe(&bench, "candle1H", "ETH-USDT");
    assert_int_equal(end_of(&bench), 0);
    subscribe(&bench, "candle1m", "ETH-USDT");
    assert_int_equal(end_of(&bench), 4009);
    bench_close(&bench);
}

static void unread_answers_do_not_pile_up_without_limit(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    for (int i = 0; i < 1000000 && end_of(&bench) == 0; i++)
        say(&bench, "ping");
    assert_int_equal(end_of(&bench), 4005);
    bench_close(&bench);
}

static void garbled_frames_are_as_many_as_ordered(void **state)
{
    struct bench bench;
    int bad = 0, good = 0;
    const char *text;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 50000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    bench.faults.malformed_count = 5;
    pass(&bench, 3000);
    while ((text = hear(&bench)) != NULL) {
        json_t *root = json_loads(text, 0, NULL);
        if (!root || strstr(text, "\"px\":\"x"))
            bad++;
        else
            good++;
        json_decref(root);
    }
    assert_int_equal(bad, 5);
    assert_true(good > 50);
    bench_close(&bench);
}

static void odd_frames_are_json_with_a_member_nobody_knows(void **state)
{
    struct bench bench;
    json_t *root;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 50000000);
    subscribe(&bench, "trades-all", "BTC-USDT");
    expect_event(&bench, "subscribe", NULL);
    bench.faults.odd_count = 1;
    pass(&bench, 1000);
    root = hear_json(&bench);
    assert_non_null(json_object_get(json_array_get(json_object_get(root, "data"), 0), "unheardOf"));
    json_decref(root);
    root = hear_json(&bench);
    assert_null(json_object_get(json_array_get(json_object_get(root, "data"), 0), "unheardOf"));
    json_decref(root);
    bench_close(&bench);
}

static void a_fourth_connection_in_a_second_is_refused(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_PUBLIC, 0);
    for (int i = 0; i < 3; i++)
        assert_true(ws_hub_admit(&bench.hub, "10.0.0.1", bench.now));
    assert_false(ws_hub_admit(&bench.hub, "10.0.0.1", bench.now));
    assert_true(ws_hub_admit(&bench.hub, "10.0.0.2", bench.now));
    pass(&bench, 1000);
    assert_true(ws_hub_admit(&bench.hub, "10.0.0.1", bench.now));
    bench.hub.settings.has_rate_limits = false;
    for (int i = 0; i < 9; i++)
        assert_true(ws_hub_admit(&bench.hub, "10.0.0.1", bench.now));
    bench_close(&bench);
}

static void what_is_hostile_goes_before_anything_to_who_is_subscribed(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, WS_PATH_BUSINESS, 10000000);
    ws_hub_be_hostile(&bench.hub, HOSTILE_DIGITS, 5);
    assert_null(hear(&bench)); /* nobody is subscribed */
    subscribe(&bench, "trades-all", "BTC-USDT");
    ws_hub_be_hostile(&bench.hub, HOSTILE_DIGITS, 5);
    assert_true(ws_session_has_output(bench.session, bench.now));
    assert_non_null(strstr(hear(&bench), "\"px\":\"99999\""));
    assert_non_null(strstr(hear(&bench), "\"event\":\"subscribe\""));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_argument_is_acknowledged_with_id_and_arg),
        cmocka_unit_test(channels_exist_only_on_their_own_path),
        cmocka_unit_test(ping_is_answered_by_pong_and_nonsense_by_60012),
        cmocka_unit_test(trades_all_sends_every_trade_once_in_order),
        cmocka_unit_test(trades_add_up_by_their_counts),
        cmocka_unit_test(after_unsubscribing_nothing_more_comes),
        cmocka_unit_test(hidden_trades_are_skipped_and_the_next_one_follows),
        cmocka_unit_test(a_candle_is_shown_each_second_and_confirmed_once),
        cmocka_unit_test(silence_of_30_seconds_ends_with_4004),
        cmocka_unit_test(pushes_keep_a_silent_client_connected),
        cmocka_unit_test(a_reader_too_far_behind_ends_with_4005),
        cmocka_unit_test(a_resumed_market_is_not_the_reader_s_fault),
        cmocka_unit_test(a_stalled_connection_says_nothing_until_the_stall_ends),
        cmocka_unit_test(a_notice_comes_at_once_and_the_end_when_announced),
        cmocka_unit_test(more_than_480_requests_an_hour_get_60014),
        cmocka_unit_test(too_many_channels_end_with_4009),
        cmocka_unit_test(unread_answers_do_not_pile_up_without_limit),
        cmocka_unit_test(garbled_frames_are_as_many_as_ordered),
        cmocka_unit_test(odd_frames_are_json_with_a_member_nobody_knows),
        cmocka_unit_test(a_fourth_connection_in_a_second_is_refused),
        cmocka_unit_test(what_is_hostile_goes_before_anything_to_who_is_subscribed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
