#include "sim_fixture.h"

#include <string.h>

#include "okx-sim/http_request.h"
#include "okx-sim/okx_json.h"
#include "okx-sim/ws_frame.h"

static struct buf fresh(void)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    return out;
}

static void numbers_are_plain_and_without_trailing_zeros(void **state)
{
    static const struct {
        int64_t units;
        int decimals;
        const char *text;
    } cases[] = {
        {640402, 1, "64040.2"},    {639210, 1, "63921"}, {240857, 8, "0.00240857"},
        {1, 12, "0.000000000001"}, {0, 8, "0"},          {1000, 0, "1000"},
        {-15, 1, "-1.5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = fresh();
        okx_json_number(&out, cases[i].units, cases[i].decimals);
        assert_string_equal(out.data, cases[i].text);
        buf_clear(&out);
    }
}

static void integers_are_written_whole(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-1, "-1"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = fresh();
        okx_json_int(&out, cases[i].value);
        assert_string_equal(out.data, cases[i].text);
        buf_clear(&out);
    }
}

static void rows_have_the_members_of_the_recordings_in_their_order(void **state)
{
    const struct instrument btc = {
        .inst_id = "BTC-USDT", .tick_decimals = 1, .lot_decimals = 8, .first_trade_id = 1000};
    const struct market_trade trade = {.index = 613,
                                       .price = 640402,
                                       .size = 240857,
                                       .time_ms = 1786538760218,
                                       .is_buy = true,
                                       .source = '0'};
    const struct trade_aggregate aggregate = {.last = trade, .count = 2, .seq_id = 79706765242};
    const struct market_candle candle = {.open_time_ms = 1786538760000,
                                         .open = 640402,
                                         .high = 640402,
                                         .low = 640257,
                                         .close = 640335,
                                         .volume = 216787395,
                                         .turnover = (int128)138825265446816};
    struct buf out = fresh();

    (void)state;
    okx_json_trade(&out, &btc, &trade);
    assert_string_equal(
        out.data, "{\"instId\":\"BTC-USDT\",\"tradeId\":\"1613\",\"px\":\"64040.2\",\"sz\":"
                  "\"0.00240857\",\"side\":\"buy\",\"source\":\"0\",\"ts\":\"1786538760218\"}");
    buf_reset(&out);
    okx_json_aggregate(&out, &btc, &aggregate);
    assert_string_equal(out.data,
                        "{\"instId\":\"BTC-USDT\",\"tradeId\":\"1613\",\"px\":\"64040.2\",\"sz\":"
                        "\"0.00240857\",\"side\":\"buy\",\"ts\":\"1786538760218\",\"count\":\"2\","
                        "\"source\":\"0\",\"seqId\":79706765242}");
    buf_reset(&out);
    okx_json_rest_trade(&out, &btc, &trade);
    assert_string_equal(
        out.data, "{\"instId\":\"BTC-USDT\",\"side\":\"buy\",\"sz\":\"0.00240857\",\"source\":"
                  "\"0\",\"px\":\"64040.2\",\"tradeId\":\"1613\",\"ts\":\"1786538760218\"}");
    buf_reset(&out);
    okx_json_candle(&out, &btc, &candle, false);
    assert_string_equal(out.data,
                        "[\"1786538760000\",\"64040.2\",\"64040.2\",\"64025.7\",\"64033.5\","
                        "\"2.16787395\",\"138825.265446816\",\"138825.265446816\",\"0\"]");
    buf_clear(&out);
}

static void frames_have_the_shortest_header_for_their_length(void **state)
{
    static const struct {
        size_t length, header;
    } cases[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};
    char *payload = calloc(1, 65536);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = fresh();
        const unsigned char *frame;
        size_t length = 0;
        ws_frame_append_text(&out, payload, cases[i].length);
        frame = (const unsigned char *)out.data;
        assert_int_equal(out.length, cases[i].header + cases[i].length);
        assert_int_equal(frame[0], 0x81);
        for (size_t k = 2; k < cases[i].header; k++)
            length = length << 8 | frame[k];
        assert_int_equal(cases[i].header == 2 ? frame[1] : length, cases[i].length);
        buf_clear(&out);
    }
    free(payload);
}

static void parameters_are_read_within_bounds(void **state)
{
    struct http_request request = {0};
    int64_t value = 0;
    struct err err;

    (void)state;
    http_request_add_parameter(&request, "limit=300");
    http_request_add_parameter(&request, "flag");
    http_request_add_parameter(&request, "a-name-that-is-far-too-long-to-be-kept=1");
    http_request_add_parameter(&request, "expr=a=b");
    assert_int_equal(request.parameter_count, 3);
    assert_string_equal(http_request_parameter(&request, "flag"), "");
    assert_string_equal(http_request_parameter(&request, "expr"), "a=b");
    assert_null(http_request_parameter(&request, "after"));
    assert_int_equal(http_request_int(&request, "limit", 100, 1, 300, &value, &err), 0);
    assert_int_equal(value, 300);
    assert_int_equal(http_request_int(&request, "after", 7, 1, 300, &value, &err), 0);
    assert_int_equal(value, 7);
    assert_int_equal(http_request_int(&request, "limit", 100, 1, 299, &value, &err), -1);
    assert_int_equal(err.code, ERR_OUT_OF_RANGE);
    assert_int_equal(http_request_int(&request, "expr", 100, 1, 299, &value, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_int_equal(value, 7);
    for (int i = 0; i < 50; i++)
        http_request_add_parameter(&request, "more=1");
    assert_int_equal(request.parameter_count, HTTP_REQUEST_PARAMETERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_plain_and_without_trailing_zeros),
        cmocka_unit_test(integers_are_written_whole),
        cmocka_unit_test(rows_have_the_members_of_the_recordings_in_their_order),
        cmocka_unit_test(frames_have_the_shortest_header_for_their_length),
        cmocka_unit_test(parameters_are_read_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
