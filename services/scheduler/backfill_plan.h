/*
 * Which bars are there, and which to ask for next. Pure; one owner.
 *
 * A series is one bar size of one instrument. Its coverage is the union of what finished candle
 * commands fetched; its horizon, moved by each firing of the candles job, is the time up to which
 * closed bars must be there. Missing is [history start, horizon) less what is covered or claimed by
 * a command under way. It is asked for in two kinds of pieces:
 *
 * - the tail, from the last multiple of 24 bars to the horizon: its id stays the same while it
 *   grows, so that fetch-results keeps one record for it, and it goes out at once at each firing;
 * - history before the tail, cut at multiples of 1500 bars (five full pages), the newest first, and
 *   the series taken in turns.
 *
 * A series of which nothing was ever fetched gets one command until that succeeds, and a series
 * whose command failed for good gets none until a command of it succeeds: an instrument that OKX
 * does not know costs one failing command, not hundreds.
 */
#ifndef SCHEDULER_BACKFILL_PLAN_H
#define SCHEDULER_BACKFILL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/candle_bar.h"
#include "domain/fetch_command.h"

enum {
    BACKFILL_TAIL_BARS = 24,
    BACKFILL_CHUNK_BARS = 1500,
    BACKFILL_BARS_MAX = 27,           /* OKX has no more sizes */
    BACKFILL_INSTRUMENTS_MAX = 20000, /* thrice what OKX lists */
};

struct backfill_plan;

/* bars: bar_count entries, copied (what they point to is borrowed for ever). */
struct backfill_plan *backfill_plan_create(const struct candle_bar *const *bars, size_t bar_count,
                                           int64_t history_start_ms) MUST_CHECK;
void backfill_plan_destroy(struct backfill_plan *plan);

/* Plans for that instrument from now on; again: nothing happens. */
void backfill_plan_follow(struct backfill_plan *plan, const char *inst_id);
bool backfill_plan_follows(const struct backfill_plan *plan, const char *inst_id);
/* Of a command that names an instrument which is not followed, the coverage is kept all the same,
 * for when it will be. A bar size that was not configured is ignored. */
void backfill_plan_claim(struct backfill_plan *plan, const struct fetch_command *command);
void backfill_plan_cover(struct backfill_plan *plan, const struct fetch_command *command);
/* The command failed for good: its series rests until a command of it succeeds. */
void backfill_plan_block(struct backfill_plan *plan, const struct fetch_command *command);
bool backfill_plan_is_covered(const struct backfill_plan *plan,
                              const struct fetch_command *command);
/* False for a candles command of a bar size that was not configured. */
bool backfill_plan_has_bar(const struct backfill_plan *plan, const char *bar);

/* Every series is wanted up to the last bar that closed at firing_ms. */
void backfill_plan_move_horizons(struct backfill_plan *plan, int64_t firing_ms);

/* The next tail to ask for, or false. The same one again until it is claimed or skipped. */
bool backfill_plan_next_tail(struct backfill_plan *plan, int64_t now_ms,
                             struct fetch_command *command);
/* Puts the tail last given off until the next firing, or until a part of it is covered. */
void backfill_plan_skip_tail(struct backfill_plan *plan);
/* The next piece of history to ask for, or false. The next series comes next. */
bool backfill_plan_next_history(struct backfill_plan *plan, int64_t now_ms,
                                struct fetch_command *command);
/* Lets a tail that is asked again run to the present horizon. */
void backfill_plan_extend(const struct backfill_plan *plan, struct fetch_command *command);

/* Over all followed series: bars from history start to horizon, and those covered. */
int64_t backfill_plan_total_bars(const struct backfill_plan *plan);
int64_t backfill_plan_covered_bars(const struct backfill_plan *plan);
size_t backfill_plan_instrument_count(const struct backfill_plan *plan); /* followed */

#endif
