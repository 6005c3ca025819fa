#include "command_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backfill_plan.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "command_ledger.h"

struct command_plan {
    struct job_schedule candles;
    struct job_schedule currencies;
    struct backfill_plan *backfill;
    struct command_ledger *ledger;
    size_t in_flight_max;
    bool follows_all;
    char base_currency[INST_ID_BYTES];
    char currencies_id[FETCH_ID_BYTES]; /* of the newest firing, "" before the first */
};

struct command_plan *command_plan_create(const struct command_plan_options *options)
{
    struct command_plan *plan = mem_calloc(1, sizeof *plan);

    plan->candles = options->candles;
    plan->currencies = options->currencies;
    plan->backfill =
        backfill_plan_create(options->bars, options->bar_count, options->history_start_ms);
    plan->ledger = command_ledger_create(options->command_timeout_ms);
    plan->in_flight_max = (size_t)options->backfill_in_flight;
    plan->follows_all = options->instruments->is_all;
    snprintf(plan->base_currency, sizeof plan->base_currency, "%s",
             options->instruments->base_currency);
    for (size_t i = 0; i < options->instruments->id_count; i++)
        backfill_plan_follow(plan->backfill, options->instruments->ids[i]);
    return plan;
}

void command_plan_destroy(struct command_plan *plan)
{
    if (!plan)
        return;
    command_ledger_destroy(plan->ledger);
    backfill_plan_destroy(plan->backfill);
    free(plan);
}

/* "BTC-USDT" for USDT; not "BTC-USDT-SWAP", nor what an earlier configuration followed. */
static bool is_selected(const struct command_plan *plan, const char *inst_id)
{
    const char *dash = strchr(inst_id, '-');

    return plan->follows_all && dash && strcmp(dash + 1, plan->base_currency) == 0;
}

void command_plan_on_instrument(struct command_plan *plan, const char *inst_id)
{
    if (strlen(inst_id) < INST_ID_BYTES && is_selected(plan, inst_id))
        backfill_plan_follow(plan->backfill, inst_id);
}

static bool is_planned_candles(const struct command_plan *plan, const struct fetch_command *command)
{
    return backfill_plan_has_bar(plan->backfill, command->bar) &&
           (is_selected(plan, command->inst_id) ||
            backfill_plan_follows(plan->backfill, command->inst_id));
}

/* --- currencies ------------------------------------------------------------------------------- */

/* The firing time is the last part of the id; false for an id that is none of ours. */
static bool firing_of(const struct fetch_command *command, int64_t *firing_ms)
{
    const char *slash = strchr(command->id, '/');
    struct err ignored = {0};

    return slash && rfc3339_parse_ms(text_view_of(slash + 1), firing_ms, &ignored) == 0;
}

/* Makes the command's firing the newest one; false when a newer firing is known. */
static bool note_currencies_firing(struct command_plan *plan, const struct fetch_command *command,
                                   int64_t now_ms)
{
    int64_t firing_ms = 0;

    if (!firing_of(command, &firing_ms))
        return false;
    job_schedule_mark_fired(&plan->currencies, firing_ms, now_ms);
    if (plan->currencies.last_firing_ms.value != firing_ms)
        return false;
    if (strcmp(plan->currencies_id, command->id) != 0) {
        command_ledger_drop(plan->ledger, plan->currencies_id);
        snprintf(plan->currencies_id, sizeof plan->currencies_id, "%s", command->id);
    }
    return true;
}

static void on_currencies_result(struct command_plan *plan, const struct fetch_result *result,
                                 int64_t now_ms)
{
    if (!note_currencies_firing(plan, &result->command, now_ms))
        return;
    if (result->status == FETCH_STATUS_FAILED)
        command_ledger_fail(plan->ledger, &result->command, result->retriable, now_ms);
    else
        command_ledger_answer(plan->ledger, &result->command, now_ms);
}

/* --- trades: repairs that the ingestors asked for --------------------------------------------- */

static void on_trades_result(struct command_plan *plan, const struct fetch_result *result,
                             int64_t now_ms)
{
    if (result->status == FETCH_STATUS_FAILED && result->retriable) {
        const struct tracked_command *tracked =
            command_ledger_find(plan->ledger, result->command.id);

        if (!tracked || tracked->state != COMMAND_ANSWERED)
            command_ledger_fail(plan->ledger, &result->command, true, now_ms);
        return;
    }
    /* Final: what OKX could not give stays visible as an open gap in the database. */
    command_ledger_answer(plan->ledger, &result->command, now_ms);
}

/* --- candles ---------------------------------------------------------------------------------- */

static void on_candles_failure(struct command_plan *plan, const struct fetch_result *result,
                               int64_t now_ms)
{
    if (backfill_plan_is_covered(plan->backfill, &result->command)) {
        command_ledger_drop(plan->ledger, result->command.id);
        return;
    }
    if (!command_ledger_fail(plan->ledger, &result->command, result->retriable, now_ms))
        return;
    backfill_plan_claim(plan->backfill, &result->command);
    if (!result->retriable)
        backfill_plan_block(plan->backfill, &result->command);
}

static void on_candles_result(struct command_plan *plan, const struct fetch_result *result,
                              int64_t now_ms)
{
    const struct tracked_command *tracked = NULL;

    if (!is_planned_candles(plan, &result->command))
        return;
    if (result->status == FETCH_STATUS_FAILED) {
        on_candles_failure(plan, result, now_ms);
        return;
    }
    backfill_plan_cover(plan->backfill, &result->command);
    /* A tail may have been asked again meanwhile, and further: then that one's result is awaited.
     */
    tracked = command_ledger_find(plan->ledger, result->command.id);
    if (tracked && backfill_plan_is_covered(plan->backfill, &tracked->command))
        command_ledger_drop(plan->ledger, result->command.id);
}

/* --- records ---------------------------------------------------------------------------------- */

void command_plan_on_command(struct command_plan *plan, const struct fetch_command *command,
                             int64_t now_ms)
{
    if (command->kind == FETCH_KIND_CANDLES) {
        if (!is_planned_candles(plan, command) || backfill_plan_is_covered(plan->backfill, command))
            return;
        backfill_plan_claim(plan->backfill, command);
    } else if (command->kind == FETCH_KIND_CURRENCIES &&
               !note_currencies_firing(plan, command, now_ms)) {
        return;
    }
    command_ledger_ask(plan->ledger, command, now_ms);
}

void command_plan_on_result(struct command_plan *plan, const struct fetch_result *result,
                            int64_t now_ms)
{
    switch (result->command.kind) {
    case FETCH_KIND_CANDLES:
        on_candles_result(plan, result, now_ms);
        return;
    case FETCH_KIND_CURRENCIES:
        on_currencies_result(plan, result, now_ms);
        return;
    case FETCH_KIND_TRADES:
        on_trades_result(plan, result, now_ms);
        return;
    }
}

void command_plan_finish_replay(struct command_plan *plan, int64_t now_ms)
{
    command_ledger_hurry_given_up(plan->ledger, now_ms);
}

/* --- what to ask for -------------------------------------------------------------------------- */

bool command_plan_fire_candles(struct command_plan *plan, int64_t now_ms, int64_t *firing_ms)
{
    if (!job_schedule_is_due(&plan->candles, now_ms, firing_ms))
        return false;
    job_schedule_mark_fired(&plan->candles, *firing_ms, now_ms);
    backfill_plan_move_horizons(plan->backfill, *firing_ms);
    return true;
}

static bool next_repeat(struct command_plan *plan, int64_t now_ms, struct fetch_command *command)
{
    while (command_ledger_next_due(plan->ledger, now_ms, command)) {
        if (command->kind != FETCH_KIND_CANDLES)
            return true;
        if (backfill_plan_follows(plan->backfill, command->inst_id)) {
            backfill_plan_extend(plan->backfill, command);
            return true;
        }
        command_ledger_drop(plan->ledger, command->id);
    }
    return false;
}

/* A tail whose command is still under way is left alone: its result brings it up again. */
static bool next_tail(struct command_plan *plan, int64_t now_ms, struct fetch_command *command)
{
    while (backfill_plan_next_tail(plan->backfill, now_ms, command)) {
        const struct tracked_command *tracked = command_ledger_find(plan->ledger, command->id);

        if (!tracked)
            return true;
        backfill_plan_skip_tail(plan->backfill);
        if (tracked->state == COMMAND_BACKING_OFF) {
            command_ledger_hurry(plan->ledger, command->id, now_ms);
            return next_repeat(plan, now_ms, command);
        }
    }
    return false;
}

/* Pieces that keep failing hold no place of those that make progress, but their number is limited
 * likewise: when nothing succeeds, nothing more is begun. */
static bool has_room_for_history(const struct command_plan *plan)
{
    return command_ledger_count(plan->ledger, COMMAND_ASKED, FETCH_REASON_BACKFILL) <
               plan->in_flight_max &&
           command_ledger_count(plan->ledger, COMMAND_BACKING_OFF, FETCH_REASON_BACKFILL) <
               plan->in_flight_max;
}

bool command_plan_next(struct command_plan *plan, int64_t now_ms, struct fetch_command *command)
{
    int64_t firing_ms = 0;

    if (next_repeat(plan, now_ms, command))
        return true;
    if (job_schedule_is_due(&plan->currencies, now_ms, &firing_ms)) {
        fetch_command_for_currencies(command, firing_ms, now_ms);
        return true;
    }
    return next_tail(plan, now_ms, command) ||
           (has_room_for_history(plan) &&
            backfill_plan_next_history(plan->backfill, now_ms, command));
}

struct command_plan_progress command_plan_progress(const struct command_plan *plan)
{
    return (struct command_plan_progress){
        .bars_total = backfill_plan_total_bars(plan->backfill),
        .bars_covered = backfill_plan_covered_bars(plan->backfill),
        .outstanding = command_ledger_outstanding(plan->ledger),
        .given_up = command_ledger_count(plan->ledger, COMMAND_GIVEN_UP, FETCH_REASON_SCHEDULE) +
                    command_ledger_count(plan->ledger, COMMAND_GIVEN_UP, FETCH_REASON_BACKFILL) +
                    command_ledger_count(plan->ledger, COMMAND_GIVEN_UP, FETCH_REASON_GAP),
        .instruments = backfill_plan_instrument_count(plan->backfill),
        .candles_firing_ms = plan->candles.last_firing_ms,
        .currencies_firing_ms = plan->currencies.last_firing_ms,
    };
}
