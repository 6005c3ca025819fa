/*
 * Five-field cron expressions in UTC: parse, next and previous firing. Pure.
 *
 * Fields: minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 or
 * SUN-SAT (0 and 7 are Sunday); names in any case. A field is a list of values, ranges (1-5) and
 * steps (0-30/10, *\/15; 5/15 runs from 5 to the field's end). Macros: @hourly @daily @midnight
 * @weekly @monthly @yearly @annually.
 *
 * A day matches when both day fields match; when neither begins with a star, either suffices. A
 * stepped star (*\/2) thus still counts as a star, as in crontab(5) of Vixie cron and cronie.
 */
#ifndef SCHEDULER_CRON_EXPR_H
#define SCHEDULER_CRON_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"

struct cron_expr {
    uint64_t minutes; /* each set: bit n stands for the value n */
    uint64_t hours;
    uint64_t days;
    uint64_t months;
    uint64_t weekdays; /* Sunday is bit 0 only */
    bool is_either_day_enough;
};

/* Errors: ERR_CONFIG, naming field and value ("minute '61' is not within 0-59"), also for dates
 * that no calendar has (0 0 31 2 *). */
int cron_expr_parse(struct text_view text, struct cron_expr *cron, struct err *err) MUST_CHECK;

/* The first firing strictly after after_ms, and the last at or before at_ms; whole minutes. There
 * is always one: parsing refuses expressions that never fire. */
int64_t cron_expr_next_ms(const struct cron_expr *cron, int64_t after_ms);
int64_t cron_expr_previous_ms(const struct cron_expr *cron, int64_t at_ms);

#endif
