#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/command_ledger.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const int64_t TIMEOUT = 15 * MINUTE;
static const int64_t START = INT64_C(1800000000000);

static struct fetch_command candles(int64_t from_ms, int64_t attempt, int64_t created_ms)
{
    struct fetch_command command;

    fetch_command_for_candles(&command, "BTC-USDT", "1H", from_ms, from_ms + 5 * HOUR,
                              FETCH_REASON_BACKFILL, created_ms);
    command.attempt = attempt;
    return command;
}

static struct fetch_command repair(int64_t attempt, int64_t created_ms)
{
    struct fetch_command command;

    fetch_command_for_trades(&command, "BTC-USDT", 100, 200, FETCH_REASON_GAP, created_ms);
    command.attempt = attempt;
    return command;
}

/* The time at which the ledger first wants something, by bisection of its answers. */
static int64_t due_time(struct command_ledger *ledger, int64_t from_ms, int64_t to_ms)
{
    struct fetch_command command;

    assert_false(command_ledger_next_due(ledger, from_ms, &command));
    assert_true(command_ledger_next_due(ledger, to_ms, &command));
    while (from_ms + 1 < to_ms) {
        const int64_t middle_ms = from_ms + (to_ms - from_ms) / 2;

        if (command_ledger_next_due(ledger, middle_ms, &command))
            to_ms = middle_ms;
        else
            from_ms = middle_ms;
    }
    return to_ms;
}

static void a_command_without_result_is_due_after_the_timeout(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command asked = candles(0, 1, START);
    struct fetch_command again;

    (void)state;
    command_ledger_ask(ledger, &asked, START);
    assert_int_equal(command_ledger_outstanding(ledger), 1);
    assert_true(due_time(ledger, START, START + DAY) == START + TIMEOUT);
    assert_true(command_ledger_next_due(ledger, START + TIMEOUT, &again));
    assert_string_equal(again.id, asked.id);
    assert_true(again.attempt == 2);
    assert_true(again.created_at_ms == START + TIMEOUT);
    assert_true(again.to_time_ms.value == asked.to_time_ms.value);
    command_ledger_destroy(ledger);
}

static void the_timeout_doubles_up_to_a_limit(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    int64_t now_ms = START;
    int64_t wait_ms = TIMEOUT;
    struct fetch_command command = candles(0, 1, START);

    (void)state;
    for (int i = 0; i < 10; i++) {
        command_ledger_ask(ledger, &command, now_ms);
        assert_true(due_time(ledger, now_ms, now_ms + 100 * DAY) == now_ms + wait_ms);
        now_ms += wait_ms;
        assert_true(command_ledger_next_due(ledger, now_ms, &command));
        if (i < 6)
            wait_ms *= 2;
    }
    assert_true(wait_ms == TIMEOUT * 64);
    command_ledger_destroy(ledger);
}

static void repairs_of_trades_get_more_time(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command asked = repair(1, START);

    (void)state;
    command_ledger_ask(ledger, &asked, START);
    assert_true(due_time(ledger, START, START + DAY) == START + 24 * TIMEOUT);
    command_ledger_destroy(ledger);
}

static void a_command_from_a_clock_ahead_is_not_waited_for_longer(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command asked = candles(0, 1, START + 10 * DAY);

    (void)state;
    command_ledger_ask(ledger, &asked, START);
    assert_true(due_time(ledger, START, START + DAY) == START + TIMEOUT);
    command_ledger_destroy(ledger);
}

static void failures_back_off_exponentially_within_bounds(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    struct fetch_command command = candles(0, 1, START);
    int64_t now_ms = START;
    int64_t cap_ms = 5 * SECOND;

    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t due_ms = 0;

        command_ledger_ask(ledger, &command, now_ms);
        assert_true(command_ledger_fail(ledger, &command, true, now_ms));
        assert_int_equal(command_ledger_count(ledger, COMMAND_BACKING_OFF, FETCH_REASON_BACKFILL),
                         1);
        due_ms = due_time(ledger, now_ms, now_ms + DAY);
        assert_true(due_ms >= now_ms + SECOND && due_ms <= now_ms + cap_ms);
        assert_true(command_ledger_next_due(ledger, due_ms, &command));
        assert_true(command.attempt == i + 2);
        now_ms = due_ms;
        cap_ms = 2 * cap_ms < 10 * MINUTE ? 2 * cap_ms : 10 * MINUTE;
    }
    command_ledger_destroy(ledger);
}

static void equal_failures_spread_out(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    struct fetch_command command;
    int waves = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        command = candles(i * HOUR, 6, START);
        assert_true(command_ledger_fail(ledger, &command, true, START));
        command.attempt = 7;
        assert_true(command_ledger_fail(ledger, &command, true, START));
    }
    for (int64_t now_ms = START; now_ms < START + 10 * SECOND; now_ms += SECOND) {
        int count = 0;

        for (; command_ledger_next_due(ledger, now_ms, &command); count++)
            command_ledger_drop(ledger, command.id);
        waves += count > 0;
    }
    assert_true(waves > 5);
    command_ledger_destroy(ledger);
}

static void a_final_failure_is_probed_a_day_later_or_when_hurried(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command command = candles(0, 1, START);
    struct fetch_command again;

    (void)state;
    command_ledger_ask(ledger, &command, START);
    assert_true(command_ledger_fail(ledger, &command, false, START));
    assert_int_equal(command_ledger_outstanding(ledger), 0);
    command_ledger_hurry(ledger, command.id, START); /* only what is backing off */
    assert_true(due_time(ledger, START, START + 2 * DAY) == START + DAY);
    command_ledger_hurry_given_up(ledger, START + HOUR);
    assert_true(command_ledger_next_due(ledger, START + HOUR, &again));
    assert_true(again.attempt == 2);
    command_ledger_destroy(ledger);
}

static void an_older_attempt_changes_nothing(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command second = candles(0, 2, START);
    const struct fetch_command first = candles(0, 1, START);

    (void)state;
    command_ledger_ask(ledger, &second, START);
    command_ledger_ask(ledger, &first, START);
    command_ledger_ask(ledger, &second, START + MINUTE);
    assert_true(due_time(ledger, START, START + DAY) == START + TIMEOUT);
    assert_false(command_ledger_fail(ledger, &first, false, START));
    assert_int_equal(command_ledger_find(ledger, second.id)->state, COMMAND_ASKED);
    command_ledger_destroy(ledger);
}

static void an_answer_is_remembered_for_records_that_come_late(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    const struct fetch_command command = repair(1, START);
    struct fetch_command again;

    (void)state;
    command_ledger_answer(ledger, &command, START); /* the result was read before the command */
    command_ledger_ask(ledger, &command, START + SECOND);
    assert_int_equal(command_ledger_find(ledger, command.id)->state, COMMAND_ANSWERED);
    assert_int_equal(command_ledger_outstanding(ledger), 0);
    assert_false(command_ledger_next_due(ledger, START + DAY, &again));
    assert_null(command_ledger_find(ledger, command.id)); /* and forgotten in the end */
    command_ledger_destroy(ledger);
}

static void everything_comes_due_in_order(void **state)
{
    enum { COUNT = 1000 };
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    struct fetch_command command;
    int64_t last_ms = 0;
    int count = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        command = candles(i * HOUR, 1, START - (i * 7919) % COUNT * SECOND);
        command_ledger_ask(ledger, &command, START);
    }
    for (int i = 0; i < COUNT; i += 3) { /* some vanish from the middle */
        command = candles(i * HOUR, 1, START);
        command_ledger_drop(ledger, command.id);
    }
    for (int64_t now_ms = START - 2 * HOUR; now_ms < START + HOUR; now_ms += SECOND) {
        for (; command_ledger_next_due(ledger, now_ms, &command); count++) {
            const int64_t due_ms = command_ledger_find(ledger, command.id)->due_ms;

            assert_true(due_ms >= last_ms && due_ms <= now_ms);
            last_ms = due_ms;
            command_ledger_drop(ledger, command.id);
        }
    }
    assert_int_equal(count, COUNT - (COUNT + 2) / 3);
    assert_int_equal(command_ledger_outstanding(ledger), 0);
    command_ledger_destroy(ledger);
}

static void the_number_of_commands_is_bounded(void **state)
{
    struct command_ledger *ledger = command_ledger_create(TIMEOUT);
    struct fetch_command command;

    (void)state;
    for (int i = 0; i < COMMAND_LEDGER_MAX + 100; i++) {
        command = candles(i * HOUR, 1, START);
        command_ledger_ask(ledger, &command, START);
    }
    assert_int_equal(command_ledger_outstanding(ledger), COMMAND_LEDGER_MAX);
    assert_null(command_ledger_find(ledger, command.id));
    assert_true(command_ledger_fail(ledger, &command, true, START));
    command_ledger_answer(ledger, &command, START);
    assert_int_equal(command_ledger_outstanding(ledger), COMMAND_LEDGER_MAX);
    command_ledger_destroy(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_without_result_is_due_after_the_timeout),
        cmocka_unit_test(the_timeout_doubles_up_to_a_limit),
        cmocka_unit_test(repairs_of_trades_get_more_time),
        cmocka_unit_test(a_command_from_a_clock_ahead_is_not_waited_for_longer),
        cmocka_unit_test(failures_back_off_exponentially_within_bounds),
        cmocka_unit_test(equal_failures_spread_out),
        cmocka_unit_test(a_final_failure_is_probed_a_day_later_or_when_hurried),
        cmocka_unit_test(an_older_attempt_changes_nothing),
        cmocka_unit_test(an_answer_is_remembered_for_records_that_come_late),
        cmocka_unit_test(everything_comes_due_in_order),
        cmocka_unit_test(the_number_of_commands_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
