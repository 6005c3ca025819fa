#include "tests/support/unit_test.h"

#include <string.h>

#include "domain/fetch_command.h"

static void a_trades_command_has_the_id_of_its_range(void **state)
{
    struct fetch_command command;
    (void)state;
    memset(&command, 0xAA, sizeof command);
    fetch_command_for_trades(&command, "BTC-USDT", 1040968615, 1040968999, FETCH_REASON_GAP, 77);
    assert_string_equal(command.id, "trades/BTC-USDT/1040968615-1040968999");
    assert_int_equal(command.kind, FETCH_KIND_TRADES);
    assert_string_equal(command.inst_id, "BTC-USDT");
    assert_string_equal(command.bar, "");
    assert_true(command.from_id.present && command.to_id.present);
    assert_int_equal(command.from_id.value, 1040968615);
    assert_int_equal(command.to_id.value, 1040968999);
    assert_false(command.from_time_ms.present || command.to_time_ms.present);
    assert_int_equal(command.reason, FETCH_REASON_GAP);
    assert_int_equal(command.attempt, 1);
    assert_int_equal(command.created_at_ms, 77);
    assert_string_equal(fetch_command_key(&command), "BTC-USDT");
}

static void a_candles_command_has_the_id_of_its_beginning_only(void **state)
{
    struct fetch_command command;
    (void)state;
    memset(&command, 0xAA, sizeof command);
    fetch_command_for_candles(&command, "BTC-USDT", "1H", INT64_C(1577836800000),
                              INT64_C(1577840400000), FETCH_REASON_BACKFILL, 77);
    assert_string_equal(command.id, "candles/BTC-USDT/1H/2020-01-01T00:00:00Z");
    assert_int_equal(command.kind, FETCH_KIND_CANDLES);
    assert_string_equal(command.inst_id, "BTC-USDT");
    assert_string_equal(command.bar, "1H");
    assert_false(command.from_id.present || command.to_id.present);
    assert_true(command.from_time_ms.present && command.to_time_ms.present);
    assert_true(command.from_time_ms.value == INT64_C(1577836800000));
    assert_true(command.to_time_ms.value == INT64_C(1577840400000));
    assert_int_equal(command.reason, FETCH_REASON_BACKFILL);
    assert_int_equal(command.attempt, 1);
    assert_string_equal(fetch_command_key(&command), "BTC-USDT");

    struct fetch_command grown;
    fetch_command_for_candles(&grown, "BTC-USDT", "1H", INT64_C(1577836800000),
                              INT64_C(1577844000000), FETCH_REASON_SCHEDULE, 78);
    assert_string_equal(grown.id, command.id);
}

static void a_currencies_command_has_the_id_of_its_firing(void **state)
{
    struct fetch_command command;
    (void)state;
    memset(&command, 0xAA, sizeof command);
    fetch_command_for_currencies(&command, INT64_C(1795420800000), 77);
    assert_string_equal(command.id, "currencies/2026-11-23T08:00:00Z");
    assert_int_equal(command.kind, FETCH_KIND_CURRENCIES);
    assert_string_equal(command.inst_id, "");
    assert_false(command.from_id.present || command.from_time_ms.present);
    assert_int_equal(command.reason, FETCH_REASON_SCHEDULE);
    assert_int_equal(command.attempt, 1);
    assert_int_equal(command.created_at_ms, 77);
    assert_string_equal(fetch_command_key(&command), "currencies");
}

static void the_longest_names_fit_the_id(void **state)
{
    struct fetch_command command;
    char inst_id[INST_ID_BYTES], bar[CANDLE_BAR_BYTES];
    (void)state;
    memset(inst_id, 'X', sizeof inst_id - 1);
    memset(bar, 'Y', sizeof bar - 1);
    inst_id[sizeof inst_id - 1] = bar[sizeof bar - 1] = '\0';
    fetch_command_for_trades(&command, inst_id, INT64_MIN, INT64_MIN, FETCH_REASON_GAP, 0);
    assert_int_equal(strlen(command.id), 7 + 63 + 1 + 20 + 1 + 20);
    fetch_command_for_candles(&command, inst_id, bar, INT64_MIN, 0, FETCH_REASON_GAP, 0);
    assert_string_equal(command.inst_id, inst_id);
    assert_string_equal(command.bar, bar);
    assert_int_equal(command.id[strlen(command.id) - 1], 'Z');
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(fetch_kind_name(FETCH_KIND_TRADES), "trades");
    assert_string_equal(fetch_kind_name(FETCH_KIND_CANDLES), "candles");
    assert_string_equal(fetch_kind_name(FETCH_KIND_CURRENCIES), "currencies");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trades_command_has_the_id_of_its_range),
        cmocka_unit_test(a_candles_command_has_the_id_of_its_beginning_only),
        cmocka_unit_test(a_currencies_command_has_the_id_of_its_firing),
        cmocka_unit_test(the_longest_names_fit_the_id),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
