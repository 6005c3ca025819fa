/*
 * When a job is due: at each firing of its cron expression, and once for however many firings were
 * missed. Pure.
 */
#ifndef SCHEDULER_JOB_SCHEDULE_H
#define SCHEDULER_JOB_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "cron_expr.h"
#include "domain/optional.h"

struct job_schedule {
    bool is_enabled;
    struct cron_expr cron;
    struct optional_int64 last_firing_ms; /* the newest firing that was acted on */
};

/* A cron expression, or "off": the job never fires. Errors as cron_expr_parse. */
int job_schedule_parse(const char *text, struct job_schedule *job, struct err *err) MUST_CHECK;

/*
 * True when the newest firing at or before now_ms was not acted on. A clock that steps back repeats
 * no firing; but a firing recorded more than a day ahead of now_ms came from a clock that was
 * wrong, and is disregarded.
 */
bool job_schedule_is_due(const struct job_schedule *job, int64_t now_ms, int64_t *firing_ms);
void job_schedule_mark_fired(struct job_schedule *job, int64_t firing_ms, int64_t now_ms);

#endif
