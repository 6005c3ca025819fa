#include "ws_succession.h"

void ws_succession_init(struct ws_succession *succession)
{
    *succession = (struct ws_succession){
        .due_at_ms = INT64_MAX,
        .overlaps_until_ms = INT64_MAX,
    };
}

void ws_succession_spread(struct backoff *spread, int64_t age_ms, uint64_t seed)
{
    backoff_init(spread, 0, age_ms / WS_AGE_SPREAD, age_ms / WS_AGE_SPREAD, seed);
}

static void note_opened(struct ws_succession *succession, int64_t age_ms, struct backoff *spread,
                        int64_t now_ms)
{
    ws_succession_init(succession);
    succession->is_open = true;
    if (age_ms > 0)
        succession->due_at_ms = now_ms + age_ms - backoff_next_ms(spread);
}

enum ws_succession_action ws_succession_tick(struct ws_succession *succession,
                                             const struct ws_succession_facts *facts,
                                             int64_t age_ms, struct backoff *spread, int64_t now_ms)
{
    if (!facts->is_open) {
        ws_succession_init(succession);
        return facts->has_successor ? WS_SUCCESSION_END : WS_SUCCESSION_NOTHING;
    }
    if (!succession->is_open)
        note_opened(succession, age_ms, spread, now_ms);
    if (!facts->has_successor) {
        bool is_due = facts->reads && !facts->is_heir && now_ms >= succession->due_at_ms;

        return is_due ? WS_SUCCESSION_BEGIN : WS_SUCCESSION_NOTHING;
    }
    if (!facts->is_covered || !facts->reads)
        succession->overlaps_until_ms = INT64_MAX;
    else if (succession->overlaps_until_ms == INT64_MAX)
        succession->overlaps_until_ms = now_ms + WS_OVERLAP_MS;
    return now_ms >= succession->overlaps_until_ms ? WS_SUCCESSION_END : WS_SUCCESSION_NOTHING;
}
