/*
 * The scheduler's pipeline: fetch-results, control -> command_plan -> control.
 *
 * Promise: every firing, and every bar since HISTORY_START, is asked for until a result settles it,
 * over crashes at any point: the state is rebuilt from the topics. A command may be published twice
 * (around a takeover, or when its result is late); ids are deterministic, so that does no harm.
 *
 * Any number of schedulers may run: they form a group on fetch-results, and who owns its one
 * partition is active. On losing it, a scheduler stops publishing at once and drops its state; on
 * gaining it, it reads the topics to their ends before it publishes anything.
 *
 * Threads: one, this one. librdkafka's own deliver records and reports into queues.
 */
#ifndef SCHEDULER_SCHEDULE_LOOP_H
#define SCHEDULER_SCHEDULE_LOOP_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "command_publisher.h"
#include "io/schema_registry.h"
#include "io/status_server.h"
#include "scheduler_config.h"

/* All borrowed. */
struct schedule_loop_options {
    const struct scheduler_config *config;
    struct schema_registry *registry;
    struct command_publisher *publisher;
    struct metrics *metrics;
    struct status_server *status;
};

/* Runs until shutdown is requested (0), or until only a new process can go on (-1). */
int schedule_loop_run(const struct schedule_loop_options *options, struct err *err) MUST_CHECK;

#endif
