#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "okx-sim/replay.h"

static const struct {
    const char *name, *text;
} files[] = {
    {"ws-trades-2.json", "{\"arg\":{},\"data\":[{\"tradeId\":\"2\",\"ts\":\"2000\"}]}\n"},
    {"ws-trades-1.json", "{\"arg\":{},\"data\":[{\"tradeId\":\"1\",\"ts\":\"1000\"}]}"},
    {"ws-candle-1.json", "{\"arg\":{},\"data\":[[\"1500\",\"1\"]]}"},
    {"ws-notice.json", "{\"event\":\"notice\"}"},
    {"rest-public-time.json", "{\"code\":\"0\",\"data\":[{\"ts\":\"5\"}]}"},
    {"rest-market-trades-a.json",
     "{\"code\":\"0\",\"data\":[{\"instId\":\"BTC-USDT\",\"tradeId\":\"9\"},"
     "{\"instId\":\"BTC-USDT\",\"tradeId\":\"8\"}]}"},
    {"rest-market-trades-b.json",
     "{\"code\":\"0\",\"data\":[{\"instId\":\"ETH-USDT\",\"tradeId\":\"3\"}]}"},
    {"rest-market-candles-1m-BTC-USDT-SWAP.json", "{\"code\":\"0\",\"data\":[[\"700\",\"1\"]]}"},
    {"rest-market-candles-doc.json", "{\"code\":\"0\",\"data\":[[\"800\",\"1\"]]}"},
    {"rest-public-instruments-SPOT-full.json", "{\"code\":\"0\",\"data\":[\"full\"]}"},
    {"rest-public-instruments-SPOT-sample.json", "{\"code\":\"0\",\"data\":[\"sample\"]}"},
    {"rest-public-instruments-SWAP-sample.json", "{\"code\":\"0\",\"data\":[\"swap\"]}"},
    {"rest-error-50011.json", "{\"code\":\"50011\"}"},
    {"README.md", "no message"},
};
enum { FILE_COUNT = sizeof files / sizeof files[0] };

struct folder {
    char path[64];
    struct replay *replay;
};

static void write_file(const char *folder, const char *name, const char *text)
{
    char *path = mem_sprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void remove_file(const char *folder, const char *name)
{
    char *path = mem_sprintf("%s/%s", folder, name);

    unlink(path);
    free(path);
}

static int open_folder(void **state)
{
    struct folder *folder = mem_calloc(1, sizeof *folder);
    struct err err;

    (void)snprintf(folder->path, sizeof folder->path, "/tmp/okx-sim-replay-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    for (size_t i = 0; i < FILE_COUNT; i++)
        write_file(folder->path, files[i].name, files[i].text);
    folder->replay = replay_load(folder->path, &err);
    if (!folder->replay)
        fail_msg("%s", err.message);
    *state = folder;
    return 0;
}

static int close_folder(void **state)
{
    struct folder *folder = *state;

    replay_destroy(folder->replay);
    for (size_t i = 0; i < FILE_COUNT; i++)
        remove_file(folder->path, files[i].name);
    rmdir(folder->path);
    free(folder);
    return 0;
}

static void expect(const struct folder *folder, const char *endpoint, const char *query,
                   uint64_t turn, const char *expected)
{
    struct http_request request = {0};
    struct text_view rest = text_view_of(query), piece;
    struct http_reply reply;
    char text[100];

    while (text_view_split(&rest, '&', &piece)) {
        snprintf(text, sizeof text, "%.*s", TEXT_VIEW_ARGS(piece));
        http_request_add_parameter(&request, text);
    }
    http_reply_init(&reply);
    replay_answer(folder->replay, endpoint, &request, turn, &reply);
    if (!strstr(reply.body.data, expected))
        fail_msg("%s?%s: %s lacks %s", endpoint, query, reply.body.data, expected);
    http_reply_clear(&reply);
}

static void frames_come_in_the_order_of_their_time_after_the_control_frames(void **state)
{
    static const char *const order[] = {"notice", "\"1000\"", "\"1500\"", "\"2000\""};
    const struct folder *folder = *state;

    assert_int_equal(replay_frame_count(folder->replay), 4);
    for (size_t i = 0; i < 4; i++) {
        struct text_view frame = replay_frame(folder->replay, i);
        assert_non_null(memmem(frame.data, frame.length, order[i], strlen(order[i])));
        assert_int_equal(frame.data[frame.length - 1], '}'); /* no line end is sent */
    }
}

static void an_answer_is_chosen_by_instrument_or_by_turn(void **state)
{
    static const struct {
        const char *endpoint, *query;
        uint64_t turn;
        const char *expected;
    } cases[] = {
        {"public/time", "", 0, "\"ts\":\"5\""},
        {"public/time", "", 77, "\"ts\":\"5\""},
        {"market/trades", "instId=ETH-USDT", 0, "\"3\""},
        {"market/trades", "instId=BTC-USDT", 1, "\"9\""},
        {"market/trades", "instId=NO-SUCH", 0, "\"9\""},
        {"market/trades", "instId=NO-SUCH", 1, "\"3\""},
        {"market/trades", "", 2, "\"9\""},
        {"market/candles", "instId=BTC-USDT-SWAP", 1, "\"700\""},
        {"market/candles", "instId=BTC-USDT", 0, "\"700\""},
        {"market/candles", "instId=BTC-USDT", 1, "\"800\""},
        {"public/instruments", "instType=SPOT", 0, "full"},
        {"public/instruments", "instType=SPOT", 1, "full"},
        {"public/instruments", "instType=SWAP", 0, "swap"},
        {"market/history-trades", "instId=BTC-USDT", 0, "\"9\""},
        {"market/history-trades", "instId=NO-SUCH", 0, "\"data\":[]"},
        {"market/history-candles", "instId=BTC-USDT-SWAP", 0, "\"700\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(*state, cases[i].endpoint, cases[i].query, cases[i].turn, cases[i].expected);
}

static void a_follow_up_page_is_empty(void **state)
{
    expect(*state, "market/trades", "instId=BTC-USDT&after=9", 0, "\"9\"");
    expect(*state, "market/trades", "instId=BTC-USDT&after=8", 1, "\"data\":[]");
    expect(*state, "market/candles", "instId=BTC-USDT-SWAP&after=701", 1, "\"700\"");
    expect(*state, "market/candles", "instId=BTC-USDT-SWAP&after=700", 1, "\"data\":[]");
}

static void a_folder_that_is_missing_or_broken_is_refused(void **state)
{
    char path[] = "/tmp/okx-sim-replay-XXXXXX";
    struct err err = {0};

    (void)state;
    assert_null(replay_load("/nonexistent", &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(mkdtemp(path));
    assert_null(replay_load(path, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    write_file(path, "ws-broken.json", "{\"arg\":");
    assert_null(replay_load(path, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.message, "ws-broken.json"));
    remove_file(path, "ws-broken.json");
    rmdir(path);
}

static void the_recorded_messages_load_when_present(void **state)
{
    const char *captures = getenv("OKX_CAPTURES");
    struct replay *replay;
    struct err err;

    (void)state;
    if (!captures)
        captures = "../shared/data/okx";
    if (access(captures, R_OK) != 0)
        skip();
    replay = replay_load(captures, &err);
    if (!replay)
        fail_msg("%s", err.message);
    assert_true(replay_frame_count(replay) > 20);
    replay_destroy(replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_the_order_of_their_time_after_the_control_frames),
        cmocka_unit_test(an_answer_is_chosen_by_instrument_or_by_turn),
        cmocka_unit_test(a_follow_up_page_is_empty),
        cmocka_unit_test(a_folder_that_is_missing_or_broken_is_refused),
        cmocka_unit_test(the_recorded_messages_load_when_present),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
