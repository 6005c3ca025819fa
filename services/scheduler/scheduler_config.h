/* The scheduler's settings from the environment. */
#ifndef SCHEDULER_SCHEDULER_CONFIG_H
#define SCHEDULER_SCHEDULER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "backfill_plan.h"
#include "base/program.h"
#include "domain/candle_bar.h"
#include "domain/instrument_selection.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "io/service_settings.h"
#include "job_schedule.h"

struct scheduler_config {
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
    struct instrument_settings instruments;
    char *candle_bars;
    char *history_start;
    char *candles_cron;
    char *currencies_cron;
    int64_t backfill_in_flight;
    int64_t command_timeout_ms;
    struct service_settings service;
    /* Read from the texts above once they are all there: */
    const struct candle_bar *bars[BACKFILL_BARS_MAX];
    size_t bar_count;
    int64_t history_start_ms;
    struct job_schedule candles_job;
    struct job_schedule currencies_job;
};

/* The program for program_start, whose config is a struct scheduler_config. */
extern const struct program scheduler_program;

void scheduler_config_clear(struct scheduler_config *config);

#endif
