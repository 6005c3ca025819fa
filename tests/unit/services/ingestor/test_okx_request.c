#include "tests/support/unit_test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ingestor/okx_request.h"

static void paths_carry_exclusive_cursors_and_page_limits(void **state)
{
    char path[OKX_PATH_BYTES];

    (void)state;
    okx_path_history_trades("BTC-USDT", 1040969000, path);
    assert_string_equal(path, "/api/v5/market/history-trades?instId=BTC-USDT&type=1&after="
                              "1040969000&limit=100");
    okx_path_candles(OKX_ENDPOINT_HISTORY_CANDLES, "BTC-USDT", "1H", 1795420800000, 300, path);
    assert_string_equal(path, "/api/v5/market/history-candles?instId=BTC-USDT&bar=1H&after="
                              "1795420800000&limit=300");
    okx_path_candles(OKX_ENDPOINT_CANDLES, "1INCH-USDT", "1Dutc", 5, 1, path);
    assert_string_equal(path, "/api/v5/market/candles?instId=1INCH-USDT&bar=1Dutc&after=5&limit=1");
    okx_path_trades("PEPE-USD_UM_XPERP-310404", 1, path);
    assert_string_equal(path, "/api/v5/market/trades?instId=PEPE-USD_UM_XPERP-310404&limit=1");
    okx_path_currencies(path);
    assert_string_equal(path, "/api/v5/asset/currencies");
    okx_path_spot_instruments(path);
    assert_string_equal(path, "/api/v5/public/instruments?instType=SPOT");
    okx_path_time(path);
    assert_string_equal(path, "/api/v5/public/time");
}

static void foreign_characters_of_an_instrument_are_percent_encoded(void **state)
{
    char path[OKX_PATH_BYTES];

    (void)state;
    okx_path_trades("A&b=c/\xc3\xa9 d", 100, path);
    assert_string_equal(path, "/api/v5/market/trades?instId=A%26b%3Dc%2F%C3%A9%20d&limit=100");
}

static void channels_are_asked_for_where_okx_serves_them(void **state)
{
    (void)state;
    assert_string_equal(okx_ws_path("trades-all"), "/ws/v5/business");
    assert_string_equal(okx_ws_path("trades"), "/ws/v5/public");
}

static void a_request_is_the_documented_json(void **state)
{
    static const char *const inst_ids[] = {"BTC-USDT", "ETH-USDT"};
    struct buf out;

    (void)state;
    buf_init(&out, OKX_SUBSCRIBE_BYTES_MAX);
    assert_int_equal(okx_request_write("subscribe", "r1", "trades", inst_ids, 2, &out), 2);
    assert_string_equal(
        out.data, "{\"id\":\"r1\",\"op\":\"subscribe\",\"args\":[{\"channel\":\"trades\","
                  "\"instId\":\"BTC-USDT\"},{\"channel\":\"trades\",\"instId\":\"ETH-USDT\"}]}");
    buf_clear(&out);
}

static void a_request_stays_below_its_maximum_and_valid_whatever_the_instruments(void **state)
{
    enum { INSTRUMENTS = 1218 };
    static char names[INSTRUMENTS][64];
    static const char *inst_ids[INSTRUMENTS];
    size_t written = 0;
    size_t requests = 0;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        snprintf(names[i], sizeof names[i], "\"QUOTED\\NAME-%zu\"", i);
        inst_ids[i] = names[i];
    }
    buf_init(&out, OKX_SUBSCRIBE_BYTES_MAX);
    while (written < INSTRUMENTS) {
        size_t count = okx_request_write("subscribe", "r1", "trades-all", inst_ids + written,
                                         INSTRUMENTS - written, &out);

        assert_true(count > 0);
        assert_false(out.overflowed);
        assert_true(out.length < 64 * 1024);
        json_t *document = json_loadb(out.data, out.length, 0, NULL);
        assert_non_null(document);
        assert_int_equal(json_array_size(json_object_get(document, "args")), count);
        json_decref(document);
        buf_reset(&out);
        written += count;
        requests++;
    }
    assert_int_equal(written, INSTRUMENTS);
    assert_true(requests < 5);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_carry_exclusive_cursors_and_page_limits),
        cmocka_unit_test(foreign_characters_of_an_instrument_are_percent_encoded),
        cmocka_unit_test(channels_are_asked_for_where_okx_serves_them),
        cmocka_unit_test(a_request_is_the_documented_json),
        cmocka_unit_test(a_request_stays_below_its_maximum_and_valid_whatever_the_instruments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
