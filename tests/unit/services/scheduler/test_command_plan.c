#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rfc3339.h"
#include "scheduler/command_plan.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { IN_FLIGHT = 8 };

static int64_t time_of(const char *text)
{
    struct err err = {0};
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

static struct command_plan *plan_of(const char *instruments, const char *start,
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

static struct fetch_result result_of(const struct fetch_command *command, enum fetch_status status,
                                     bool is_retriable)
{
    return (struct fetch_result){.command = *command, .status = status, .retriable = is_retriable};
}

static void answer(struct command_plan *plan, const struct fetch_command *command,
                   enum fetch_status status, bool is_retriable, int64_t now_ms)
{
    const struct fetch_result result = result_of(command, status, is_retriable);

    command_plan_on_result(plan, &result, now_ms);
}

/* Takes the next command as the pipeline does; false when there is none. */
static bool take(struct command_plan *plan, int64_t now_ms, struct fetch_command *command)
{
    if (!command_plan_next(plan, now_ms, command))
        return false;
    command_plan_on_command(plan, command, now_ms);
    return true;
}

static void fire(struct command_plan *plan, int64_t now_ms, const char *expected)
{
    int64_t firing_ms = 0;

    assert_true(command_plan_fire_candles(plan, now_ms, &firing_ms));
    assert_true(firing_ms == time_of(expected));
    assert_false(command_plan_fire_candles(plan, now_ms, &firing_ms));
}

/* --- schedules -------------------------------------------------------------------------------- */

static void a_firing_asks_for_the_bar_that_just_closed(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT,ETH-USDT", "2026-11-23", "0 * * * *", "off");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T12:30:00Z");

    (void)state;
    fire(plan, now_ms, "2026-11-23T12:00:00Z");
    while (take(plan, now_ms, &command))
        answer(plan, &command, FETCH_STATUS_DONE, false, now_ms);
    now_ms = time_of("2026-11-23T13:00:00Z");
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    for (int i = 0; i < 2; i++) {
        assert_true(take(plan, now_ms, &command));
        assert_string_equal(command.inst_id, i == 0 ? "BTC-USDT" : "ETH-USDT");
        assert_true(command.to_time_ms.value == now_ms);
        assert_int_equal(command.reason, FETCH_REASON_SCHEDULE);
    }
    assert_false(take(plan, now_ms, &command));
    command_plan_destroy(plan);
}

static void scheduled_bars_do_not_wait_for_history(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2015-01-01", "0 * * * *", "off");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T12:30:00Z");
    int count = 0;

    (void)state;
    fire(plan, now_ms, "2026-11-23T12:00:00Z");
    assert_true(take(plan, now_ms, &command));
    answer(plan, &command, FETCH_STATUS_DONE, false, now_ms);
    while (take(plan, now_ms, &command))
        count++;
    assert_int_equal(count, IN_FLIGHT);
    now_ms = time_of("2026-11-23T13:00:00Z");
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    while (take(plan, now_ms, &command) && command.reason != FETCH_REASON_SCHEDULE)
        ; /* pieces that timed out meanwhile */
    assert_int_equal(command.reason, FETCH_REASON_SCHEDULE);
    command_plan_destroy(plan);
}

static void a_tail_under_way_is_not_asked_twice_but_continued(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "*/10 * * * *", "off");
    struct fetch_command first;
    struct fetch_command command;
    const int64_t now_ms = time_of("2026-11-23T12:50:00Z");
    const int64_t later_ms = time_of("2026-11-23T13:00:00Z");

    (void)state;
    fire(plan, now_ms, "2026-11-23T12:50:00Z");
    assert_true(take(plan, now_ms, &first));
    fire(plan, later_ms, "2026-11-23T13:00:00Z");
    assert_false(take(plan, later_ms, &command));
    answer(plan, &first, FETCH_STATUS_DONE, false, later_ms);
    assert_true(take(plan, later_ms, &command));
    assert_string_equal(command.id, first.id);
    assert_true(command.attempt == 2 && command.to_time_ms.value == later_ms);
    assert_false(take(plan, later_ms, &command));
    command_plan_destroy(plan);
}

static void a_firing_hurries_a_tail_that_is_backing_off_and_extends_it(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "0 * * * *", "off");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T12:00:00Z");

    (void)state;
    fire(plan, now_ms, "2026-11-23T12:00:00Z");
    assert_true(take(plan, now_ms, &command));
    for (; now_ms < time_of("2026-11-23T12:59:59Z"); now_ms += SECOND) {
        if (command.attempt == 1 || take(plan, now_ms, &command))
            answer(plan, &command, FETCH_STATUS_FAILED, true, now_ms);
        command.attempt = command.attempt == 1 ? -1 : command.attempt;
    }
    now_ms = time_of("2026-11-23T13:00:00Z");
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    assert_true(take(plan, now_ms, &command));
    assert_true(command.to_time_ms.value == now_ms);
    command_plan_destroy(plan);
}

static void currencies_missed_while_down_are_asked_once(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "off", "0 8,21 * * *");
    struct fetch_command command;
    const int64_t now_ms = time_of("2026-11-23T12:00:00Z");

    (void)state;
    assert_true(take(plan, now_ms, &command));
    assert_string_equal(command.id, "currencies/2026-11-23T08:00:00Z");
    assert_false(take(plan, now_ms, &command));
    command_plan_destroy(plan);
}

static void currencies_that_were_answered_or_are_under_way_are_not_asked_again(void **state)
{
    const int64_t now_ms = time_of("2026-11-23T12:00:00Z");
    struct fetch_command command;
    struct fetch_command asked;

    (void)state;
    fetch_command_for_currencies(&asked, time_of("2026-11-23T08:00:00Z"), now_ms - MINUTE);
    for (int i = 0; i < 4; i++) {
        static const enum fetch_status statuses[] = {FETCH_STATUS_DONE, FETCH_STATUS_INCOMPLETE,
                                                     FETCH_STATUS_SKIPPED};
        struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "off", "0 8,21 * * *");

        if (i < 3)
            answer(plan, &asked, statuses[i], false, now_ms);
        command_plan_on_command(plan, &asked, now_ms);
        assert_false(take(plan, now_ms, &command));
        assert_int_equal(command_plan_progress(plan).outstanding, i == 3);
        assert_true(take(plan, time_of("2026-11-23T21:00:00Z"), &command));
        assert_string_equal(command.id, i == 3 ? "currencies/2026-11-23T08:00:00Z"
                                               : "currencies/2026-11-23T21:00:00Z");
        command_plan_destroy(plan);
    }
}

static void a_newer_firing_replaces_currencies_that_keep_failing(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "off", "0 * * * *");
    struct fetch_command old;
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T12:00:00Z");

    (void)state;
    assert_true(take(plan, now_ms, &old));
    answer(plan, &old, FETCH_STATUS_FAILED, true, now_ms);
    now_ms += 10 * MINUTE;
    assert_true(take(plan, now_ms, &command));
    assert_string_equal(command.id, old.id);
    assert_true(command.attempt == 2);
    answer(plan, &command, FETCH_STATUS_FAILED, true, now_ms);
    now_ms = time_of("2026-11-23T13:00:00Z");
    while (take(plan, now_ms, &command) && strcmp(command.id, old.id) == 0)
        ;
    assert_string_equal(command.id, "currencies/2026-11-23T13:00:00Z");
    answer(plan, &old, FETCH_STATUS_FAILED, true, now_ms); /* late, and of no interest */
    assert_int_equal(command_plan_progress(plan).outstanding, 1);
    answer(plan, &command, FETCH_STATUS_FAILED, false, now_ms); /* final: not before the next */
    assert_false(take(plan, now_ms + 59 * MINUTE, &command));
    assert_true(take(plan, now_ms + 60 * MINUTE, &command));
    assert_string_equal(command.id, "currencies/2026-11-23T14:00:00Z");
    command_plan_destroy(plan);
}

static void a_clock_that_steps_back_asks_for_nothing_again(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "0 * * * *", "0 * * * *");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T13:00:00Z");
    int64_t firing_ms = 0;

    (void)state;
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    while (take(plan, now_ms, &command))
        answer(plan, &command, FETCH_STATUS_DONE, false, now_ms);
    for (now_ms -= 3 * HOUR; now_ms < time_of("2026-11-23T14:00:00Z"); now_ms += MINUTE) {
        assert_false(command_plan_fire_candles(plan, now_ms, &firing_ms));
        assert_false(take(plan, now_ms, &command));
    }
    fire(plan, now_ms + 5 * HOUR, "2026-11-23T19:00:00Z"); /* and a step ahead fires once */
    command_plan_destroy(plan);
}

/* --- repairs of trades ------------------------------------------------------------------------ */

static void repairs_are_repeated_only_when_they_may_succeed(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "off", "off");
    struct fetch_command repair;
    struct fetch_command command;
    const int64_t now_ms = time_of("2026-11-23T13:00:00Z");

    (void)state;
    fetch_command_for_trades(&repair, "DOGE-USDT", 10, 20, FETCH_REASON_GAP, now_ms);
    command_plan_on_command(plan, &repair, now_ms);
    assert_false(take(plan, now_ms + HOUR, &command));
    answer(plan, &repair, FETCH_STATUS_FAILED, true, now_ms);
    assert_true(take(plan, now_ms + 10 * MINUTE, &command));
    assert_string_equal(command.id, "trades/DOGE-USDT/10-20");
    assert_true(command.attempt == 2 && command.from_id.value == 10 && command.to_id.value == 20);
    assert_int_equal(command.reason, FETCH_REASON_GAP);
    answer(plan, &command, FETCH_STATUS_INCOMPLETE, false, now_ms);
    command_plan_on_command(plan, &repair, now_ms); /* read late */
    assert_false(take(plan, now_ms + 30 * DAY, &command));

    fetch_command_for_trades(&repair, "DOGE-USDT", 30, 40, FETCH_REASON_GAP, now_ms);
    answer(plan, &repair, FETCH_STATUS_FAILED, true, now_ms); /* its command was never seen */
    assert_true(take(plan, now_ms + 10 * MINUTE, &command));
    answer(plan, &command, FETCH_STATUS_FAILED, false, now_ms);
    assert_false(take(plan, now_ms + 30 * DAY, &command));
    command_plan_destroy(plan);
}

/* --- instruments ------------------------------------------------------------------------------ */

static void an_unknown_instrument_costs_one_command_a_day_and_harms_no_other(void **state)
{
    struct command_plan *plan = plan_of("NOPE-USDT,BTC-USDT", "2026-01-01", "0 * * * *", "off");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T00:00:00Z");
    const int64_t end_ms = now_ms + 3 * DAY;
    int failures = 0;
    int64_t firing_ms = 0;

    (void)state;
    for (; now_ms < end_ms; now_ms += MINUTE) {
        (void)command_plan_fire_candles(plan, now_ms, &firing_ms);
        while (take(plan, now_ms, &command)) {
            const bool is_unknown = strcmp(command.inst_id, "NOPE-USDT") == 0;

            failures += is_unknown;
            answer(plan, &command, is_unknown ? FETCH_STATUS_FAILED : FETCH_STATUS_DONE, false,
                   now_ms);
        }
    }
    assert_int_equal(failures, 3);
    assert_int_equal(command_plan_progress(plan).given_up, 1);
    assert_true(command_plan_progress(plan).bars_covered * 2 ==
                command_plan_progress(plan).bars_total);
    command_plan_finish_replay(plan, now_ms); /* as a restart does */
    assert_true(take(plan, now_ms, &command));
    assert_string_equal(command.inst_id, "NOPE-USDT");
    answer(plan, &command, FETCH_STATUS_DONE, false, now_ms); /* it was listed */
    while (take(plan, now_ms, &command))
        answer(plan, &command, FETCH_STATUS_DONE, false, now_ms);
    assert_true(command_plan_progress(plan).bars_covered == command_plan_progress(plan).bars_total);
    command_plan_destroy(plan);
}

static void all_instruments_are_those_that_positions_names(void **state)
{
    struct command_plan *plan = plan_of("*", "2026-11-23", "0 * * * *", "off");
    const int64_t now_ms = time_of("2026-11-23T13:00:00Z");
    struct fetch_command covered;
    struct fetch_command command;

    (void)state;
    fetch_command_for_candles(&covered, "ETH-USDT", "1H", time_of("2026-11-23"), now_ms,
                              FETCH_REASON_SCHEDULE, now_ms);
    answer(plan, &covered, FETCH_STATUS_DONE, false, now_ms); /* known before its position is */
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    assert_false(take(plan, now_ms, &command));
    command_plan_on_instrument(plan, "BTC-USDT");
    command_plan_on_instrument(plan, "ETH-USDT");
    command_plan_on_instrument(plan, "BTC-USDT-SWAP");
    command_plan_on_instrument(plan, "BTC-EUR");
    assert_int_equal(command_plan_progress(plan).instruments, 2);
    assert_true(take(plan, now_ms, &command));
    assert_string_equal(command.inst_id, "BTC-USDT");
    assert_false(take(plan, now_ms, &command));
    command_plan_destroy(plan);
}

static void commands_of_unselected_instruments_and_bars_are_ignored(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-23", "off", "off");
    const int64_t now_ms = time_of("2026-11-23T13:00:00Z");
    struct fetch_command command;

    (void)state;
    fetch_command_for_candles(&command, "ETH-USDT", "1H", time_of("2026-11-23"), now_ms,
                              FETCH_REASON_BACKFILL, now_ms);
    command_plan_on_command(plan, &command, now_ms);
    answer(plan, &command, FETCH_STATUS_FAILED, true, now_ms);
    fetch_command_for_candles(&command, "BTC-USDT", "1m", time_of("2026-11-23"), now_ms,
                              FETCH_REASON_BACKFILL, now_ms);
    command_plan_on_command(plan, &command, now_ms);
    assert_int_equal(command_plan_progress(plan).outstanding, 0);
    assert_false(take(plan, now_ms + DAY, &command));
    command_plan_destroy(plan);
}

/* After a week its command is gone from the control topic, the result is not. */
static void a_failure_known_only_by_its_result_is_asked_again_once(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2026-11-20", "0 * * * *", "off");
    const int64_t now_ms = time_of("2026-11-23T13:00:00Z");
    struct fetch_command failed;
    struct fetch_command command;
    int64_t bars = 0;

    (void)state;
    fetch_command_for_candles(&failed, "BTC-USDT", "1H", time_of("2026-11-20"),
                              time_of("2026-11-22"), FETCH_REASON_BACKFILL, now_ms);
    failed.attempt = 7;
    answer(plan, &failed, FETCH_STATUS_FAILED, true, now_ms);
    fire(plan, now_ms, "2026-11-23T13:00:00Z");
    for (int64_t later_ms = now_ms; later_ms < now_ms + 30 * MINUTE; later_ms += SECOND) {
        while (take(plan, later_ms, &command)) {
            bars += (command.to_time_ms.value - command.from_time_ms.value) / HOUR;
            assert_true(strcmp(command.id, failed.id) != 0 || command.attempt == 8);
            answer(plan, &command, FETCH_STATUS_DONE, false, later_ms);
        }
    }
    assert_true(bars == 3 * 24 + 13);
    command_plan_destroy(plan);
}

static void nothing_more_is_begun_while_nothing_succeeds(void **state)
{
    struct command_plan *plan = plan_of("BTC-USDT", "2000-01-01", "0 * * * *", "off");
    struct fetch_command command;
    int64_t now_ms = time_of("2026-11-23T00:00:00Z");
    int64_t firing_ms = 0;

    (void)state;
    fire(plan, now_ms, "2026-11-23T00:00:00Z");
    assert_true(take(plan, now_ms, &command));
    answer(plan, &command, FETCH_STATUS_DONE, false, now_ms);
    for (int minute = 0; minute < 600; minute++, now_ms += MINUTE) {
        (void)command_plan_fire_candles(plan, now_ms, &firing_ms);
        while (take(plan, now_ms, &command))
            answer(plan, &command, FETCH_STATUS_FAILED, true, now_ms);
        assert_true(command_plan_progress(plan).outstanding <= IN_FLIGHT + 1);
    }
    command_plan_destroy(plan);
}

/* --- a simulated ingestor and a simulated Kafka ----------------------------------------------- */

enum { INSTRUMENTS = 3, RECORDS_MAX = 20000, SIM_HOURS_MAX = 24 * 900 };
static const char *const sim_inst_ids[INSTRUMENTS] = {"BTC-USDT", "ETH-USDT", "TON-USDT"};

struct sim {
    struct command_plan *plan;
    uint64_t random;
    int64_t start_ms;
    int64_t now_ms;
    struct fetch_command *control; /* the topics */
    size_t control_count;
    struct fetch_result *results;
    size_t result_count;
    size_t next_unread;                       /* of control, by the ingestor */
    bool is_done[INSTRUMENTS][SIM_HOURS_MAX]; /* the judge */
    int64_t repeated_bars;                    /* asked though they were done */
};

static uint64_t sim_random(struct sim *sim, uint64_t below)
{
    sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (sim->random >> 33) % below;
}

static bool *sim_bars(struct sim *sim, const struct fetch_command *command, int64_t *count)
{
    int index = 0;

    while (strcmp(sim_inst_ids[index], command->inst_id) != 0)
        index++;
    assert_true(command->from_time_ms.value >= sim->start_ms);
    assert_true(command->to_time_ms.value <= sim->now_ms);
    *count = (command->to_time_ms.value - command->from_time_ms.value) / HOUR;
    assert_true(*count > 0 && *count <= 1500);
    return &sim->is_done[index][(command->from_time_ms.value - sim->start_ms) / HOUR];
}

static void sim_publish(struct sim *sim)
{
    struct fetch_command command;
    int64_t firing_ms = 0;

    (void)command_plan_fire_candles(sim->plan, sim->now_ms, &firing_ms);
    while (take(sim->plan, sim->now_ms, &command)) {
        int64_t count = 0;
        const bool *bars = sim_bars(sim, &command, &count);

        for (int64_t i = 0; i < count && command.reason == FETCH_REASON_BACKFILL; i++)
            sim->repeated_bars += bars[i];
        assert_true(sim->control_count < RECORDS_MAX);
        sim->control[sim->control_count++] = command;
    }
}

static void sim_settle(struct sim *sim, const struct fetch_command *command)
{
    const uint64_t chance = sim_random(sim, 100);
    struct fetch_result *result = &sim->results[sim->result_count];
    int64_t count = 0;
    bool *bars = sim_bars(sim, command, &count);

    if (chance < 3)
        return; /* lost */
    *result = result_of(command,
                        chance < 25   ? FETCH_STATUS_FAILED
                        : chance < 35 ? FETCH_STATUS_INCOMPLETE
                                      : FETCH_STATUS_DONE,
                        chance >= 4);
    for (int64_t i = 0; i < count && result->status != FETCH_STATUS_FAILED; i++)
        bars[i] = true;
    assert_true(++sim->result_count < RECORDS_MAX);
    command_plan_on_result(sim->plan, result, sim->now_ms);
}

/* The ingestor settles some of the commands that wait, not always in their order. */
static void sim_ingest(struct sim *sim)
{
    for (uint64_t budget = sim_random(sim, 6); budget > 0 && sim->next_unread < sim->control_count;
         budget--) {
        const size_t waiting = sim->control_count - sim->next_unread;
        const size_t chosen = sim->next_unread + sim_random(sim, waiting < 4 ? waiting : 4);
        const struct fetch_command command = sim->control[chosen];

        sim->control[chosen] = sim->control[sim->next_unread];
        sim->control[sim->next_unread++] = command;
        sim_settle(sim, &command);
    }
}

/* Forgets the plan and rebuilds it from the topics; of results with the same id a compacted topic
 * keeps only the last. */
static void sim_restart(struct sim *sim, bool is_compacted)
{
    command_plan_destroy(sim->plan);
    sim->plan = plan_of("BTC-USDT,ETH-USDT,TON-USDT", "2024-06-30T12:00:00Z", "0 * * * *", "off");
    for (size_t i = 0; i < sim->result_count; i++) {
        bool is_superseded = false;

        for (size_t j = i + 1; is_compacted && j < sim->result_count && !is_superseded; j++)
            is_superseded = strcmp(sim->results[i].command.id, sim->results[j].command.id) == 0;
        if (!is_superseded)
            command_plan_on_result(sim->plan, &sim->results[i], sim->now_ms);
    }
    for (size_t i = 0; i < sim->control_count; i++)
        command_plan_on_command(sim->plan, &sim->control[i], sim->now_ms);
    command_plan_finish_replay(sim->plan, sim->now_ms);
}

static bool sim_is_complete(const struct sim *sim)
{
    const struct command_plan_progress progress = command_plan_progress(sim->plan);

    return progress.bars_total > 0 && progress.bars_covered == progress.bars_total &&
           progress.outstanding == 0 && sim->next_unread == sim->control_count;
}

static void sim_assert_no_hole(const struct sim *sim, int64_t horizon_ms)
{
    const int64_t hours = (horizon_ms - sim->start_ms) / HOUR;

    for (int i = 0; i < INSTRUMENTS; i++) {
        for (int64_t hour = 0; hour < hours; hour++) {
            if (!sim->is_done[i][hour])
                fail_msg("%s lacks hour %d of %d", sim_inst_ids[i], (int)hour, (int)hours);
        }
    }
}

static struct sim *sim_create(uint64_t seed)
{
    struct sim *sim = mem_calloc(1, sizeof *sim);

    sim->random = seed;
    sim->start_ms = time_of("2024-06-30T12:00:00Z");
    sim->now_ms = time_of("2026-11-20T12:34:56Z");
    sim->control = mem_calloc(RECORDS_MAX, sizeof sim->control[0]);
    sim->results = mem_calloc(RECORDS_MAX, sizeof sim->results[0]);
    sim_restart(sim, false);
    return sim;
}

static void sim_destroy(struct sim *sim)
{
    command_plan_destroy(sim->plan);
    free(sim->control);
    free(sim->results);
    free(sim);
}

static void sim_run(uint64_t seed, bool restarts, bool is_compacted)
{
    enum { STEPS_MAX = 20000 };
    struct sim *sim = sim_create(seed);
    int step = 0;

    do {
        sim_publish(sim);
        sim_ingest(sim);
        if (restarts && sim_random(sim, 40) == 0)
            sim_restart(sim, is_compacted);
        sim->now_ms += (int64_t)sim_random(sim, 120 * 1000);
        assert_true(step++ < STEPS_MAX);
    } while (!sim_is_complete(sim));
    sim_assert_no_hole(sim, sim->now_ms - 2 * MINUTE);
    if (!is_compacted)
        assert_true(sim->repeated_bars == 0);
    else /* a failure may hide an earlier success of the same tail, never a piece of history */
        assert_true(sim->repeated_bars < 24 * 100);
    sim_destroy(sim);
}

static void every_bar_is_fetched_whatever_the_ingestor_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        sim_run(seed, false, false);
}

static void a_restart_at_any_point_goes_on_where_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 200; seed++)
        sim_run(seed, true, false);
}

static void compaction_of_the_results_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 201; seed <= 300; seed++)
        sim_run(seed, true, true);
}

/* Right after a restart, the plan wants what it would have wanted without. */
static void a_rebuilt_plan_wants_the_same_pieces(void **state)
{
    struct sim *sim = sim_create(42);
    struct command_plan *old = NULL;

    (void)state;
    for (int step = 0; step < 12; step++) {
        sim_publish(sim);
        sim_ingest(sim);
        sim->now_ms += SECOND;
    }
    old = sim->plan;
    sim->plan = plan_of("BTC-USDT,ETH-USDT,TON-USDT", "2024-06-30T12:00:00Z", "0 * * * *", "off");
    sim_restart(sim, true);
    {
        const int64_t now_ms = sim->now_ms;
        int64_t firing_ms = 0;
        const struct command_plan_progress before = command_plan_progress(old);

        (void)command_plan_fire_candles(sim->plan, now_ms, &firing_ms);
        assert_true(command_plan_progress(sim->plan).bars_covered == before.bars_covered);
        assert_true(command_plan_progress(sim->plan).bars_total == before.bars_total);
        assert_int_equal(command_plan_progress(sim->plan).outstanding, before.outstanding);
        assert_int_equal(command_plan_progress(sim->plan).given_up, before.given_up);
    }
    command_plan_destroy(old);
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firing_asks_for_the_bar_that_just_closed),
        cmocka_unit_test(scheduled_bars_do_not_wait_for_history),
        cmocka_unit_test(a_tail_under_way_is_not_asked_twice_but_continued),
        cmocka_unit_test(a_firing_hurries_a_tail_that_is_backing_off_and_extends_it),
        cmocka_unit_test(currencies_missed_while_down_are_asked_once),
        cmocka_unit_test(currencies_that_were_answered_or_are_under_way_are_not_asked_again),
        cmocka_unit_test(a_newer_firing_replaces_currencies_that_keep_failing),
        cmocka_unit_test(a_clock_that_steps_back_asks_for_nothing_again),
        cmocka_unit_test(repairs_are_repeated_only_when_they_may_succeed),
        cmocka_unit_test(an_unknown_instrument_costs_one_command_a_day_and_harms_no_other),
        cmocka_unit_test(all_instruments_are_those_that_positions_names),
        cmocka_unit_test(commands_of_unselected_instruments_and_bars_are_ignored),
        cmocka_unit_test(a_failure_known_only_by_its_result_is_asked_again_once),
        cmocka_unit_test(nothing_more_is_begun_while_nothing_succeeds),
        cmocka_unit_test(every_bar_is_fetched_whatever_the_ingestor_does),
        cmocka_unit_test(a_restart_at_any_point_goes_on_where_it_was),
        cmocka_unit_test(compaction_of_the_results_loses_nothing),
        cmocka_unit_test(a_rebuilt_plan_wants_the_same_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
