#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/scheduler_config.h"

static const char *const names[] = {
    "KAFKA_BOOTSTRAP_SERVERS",
    "SCHEMA_REGISTRY_URL",
    "CANDLE_BARS",
    "HISTORY_START",
    "CANDLES_CRON",
    "CURRENCIES_CRON",
    "CURRENCIES",
    "BACKFILL_IN_FLIGHT",
    "COMMAND_TIMEOUT",
};

static int reset_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092", 1);
    setenv("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081", 1);
    return 0;
}

static void load(struct scheduler_config *config, struct config_problems *problems)
{
    env_config_load(scheduler_program.settings, scheduler_program.setting_count, config, problems);
    scheduler_program.validate(config, problems);
}

static void defaults_are_an_hourly_job_and_history_since_2020(void **state)
{
    struct scheduler_config config = {0};
    struct config_problems problems = {0};

    (void)state;
    load(&config, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(config.bar_count, 1);
    assert_string_equal(config.bars[0]->name, "1H");
    assert_true(config.history_start_ms == INT64_C(1577836800000));
    assert_true(config.candles_job.is_enabled && config.currencies_job.is_enabled);
    assert_true(config.backfill_in_flight == 8);
    assert_true(config.command_timeout_ms == 15 * 60 * 1000);
    scheduler_config_clear(&config);
}

static void several_bars_are_read_once_each(void **state)
{
    struct scheduler_config config = {0};
    struct config_problems problems = {0};

    (void)state;
    setenv("CANDLE_BARS", "1m, 1H,1Dutc,1m", 1);
    load(&config, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(config.bar_count, 3);
    assert_string_equal(config.bars[0]->name, "1m");
    assert_string_equal(config.bars[2]->name, "1Dutc");
    scheduler_config_clear(&config);
}

static void jobs_can_be_switched_off(void **state)
{
    struct scheduler_config config = {0};
    struct config_problems problems = {0};

    (void)state;
    setenv("CURRENCIES_CRON", "off", 1);
    setenv("CANDLES_CRON", "", 1); /* empty is unset, here as everywhere */
    load(&config, &problems);
    assert_int_equal(problems.count, 0);
    assert_false(config.currencies_job.is_enabled);
    assert_true(config.candles_job.is_enabled);
    scheduler_config_clear(&config);
}

static void all_mistakes_are_named_together(void **state)
{
    static const char *const expected[] = {
        "CANDLE_BARS: '1h' is not a bar size of OKX",
        "CANDLE_BARS: '1234567890123456789' is not a bar size of OKX",
        "HISTORY_START: 'soon' is not a date (2020-01-01) or a time (2020-01-01T12:00:00Z)",
        "CANDLES_CRON: minute '61' is not within 0-59",
        "CURRENCIES_CRON: hour '25' is not within 0-23",
    };
    struct scheduler_config config = {0};
    struct config_problems problems = {0};

    (void)state;
    setenv("CANDLE_BARS", "1h,1H,1234567890123456789", 1);
    setenv("HISTORY_START", "soon", 1);
    setenv("CANDLES_CRON", "61 * * * *", 1);
    setenv("CURRENCIES_CRON", "0 25 * * *", 1);
    load(&config, &problems);
    assert_int_equal(problems.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < problems.count; i++)
        assert_string_equal(problems.lines[i], expected[i]);
    config_problems_clear(&problems);
    scheduler_config_clear(&config);
}

static void history_before_1970_is_refused(void **state)
{
    struct scheduler_config config = {0};
    struct config_problems problems = {0};

    (void)state;
    setenv("HISTORY_START", "1969-12-31", 1);
    load(&config, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.lines[0], "HISTORY_START: '1969-12-31' is before 1970");
    config_problems_clear(&problems);
    scheduler_config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults_are_an_hourly_job_and_history_since_2020,
                               reset_environment),
        cmocka_unit_test_setup(several_bars_are_read_once_each, reset_environment),
        cmocka_unit_test_setup(jobs_can_be_switched_off, reset_environment),
        cmocka_unit_test_setup(all_mistakes_are_named_together, reset_environment),
        cmocka_unit_test_setup(history_before_1970_is_refused, reset_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
