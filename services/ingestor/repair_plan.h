/*
 * How a hole in the trade ids is asked for: commands of limited size, newest ids first, up to a
 * cap; what lies beyond is given up. Pure.
 */
#ifndef INGESTOR_REPAIR_PLAN_H
#define INGESTOR_REPAIR_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { REPAIR_COMMAND_TRADES_MAX = 10000 };

struct repair_plan {
    int64_t from_id; /* oldest id that is still to be asked for */
    int64_t to_id;   /* newest of them */
    /* Older ids that are not asked for, both inclusive; only when is_capped. */
    bool is_capped;
    int64_t unfillable_from_id, unfillable_to_id;
};

/* For the missing ids from_id..to_id, inclusive and not empty. */
struct repair_plan repair_plan_make(int64_t from_id, int64_t to_id, int64_t trades_max);
/* Takes the newest ids off the plan, at most REPAIR_COMMAND_TRADES_MAX; false when none is left. */
bool repair_plan_next(struct repair_plan *plan, int64_t *from_id, int64_t *to_id);

#endif
