#include "tests/unit/services/scheduler/plan_fixture.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
