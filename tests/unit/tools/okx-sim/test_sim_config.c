#include "tests/support/unit_test.h"

#include <stdlib.h>

#include "okx-sim/instrument.h"
#include "okx-sim/sim_config.h"

static void a_rate_is_exact_to_a_millionth(void **state)
{
    static const struct {
        const char *text;
        int64_t micro_rate; /* -1: refused */
    } cases[] = {
        {"10", 10000000}, {"0.05", 50000},   {"0", 0},   {"0.000001", 1}, {"100000", 100000000000},
        {"100000.1", -1}, {"0.0000001", -1}, {"-1", -1}, {"fast", -1},    {"", -1},
    };
    int64_t rate;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int result = sim_config_read_rate(cases[i].text, &rate, &err);
        assert_int_equal(result == 0 ? rate : -1, cases[i].micro_rate);
        if (result != 0)
            assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void an_address_is_host_and_port(void **state)
{
    static const char *const bad[] = {"8900", ":8900", "127.0.0.1:", "h:65536", "h:-1", "h:http"};
    struct listen_address address;
    struct err err;

    (void)state;
    assert_int_equal(sim_config_read_address("127.0.0.1:0", &address, &err), 0);
    assert_string_equal(address.host, "127.0.0.1");
    assert_int_equal(address.port, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sim_config_read_address(bad[i], &address, &err), -1);
}

static void instruments_are_read_with_their_listing(void **state)
{
    struct instrument *instruments = NULL;
    struct err err;

    (void)state;
    assert_int_equal(instrument_list_parse(text_view_of("BTC-USDT, 1INCH-USDT,NEW-EUR@2026-11-01"),
                                           &instruments, &err),
                     3);
    assert_string_equal(instruments[0].inst_id, "BTC-USDT");
    assert_string_equal(instruments[0].base_ccy, "BTC");
    assert_int_equal(instruments[0].tick_decimals, 1);
    assert_int_equal(instruments[0].listed_ms, INT64_C(1577836800000));
    assert_string_equal(instruments[1].inst_id, "1INCH-USDT");
    assert_string_equal(instruments[2].inst_id, "NEW-EUR");
    assert_string_equal(instruments[2].quote_ccy, "EUR");
    assert_int_equal(instruments[2].listed_ms, INT64_C(1793491200000));
    free(instruments);
}

static void wrong_instrument_lists_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "BTC",
        "btc-usdt",
        "BTC-USDT-SWAP",
        "-USDT",
        "BTC-USDT,,A-B",
        "A-B,C-D,A-B",
        "A-B@2019-12-31",
        "A-B@soon",
        "A-",
        "A B-C",
        "A-B@2026-13-01",
        "ABCDEFGHIJKLMNOPQ-B",
    };
    struct instrument *instruments = NULL;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err.code = ERR_NONE;
        if (instrument_list_parse(text_view_of(bad[i]), &instruments, &err) >= 0)
            fail_msg("'%s' was accepted", bad[i]);
        assert_int_not_equal(err.code, ERR_NONE);
    }
    assert_null(instruments);
}

static void all_mistakes_are_reported_together(void **state)
{
    struct sim_config config = {.address = "here",
                                .admin_address = "there",
                                .trade_rate = "fast",
                                .instruments = "none",
                                .tls_cert_file = "cert.pem"};
    struct config_problems problems = {0};

    (void)state;
    sim_config_validate(&config, &problems);
    assert_int_equal(problems.count, 5);
    config_problems_clear(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_exact_to_a_millionth),
        cmocka_unit_test(an_address_is_host_and_port),
        cmocka_unit_test(instruments_are_read_with_their_listing),
        cmocka_unit_test(wrong_instrument_lists_are_refused),
        cmocka_unit_test(all_mistakes_are_reported_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
