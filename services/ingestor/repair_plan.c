#include "repair_plan.h"

struct repair_plan repair_plan_make(int64_t from_id, int64_t to_id, int64_t trades_max)
{
    struct repair_plan plan = {.from_id = from_id, .to_id = to_id};

    if (to_id - from_id >= trades_max) {
        plan.is_capped = true;
        plan.from_id = to_id - trades_max + 1;
        plan.unfillable_from_id = from_id;
        plan.unfillable_to_id = plan.from_id - 1;
    }
    return plan;
}

bool repair_plan_next(struct repair_plan *plan, int64_t *from_id, int64_t *to_id)
{
    if (plan->to_id < plan->from_id)
        return false;

    int64_t first_id = plan->to_id - REPAIR_COMMAND_TRADES_MAX + 1;
    *from_id = first_id > plan->from_id ? first_id : plan->from_id;
    *to_id = plan->to_id;
    plan->to_id = *from_id - 1;
    return true;
}
