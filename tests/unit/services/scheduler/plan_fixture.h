/* A command_plan over 1H bars, and the pipeline's part towards it. */
#ifndef SCHEDULER_PLAN_FIXTURE_H
#define SCHEDULER_PLAN_FIXTURE_H

#include "tests/support/unit_test.h"

#include <string.h>

#include "base/rfc3339.h"
#include "scheduler/command_plan.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { IN_FLIGHT = 8 };

static inline int64_t time_of(const char *text)
{
    struct err err = {0};
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

static inline struct command_plan *plan_of(const char *instruments, const char *start,
                                           const char *candles_cron, const char *currencies_cron)
{
    const struct candle_bar *const bars[] = {candle_bar_find("1H")};
    struct instrument_settings settings = {.currencies = "*", .base_currency = "USDT"};
    struct instrument_selection selection = {0};
    struct config_problems problems = {0};
    struct command_plan_options options = {
        .bars = bars,
        .bar_count = 1,
        .history_start_ms = time_of(start),
        .instruments = &selection,
        .backfill_in_flight = IN_FLIGHT,
        .command_timeout_ms = 15 * MINUTE,
    };
    struct command_plan *plan = NULL;
    struct err err = {0};

    if (strcmp(instruments, "*") != 0)
        settings.instruments = (char *)instruments;
    instrument_selection_read(&settings, &selection, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(job_schedule_parse(candles_cron, &options.candles, &err), 0);
    assert_int_equal(job_schedule_parse(currencies_cron, &options.currencies, &err), 0);
    plan = command_plan_create(&options);
    instrument_selection_clear(&selection);
    return plan;
}

static inline struct fetch_result result_of(const struct fetch_command *command,
                                            enum fetch_status status, bool is_retriable)
{
    return (struct fetch_result){.command = *command, .status = status, .retriable = is_retriable};
}

static inline void answer(struct command_plan *plan, const struct fetch_command *command,
                          enum fetch_status status, bool is_retriable, int64_t now_ms)
{
    const struct fetch_result result = result_of(command, status, is_retriable);

    command_plan_on_result(plan, &result, now_ms);
}

/* Takes the next command as the pipeline does; false when there is none. */
static inline bool take(struct command_plan *plan, int64_t now_ms, struct fetch_command *command)
{
    if (!command_plan_next(plan, now_ms, command))
        return false;
    command_plan_on_command(plan, command, now_ms);
    return true;
}

#endif
