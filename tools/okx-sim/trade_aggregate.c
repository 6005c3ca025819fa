#include "trade_aggregate.h"

#include "sim_hash.h"

enum { SEQ_ID_STEP = 25 }; /* books and trades share one sequence, so trades are far apart in it */

struct trade_aggregate trade_aggregate_at(struct tape *tape, size_t instrument, int64_t index,
                                          int64_t end_index)
{
    struct trade_aggregate merged = {.last = tape_trade(tape, instrument, index), .count = 1};

    for (int64_t i = index + 1; i < end_index; i++) {
        struct market_trade next = tape_trade(tape, instrument, i);
        if (next.order_index != merged.last.order_index || next.price != merged.last.price ||
            next.source != merged.last.source ||
            tape_visibility_of(tape, instrument, i) != TAPE_VISIBLE)
            break;
        next.size += merged.last.size;
        merged.last = next;
        merged.count++;
    }
    merged.seq_id = tape_trade_id(tape, instrument, merged.last.index) * SEQ_ID_STEP +
                    (int64_t)(sim_hash_mix((uint64_t)merged.last.index) % SEQ_ID_STEP);
    return merged;
}
