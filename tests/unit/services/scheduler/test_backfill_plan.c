#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "scheduler/backfill_plan.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

static int64_t time_of(const char *text)
{
    struct err err = {0};
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

/* A plan of one or two bar sizes since the given start. */
static struct backfill_plan *plan_of(const char *bar, const char *other_bar, const char *start)
{
    const struct candle_bar *bars[2] = {candle_bar_find(bar),
                                        other_bar ? candle_bar_find(other_bar) : NULL};

    return backfill_plan_create(bars, other_bar ? 2 : 1, time_of(start));
}

static void assert_command(const struct fetch_command *command, const char *id, const char *to)
{
    char text[RFC3339_BYTES];

    assert_string_equal(command->id, id);
    rfc3339_format_s(command->to_time_ms.value, text);
    assert_string_equal(text, to);
}

static struct fetch_command hours(const char *inst_id, const char *from, const char *to)
{
    struct fetch_command command;

    fetch_command_for_candles(&command, inst_id, "1H", time_of(from), time_of(to),
                              FETCH_REASON_BACKFILL, 0);
    return command;
}

static void a_tail_begins_at_a_multiple_of_24_bars_and_ends_at_the_horizon(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2020-01-01");
    struct fetch_command command;

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    assert_false(backfill_plan_next_tail(plan, 0, &command)); /* no firing yet */
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z"));
    assert_true(backfill_plan_next_tail(plan, 7, &command));
    assert_command(&command, "candles/BTC-USDT/1H/2026-11-23T00:00:00Z", "2026-11-23T13:00:00Z");
    assert_int_equal(command.reason, FETCH_REASON_SCHEDULE);
    assert_true(command.attempt == 1 && command.created_at_ms == 7);
    backfill_plan_claim(plan, &command);
    assert_false(backfill_plan_next_tail(plan, 0, &command));
    backfill_plan_destroy(plan);
}

static void a_growing_tail_keeps_its_id_and_counts_its_attempts(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2020-01-01");
    struct fetch_command command;

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    for (int hour = 1; hour <= 24; hour++) {
        backfill_plan_move_horizons(plan, time_of("2026-11-23") + hour * HOUR);
        assert_true(backfill_plan_next_tail(plan, 0, &command));
        assert_string_equal(command.id, "candles/BTC-USDT/1H/2026-11-23T00:00:00Z");
        assert_true(command.attempt == hour);
        backfill_plan_claim(plan, &command);
        backfill_plan_cover(plan, &command);
    }
    backfill_plan_move_horizons(plan, time_of("2026-11-24T01:00:00Z"));
    assert_true(backfill_plan_next_tail(plan, 0, &command));
    assert_command(&command, "candles/BTC-USDT/1H/2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z");
    assert_true(command.attempt == 1);
    backfill_plan_destroy(plan);
}

static void a_firing_within_a_bar_wants_only_closed_bars(void **state)
{
    struct backfill_plan *plan = plan_of("1H", "1Dutc", "2026-11-23");
    struct fetch_command command;

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:40:00Z"));
    assert_true(backfill_plan_next_tail(plan, 0, &command));
    assert_command(&command, "candles/BTC-USDT/1H/2026-11-23T00:00:00Z", "2026-11-23T13:00:00Z");
    backfill_plan_claim(plan, &command);
    assert_false(backfill_plan_next_tail(plan, 0, &command)); /* the day is not over */
    assert_true(backfill_plan_total_bars(plan) == 13);
    backfill_plan_move_horizons(plan, time_of("2026-11-24T00:00:00Z"));
    assert_true(backfill_plan_total_bars(plan) == 25);
    backfill_plan_destroy(plan);
}

static void history_is_cut_at_multiples_of_1500_bars_newest_first(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2026-07-01T00:30:00Z");
    const int64_t grid_ms = 1500 * HOUR;
    struct fetch_command command;
    int64_t end_ms = time_of("2026-11-23T00:00:00Z");
    int pieces = 0;

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z"));
    assert_true(backfill_plan_next_tail(plan, 0, &command));
    backfill_plan_claim(plan, &command);
    assert_false(backfill_plan_next_history(plan, 0, &command)); /* first one success */
    backfill_plan_cover(plan, &command);
    for (; backfill_plan_next_history(plan, 0, &command); pieces++) {
        assert_int_equal(command.reason, FETCH_REASON_BACKFILL);
        assert_true(command.to_time_ms.value == end_ms);
        end_ms = command.from_time_ms.value;
        assert_true(end_ms % grid_ms == 0 || end_ms == time_of("2026-07-01T01:00:00Z"));
        backfill_plan_claim(plan, &command);
    }
    assert_true(end_ms == time_of("2026-07-01T01:00:00Z"));
    assert_int_equal(pieces, 3);
    backfill_plan_destroy(plan);
}

static void series_take_turns(void **state)
{
    static const char *const inst_ids[] = {"BTC-USDT", "ETH-USDT", "TON-USDT"};
    struct backfill_plan *plan = plan_of("1H", NULL, "2020-01-01");
    struct fetch_command command;

    (void)state;
    for (int i = 0; i < 3; i++)
        backfill_plan_follow(plan, inst_ids[i]);
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z"));
    for (int i = 0; i < 3; i++) {
        assert_true(backfill_plan_next_tail(plan, 0, &command));
        assert_string_equal(command.inst_id, inst_ids[i]);
        backfill_plan_claim(plan, &command);
        backfill_plan_cover(plan, &command);
    }
    for (int i = 0; i < 30; i++) {
        assert_true(backfill_plan_next_history(plan, 0, &command));
        assert_string_equal(command.inst_id, inst_ids[i % 3]);
        backfill_plan_claim(plan, &command);
    }
    backfill_plan_destroy(plan);
}

static void a_series_that_failed_for_good_rests_until_a_success(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2020-01-01");
    struct fetch_command tail;
    struct fetch_command command;

    (void)state;
    backfill_plan_follow(plan, "NOPE-USDT");
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z"));
    assert_true(backfill_plan_next_tail(plan, 0, &tail));
    backfill_plan_claim(plan, &tail);
    backfill_plan_block(plan, &tail);
    for (int hour = 14; hour < 100; hour++) {
        backfill_plan_move_horizons(plan, time_of("2026-11-23") + hour * HOUR);
        assert_false(backfill_plan_next_tail(plan, 0, &command));
        assert_false(backfill_plan_next_history(plan, 0, &command));
    }
    backfill_plan_cover(plan, &tail);
    assert_true(backfill_plan_next_tail(plan, 0, &command));
    assert_true(backfill_plan_next_history(plan, 0, &command));
    backfill_plan_destroy(plan);
}

static void a_hole_between_tails_is_history(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2026-11-01");
    struct fetch_command command = hours("BTC-USDT", "2026-11-01", "2026-11-20T05:00:00Z");

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_cover(plan, &command);
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z")); /* after days of rest */
    assert_true(backfill_plan_next_tail(plan, 0, &command));
    assert_command(&command, "candles/BTC-USDT/1H/2026-11-23T00:00:00Z", "2026-11-23T13:00:00Z");
    backfill_plan_claim(plan, &command);
    assert_true(backfill_plan_next_history(plan, 0, &command));
    assert_command(&command, "candles/BTC-USDT/1H/2026-11-20T05:00:00Z", "2026-11-23T00:00:00Z");
    backfill_plan_claim(plan, &command);
    assert_false(backfill_plan_next_history(plan, 0, &command));
    backfill_plan_destroy(plan);
}

static void only_the_present_tail_is_extended(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2026-11-01");
    struct fetch_command tail = hours("BTC-USDT", "2026-11-23", "2026-11-23T05:00:00Z");
    struct fetch_command history = hours("BTC-USDT", "2026-11-21", "2026-11-21T05:00:00Z");

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_move_horizons(plan, time_of("2026-11-23T13:00:00Z"));
    backfill_plan_extend(plan, &tail);
    backfill_plan_extend(plan, &history);
    assert_true(tail.to_time_ms.value == time_of("2026-11-23T13:00:00Z"));
    assert_true(history.to_time_ms.value == time_of("2026-11-21T05:00:00Z"));
    backfill_plan_destroy(plan);
}

static void progress_counts_followed_bars_between_start_and_horizon(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2026-11-20");
    const struct fetch_command covered = hours("BTC-USDT", "2026-11-19", "2026-11-21");
    const struct fetch_command unknown = hours("ETH-USDT", "2026-11-20", "2026-11-21");

    (void)state;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_cover(plan, &covered);
    backfill_plan_cover(plan, &unknown);
    assert_true(backfill_plan_total_bars(plan) == 0 && backfill_plan_covered_bars(plan) == 0);
    backfill_plan_move_horizons(plan, time_of("2026-11-20T12:00:00Z"));
    assert_true(backfill_plan_total_bars(plan) == 12 && backfill_plan_covered_bars(plan) == 12);
    backfill_plan_move_horizons(plan, time_of("2026-11-23T00:00:00Z"));
    assert_true(backfill_plan_total_bars(plan) == 72 && backfill_plan_covered_bars(plan) == 24);
    backfill_plan_follow(plan, "ETH-USDT"); /* what is known of it counts from now on */
    assert_true(backfill_plan_total_bars(plan) == 144 && backfill_plan_covered_bars(plan) == 48);
    assert_int_equal(backfill_plan_instrument_count(plan), 2);
    backfill_plan_destroy(plan);
}

static void commands_of_other_bars_or_without_range_are_ignored(void **state)
{
    struct backfill_plan *plan = plan_of("1H", NULL, "2026-11-20");
    struct fetch_command other = hours("BTC-USDT", "2026-11-20", "2026-11-21");
    struct fetch_command empty = hours("BTC-USDT", "2026-11-20", "2026-11-20T00:59:00Z");
    struct fetch_command absent = hours("BTC-USDT", "2026-11-20", "2026-11-21");

    (void)state;
    snprintf(other.bar, sizeof other.bar, "1m");
    absent.to_time_ms.present = false;
    backfill_plan_follow(plan, "BTC-USDT");
    backfill_plan_move_horizons(plan, time_of("2026-11-22"));
    backfill_plan_cover(plan, &other);
    backfill_plan_cover(plan, &empty);
    backfill_plan_cover(plan, &absent);
    backfill_plan_claim(plan, &absent);
    assert_false(backfill_plan_is_covered(plan, &absent));
    assert_true(backfill_plan_covered_bars(plan) == 0);
    assert_true(backfill_plan_has_bar(plan, "1H") && !backfill_plan_has_bar(plan, "1m"));
    backfill_plan_destroy(plan);
}

/* Whatever the bar size: the pieces are disjoint, whole bars, and leave nothing out. */
static void every_bar_size_is_planned_without_overlap_or_hole(void **state)
{
    static const char *const names[] = {"1m", "15m",   "1H",    "4H",    "6H",  "12Hutc",
                                        "1D", "1Dutc", "2D",    "5Dutc", "1W",  "1Wutc",
                                        "1M", "3M",    "1Mutc", "3Mutc", "30m", "3Dutc"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct backfill_plan *plan = plan_of(names[i], NULL, "2020-01-01T05:00:00Z");
        const struct candle_bar *bar = candle_bar_find(names[i]);
        struct fetch_command command;
        int64_t end_ms = 0;
        int64_t tail_bars = 0;

        backfill_plan_follow(plan, "BTC-USDT");
        backfill_plan_move_horizons(plan, time_of("2026-11-23T13:37:00Z"));
        assert_true(backfill_plan_next_tail(plan, 0, &command));
        assert_true(command.to_time_ms.value == candle_bar_floor(bar, command.to_time_ms.value));
        tail_bars = candle_bar_count(bar, command.from_time_ms.value, command.to_time_ms.value);
        assert_true(tail_bars >= 1 && tail_bars <= BACKFILL_TAIL_BARS);
        end_ms = command.from_time_ms.value;
        backfill_plan_cover(plan, &command);
        while (backfill_plan_next_history(plan, 0, &command)) {
            const int64_t from_ms = command.from_time_ms.value;

            assert_true(command.to_time_ms.value == end_ms);
            assert_true(from_ms == candle_bar_floor(bar, from_ms) && from_ms < end_ms);
            assert_true(candle_bar_count(bar, from_ms, end_ms) <= BACKFILL_CHUNK_BARS);
            end_ms = from_ms;
            backfill_plan_cover(plan, &command);
        }
        assert_true(backfill_plan_covered_bars(plan) == backfill_plan_total_bars(plan));
        assert_true(backfill_plan_total_bars(plan) ==
                    candle_bar_count(bar, time_of("2020-01-01T05:00:00Z"),
                                     candle_bar_floor(bar, time_of("2026-11-23T13:37:00Z"))));
        backfill_plan_destroy(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tail_begins_at_a_multiple_of_24_bars_and_ends_at_the_horizon),
        cmocka_unit_test(a_growing_tail_keeps_its_id_and_counts_its_attempts),
        cmocka_unit_test(a_firing_within_a_bar_wants_only_closed_bars),
        cmocka_unit_test(history_is_cut_at_multiples_of_1500_bars_newest_first),
        cmocka_unit_test(series_take_turns),
        cmocka_unit_test(a_series_that_failed_for_good_rests_until_a_success),
        cmocka_unit_test(a_hole_between_tails_is_history),
        cmocka_unit_test(only_the_present_tail_is_extended),
        cmocka_unit_test(progress_counts_followed_bars_between_start_and_horizon),
        cmocka_unit_test(commands_of_other_bars_or_without_range_are_ignored),
        cmocka_unit_test(every_bar_size_is_planned_without_overlap_or_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
