#include "trade_gap.h"

void trade_gap_init(struct trade_gap *gap)
{
    *gap = (struct trade_gap){.last_time_ms = INT64_MAX};
}

void trade_gap_start(struct trade_gap *gap, int64_t trade_id, struct optional_int64 event_time_ms)
{
    *gap = (struct trade_gap){
        .has_last = true,
        .last_id = trade_id,
        .last_time_ms = event_time_ms.present ? event_time_ms.value : INT64_MAX,
    };
}

bool trade_gap_is_ahead(const struct trade_gap *gap, const struct trade *trade)
{
    return !gap->has_last || trade_first_id(trade) > gap->last_id + 1;
}

static struct trade_gap_step judge_old_id(const struct trade_gap *gap, int64_t event_time_ms)
{
    struct trade_gap_step step = {.verdict = TRADE_GAP_DUPLICATE};

    if (event_time_ms <= gap->last_time_ms)
        return step;
    step.verdict =
        event_time_ms - gap->last_time_ms > TRADE_GAP_RESET_MS ? TRADE_GAP_RESET : TRADE_GAP_LATE;
    return step;
}

struct trade_gap_step trade_gap_next(struct trade_gap *gap, const struct trade *trade)
{
    struct trade_gap_step step = {.verdict = TRADE_GAP_FIRST};
    int64_t first_id = trade_first_id(trade);

    if (gap->is_broken)
        return (struct trade_gap_step){.verdict = TRADE_GAP_UNBEGUN};
    if (gap->has_last && !(gap->is_told && first_id <= gap->last_id)) {
        if (trade->trade_id <= gap->last_id) {
            step = judge_old_id(gap, trade->event_time_ms);
            if (step.verdict != TRADE_GAP_RESET)
                return step;
        } else if (first_id <= gap->last_id) {
            step = (struct trade_gap_step){TRADE_GAP_OVERLAP, gap->last_id + 1, trade->trade_id};
        } else if (first_id == gap->last_id + 1) {
            step.verdict = TRADE_GAP_NEXT;
        } else {
            step = (struct trade_gap_step){TRADE_GAP_MISSING, gap->last_id + 1, first_id - 1};
        }
    }
    trade_gap_start(gap, trade->trade_id, (struct optional_int64){true, trade->event_time_ms});
    return step;
}

void trade_gap_break(struct trade_gap *gap)
{
    gap->is_broken = !gap->has_last;
}

void trade_gap_tell(struct trade_gap *gap, int64_t trade_id, struct optional_int64 event_time_ms)
{
    trade_gap_start(gap, trade_id, event_time_ms);
    gap->is_told = true;
}

struct trade_gap_step trade_gap_advance(struct trade_gap *gap, int64_t trade_id,
                                        int64_t event_time_ms)
{
    struct trade_gap_step step = {.verdict = TRADE_GAP_DUPLICATE};

    if (trade_id <= gap->last_id)
        return step;
    step = (struct trade_gap_step){TRADE_GAP_MISSING, gap->last_id + 1, trade_id};
    trade_gap_start(gap, trade_id, (struct optional_int64){true, event_time_ms});
    return step;
}
