/*
 * What to ask of the ingestors next, out of schedules, coverage and what was asked before. Pure:
 * the time is an argument, and the state is nothing but what the records of the topics say, so that
 * a replay of control and fetch-results leads to the same plan.
 *
 * Feed it every record of both topics (the results before the commands when replaying), then ask
 * it for commands. A command counts only once command_plan_on_command was called for it.
 */
#ifndef SCHEDULER_COMMAND_PLAN_H
#define SCHEDULER_COMMAND_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/candle_bar.h"
#include "domain/fetch_result.h"
#include "domain/instrument_selection.h"
#include "job_schedule.h"

struct command_plan_options {
    struct job_schedule candles;
    struct job_schedule currencies;
    const struct candle_bar *const *bars;
    size_t bar_count;
    int64_t history_start_ms;
    const struct instrument_selection *instruments;
    int64_t backfill_in_flight; /* pieces of history under way at once */
    int64_t command_timeout_ms;
};

struct command_plan;

/* Copies the options. */
struct command_plan *command_plan_create(const struct command_plan_options *options) MUST_CHECK;
void command_plan_destroy(struct command_plan *plan);

/* An instrument that an ingestor follows; matters only when all are selected. */
void command_plan_on_instrument(struct command_plan *plan, const char *inst_id);
/* A record of the control topic, our own included; or a command that was just published. */
void command_plan_on_command(struct command_plan *plan, const struct fetch_command *command,
                             int64_t now_ms);
/* A record of fetch-results. */
void command_plan_on_result(struct command_plan *plan, const struct fetch_result *result,
                            int64_t now_ms);
/* The replay is over: what was given up for good is tried once more. */
void command_plan_finish_replay(struct command_plan *plan, int64_t now_ms);

/* The candles job: true when it fires at now_ms, and the horizons have moved to *firing_ms. */
bool command_plan_fire_candles(struct command_plan *plan, int64_t now_ms, int64_t *firing_ms);
/* The next command to publish, or false when there is nothing to ask now. */
bool command_plan_next(struct command_plan *plan, int64_t now_ms, struct fetch_command *command);

struct command_plan_progress {
    int64_t bars_total; /* wanted */
    int64_t bars_covered;
    size_t outstanding; /* asked or backing off */
    size_t given_up;
    size_t instruments;
    struct optional_int64 candles_firing_ms; /* the newest firing that was acted on */
    struct optional_int64 currencies_firing_ms;
};
struct command_plan_progress command_plan_progress(const struct command_plan *plan);

#endif
