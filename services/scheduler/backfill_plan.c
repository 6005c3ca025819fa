#include "backfill_plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coverage.h"
#include "text_map.h"

enum queue { QUEUE_TAIL, QUEUE_HISTORY, QUEUE_COUNT };

struct series {
    struct coverage covered;
    struct coverage claimed; /* covered, or asked for and not settled */
    int64_t covered_bars;    /* within [start, horizon) */
    int64_t newest_from_ms;  /* the newest command seen, by the start of its range, */
    int64_t newest_attempt;  /* and its last attempt: a tail is asked many times under one id */
    bool is_blocked;
    bool is_queued[QUEUE_COUNT];
    struct series *next[QUEUE_COUNT];
    struct instrument *instrument;
    const struct bar_plan *bar_plan;
};

struct instrument {
    char inst_id[INST_ID_BYTES];
    bool is_followed;
    struct series series[]; /* one per bar size */
};

struct bar_plan {
    const struct candle_bar *bar;
    int64_t start_ms;      /* the first bar wanted */
    int64_t horizon_ms;    /* bars that open before this are wanted; start_ms: none yet */
    int64_t tail_start_ms; /* where the tail begins */
};

struct series_queue {
    struct series *first;
    struct series *last;
};

struct backfill_plan {
    struct bar_plan bars[BACKFILL_BARS_MAX];
    size_t bar_count;
    struct text_map *by_inst_id;
    struct instrument **instruments; /* in the order they came, which is that of the turns */
    size_t instrument_count;
    size_t instrument_capacity;
    size_t followed_count;
    int64_t covered_bars; /* of the followed */
    struct series_queue queues[QUEUE_COUNT];
};

/* The open time of the first bar of the block of that many bars that unix_ms falls into. */
static int64_t block_start(const struct candle_bar *bar, int64_t unix_ms, int64_t bars)
{
    int64_t open_ms = candle_bar_floor(bar, unix_ms);
    int64_t excess = candle_bar_count(bar, 0, open_ms) % bars;

    if (bar->months == 0)
        return open_ms - excess * bar->duration_ms;
    for (; excess > 0; excess--)
        open_ms = candle_bar_floor(bar, open_ms - 1);
    return open_ms;
}

static int64_t later_of(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

struct backfill_plan *backfill_plan_create(const struct candle_bar *const *bars, size_t bar_count,
                                           int64_t history_start_ms)
{
    struct backfill_plan *plan = mem_calloc(1, sizeof *plan);

    assert(bar_count <= BACKFILL_BARS_MAX);
    plan->by_inst_id = text_map_create();
    plan->bar_count = bar_count;
    for (size_t i = 0; i < bar_count; i++) {
        int64_t start_ms = candle_bar_floor(bars[i], history_start_ms);

        if (start_ms < history_start_ms)
            start_ms = candle_bar_next(bars[i], start_ms);
        plan->bars[i] = (struct bar_plan){.bar = bars[i],
                                          .start_ms = start_ms,
                                          .horizon_ms = start_ms,
                                          .tail_start_ms = start_ms};
    }
    return plan;
}

void backfill_plan_destroy(struct backfill_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->instrument_count; i++) {
        for (size_t j = 0; j < plan->bar_count; j++) {
            coverage_clear(&plan->instruments[i]->series[j].covered);
            coverage_clear(&plan->instruments[i]->series[j].claimed);
        }
        free(plan->instruments[i]);
    }
    free(plan->instruments);
    text_map_destroy(plan->by_inst_id);
    free(plan);
}

/* --- queues of series that may lack something ------------------------------------------------- */

static void queue_push(struct backfill_plan *plan, enum queue which, struct series *series)
{
    struct series_queue *queue = &plan->queues[which];

    if (series->is_queued[which] || !series->instrument->is_followed || series->is_blocked)
        return;
    series->is_queued[which] = true;
    series->next[which] = NULL;
    if (queue->last)
        queue->last->next[which] = series;
    else
        queue->first = series;
    queue->last = series;
}

static struct series *queue_pop(struct backfill_plan *plan, enum queue which)
{
    struct series_queue *queue = &plan->queues[which];
    struct series *series = queue->first;

    queue->first = series->next[which];
    if (!queue->first)
        queue->last = NULL;
    series->is_queued[which] = false;
    return series;
}

/* --- instruments and their series ------------------------------------------------------------- */

/* NULL when there are too many. */
static struct instrument *find_or_add(struct backfill_plan *plan, const char *inst_id)
{
    struct instrument *instrument = text_map_find(plan->by_inst_id, inst_id);

    if (instrument || plan->instrument_count >= BACKFILL_INSTRUMENTS_MAX)
        return instrument;
    if (plan->instrument_count == plan->instrument_capacity) {
        plan->instrument_capacity = plan->instrument_count ? 2 * plan->instrument_count : 8;
        plan->instruments = mem_realloc_array(plan->instruments, plan->instrument_capacity,
                                              sizeof plan->instruments[0]);
    }
    instrument = mem_calloc(1, sizeof *instrument + plan->bar_count * sizeof instrument->series[0]);
    snprintf(instrument->inst_id, sizeof instrument->inst_id, "%s", inst_id);
    for (size_t i = 0; i < plan->bar_count; i++) {
        instrument->series[i].instrument = instrument;
        instrument->series[i].bar_plan = &plan->bars[i];
    }
    text_map_insert(plan->by_inst_id, instrument->inst_id, instrument);
    plan->instruments[plan->instrument_count++] = instrument;
    return instrument;
}

static size_t bar_index(const struct backfill_plan *plan, const char *bar)
{
    size_t i = 0;

    while (i < plan->bar_count && strcmp(plan->bars[i].bar->name, bar) != 0)
        i++;
    return i;
}

bool backfill_plan_has_bar(const struct backfill_plan *plan, const char *bar)
{
    return bar_index(plan, bar) < plan->bar_count;
}

static struct series *series_of(struct backfill_plan *plan, const struct fetch_command *command)
{
    const size_t index = bar_index(plan, command->bar);
    struct instrument *instrument =
        index < plan->bar_count ? find_or_add(plan, command->inst_id) : NULL;

    return instrument ? &instrument->series[index] : NULL;
}

static const struct series *existing_series(const struct backfill_plan *plan,
                                            const struct fetch_command *command)
{
    const size_t index = bar_index(plan, command->bar);
    const struct instrument *instrument = text_map_find(plan->by_inst_id, command->inst_id);

    return instrument && index < plan->bar_count ? &instrument->series[index] : NULL;
}

/* The whole bars of the command's range; false when there are none. */
static bool range_of(const struct candle_bar *bar, const struct fetch_command *command,
                     struct time_range *range)
{
    if (!command->from_time_ms.present || !command->to_time_ms.present)
        return false;
    range->to_ms = candle_bar_floor(bar, command->to_time_ms.value);
    range->from_ms = candle_bar_floor(bar, command->from_time_ms.value);
    if (range->from_ms < command->from_time_ms.value)
        range->from_ms = candle_bar_next(bar, range->from_ms);
    return range->from_ms < range->to_ms;
}

static int64_t count_covered(const struct series *series)
{
    const struct bar_plan *bar_plan = series->bar_plan;
    int64_t count = 0;

    for (size_t i = 0; i < series->covered.count; i++) {
        const struct time_range *range = &series->covered.ranges[i];
        const int64_t to_ms =
            range->to_ms < bar_plan->horizon_ms ? range->to_ms : bar_plan->horizon_ms;

        count +=
            candle_bar_count(bar_plan->bar, later_of(range->from_ms, bar_plan->start_ms), to_ms);
    }
    return count;
}

static void recount(struct backfill_plan *plan, struct series *series)
{
    const int64_t count = count_covered(series);

    if (series->instrument->is_followed)
        plan->covered_bars += count - series->covered_bars;
    series->covered_bars = count;
}

void backfill_plan_follow(struct backfill_plan *plan, const char *inst_id)
{
    struct instrument *instrument = find_or_add(plan, inst_id);

    if (!instrument || instrument->is_followed)
        return;
    instrument->is_followed = true;
    plan->followed_count++;
    for (size_t i = 0; i < plan->bar_count; i++) {
        plan->covered_bars += instrument->series[i].covered_bars;
        queue_push(plan, QUEUE_TAIL, &instrument->series[i]);
        queue_push(plan, QUEUE_HISTORY, &instrument->series[i]);
    }
}

bool backfill_plan_follows(const struct backfill_plan *plan, const char *inst_id)
{
    const struct instrument *instrument = text_map_find(plan->by_inst_id, inst_id);

    return instrument && instrument->is_followed;
}

static void note_attempt(struct series *series, const struct fetch_command *command)
{
    const int64_t from_ms = command->from_time_ms.value;

    if (from_ms < series->newest_from_ms)
        return;
    if (from_ms > series->newest_from_ms || command->attempt > series->newest_attempt)
        series->newest_attempt = command->attempt;
    series->newest_from_ms = from_ms;
}

void backfill_plan_claim(struct backfill_plan *plan, const struct fetch_command *command)
{
    struct series *series = series_of(plan, command);
    struct time_range range;

    if (!series || !range_of(series->bar_plan->bar, command, &range))
        return;
    note_attempt(series, command);
    coverage_add(&series->claimed, range.from_ms, range.to_ms);
}

void backfill_plan_cover(struct backfill_plan *plan, const struct fetch_command *command)
{
    struct series *series = series_of(plan, command);
    struct time_range range;

    if (!series || !range_of(series->bar_plan->bar, command, &range))
        return;
    note_attempt(series, command);
    coverage_add(&series->covered, range.from_ms, range.to_ms);
    coverage_add(&series->claimed, range.from_ms, range.to_ms);
    recount(plan, series);
    if (series->is_blocked || range.from_ms >= series->bar_plan->tail_start_ms) {
        series->is_blocked = false;
        queue_push(plan, QUEUE_TAIL, series);
    }
    queue_push(plan, QUEUE_HISTORY, series);
}

void backfill_plan_block(struct backfill_plan *plan, const struct fetch_command *command)
{
    struct series *series = series_of(plan, command);

    if (series)
        series->is_blocked = true;
}

bool backfill_plan_is_covered(const struct backfill_plan *plan, const struct fetch_command *command)
{
    const struct series *series = existing_series(plan, command);
    struct time_range range;

    return series && range_of(series->bar_plan->bar, command, &range) &&
           coverage_contains(&series->covered, range.from_ms, range.to_ms);
}

/* --- what to ask for -------------------------------------------------------------------------- */

static bool move_horizon(struct bar_plan *bar_plan, int64_t firing_ms)
{
    const int64_t horizon_ms =
        later_of(candle_bar_floor(bar_plan->bar, firing_ms), bar_plan->start_ms);

    if (horizon_ms == bar_plan->horizon_ms)
        return false;
    bar_plan->horizon_ms = horizon_ms;
    bar_plan->tail_start_ms =
        horizon_ms == bar_plan->start_ms
            ? horizon_ms
            : later_of(block_start(bar_plan->bar, horizon_ms - 1, BACKFILL_TAIL_BARS),
                       bar_plan->start_ms);
    return true;
}

void backfill_plan_move_horizons(struct backfill_plan *plan, int64_t firing_ms)
{
    for (size_t i = 0; i < plan->bar_count; i++) {
        if (!move_horizon(&plan->bars[i], firing_ms))
            continue;
        for (size_t j = 0; j < plan->instrument_count; j++) {
            struct series *series = &plan->instruments[j]->series[i];

            recount(plan, series);
            queue_push(plan, QUEUE_TAIL, series);
            queue_push(plan, QUEUE_HISTORY, series);
        }
    }
}

static bool lacks_tail(const struct series *series)
{
    const struct bar_plan *bar_plan = series->bar_plan;

    return !series->is_blocked &&
           !coverage_contains(&series->claimed, bar_plan->tail_start_ms, bar_plan->horizon_ms);
}

static void build_command(const struct series *series, const struct time_range *range,
                          enum fetch_reason reason, int64_t now_ms, struct fetch_command *command)
{
    fetch_command_for_candles(command, series->instrument->inst_id, series->bar_plan->bar->name,
                              range->from_ms, range->to_ms, reason, now_ms);
    if (range->from_ms == series->newest_from_ms)
        command->attempt = series->newest_attempt + 1;
}

bool backfill_plan_next_tail(struct backfill_plan *plan, int64_t now_ms,
                             struct fetch_command *command)
{
    const struct series *series = NULL;

    while ((series = plan->queues[QUEUE_TAIL].first)) {
        const struct bar_plan *bar_plan = series->bar_plan;

        if (lacks_tail(series)) {
            build_command(series,
                          &(struct time_range){bar_plan->tail_start_ms, bar_plan->horizon_ms},
                          FETCH_REASON_SCHEDULE, now_ms, command);
            return true;
        }
        (void)queue_pop(plan, QUEUE_TAIL);
    }
    return false;
}

void backfill_plan_skip_tail(struct backfill_plan *plan)
{
    (void)queue_pop(plan, QUEUE_TAIL);
}

static bool next_piece(const struct series *series, struct time_range *piece)
{
    const struct bar_plan *bar_plan = series->bar_plan;
    const bool is_unproven = series->covered.count == 0 && series->claimed.count > 0;

    if (series->is_blocked || is_unproven ||
        !coverage_last_missing(&series->claimed, bar_plan->start_ms, bar_plan->tail_start_ms,
                               piece))
        return false;
    piece->from_ms =
        later_of(piece->from_ms, block_start(bar_plan->bar, piece->to_ms - 1, BACKFILL_CHUNK_BARS));
    return true;
}

bool backfill_plan_next_history(struct backfill_plan *plan, int64_t now_ms,
                                struct fetch_command *command)
{
    while (plan->queues[QUEUE_HISTORY].first) {
        struct series *series = queue_pop(plan, QUEUE_HISTORY);
        struct time_range piece;

        if (next_piece(series, &piece)) {
            queue_push(plan, QUEUE_HISTORY, series);
            build_command(series, &piece, FETCH_REASON_BACKFILL, now_ms, command);
            return true;
        }
    }
    return false;
}

void backfill_plan_extend(const struct backfill_plan *plan, struct fetch_command *command)
{
    const struct series *series = existing_series(plan, command);
    const struct bar_plan *bar_plan = series ? series->bar_plan : NULL;

    if (series && command->from_time_ms.present && command->to_time_ms.present &&
        command->from_time_ms.value == bar_plan->tail_start_ms &&
        command->to_time_ms.value < bar_plan->horizon_ms)
        command->to_time_ms.value = bar_plan->horizon_ms;
}

int64_t backfill_plan_total_bars(const struct backfill_plan *plan)
{
    int64_t count = 0;

    for (size_t i = 0; i < plan->bar_count; i++)
        count +=
            candle_bar_count(plan->bars[i].bar, plan->bars[i].start_ms, plan->bars[i].horizon_ms);
    return count * (int64_t)plan->followed_count;
}

int64_t backfill_plan_covered_bars(const struct backfill_plan *plan)
{
    return plan->covered_bars;
}

size_t backfill_plan_instrument_count(const struct backfill_plan *plan)
{
    return plan->followed_count;
}
