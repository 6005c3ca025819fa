/*
 * Continuity of one instrument's live trades: what each arriving trade means after those before it.
 * Pure.
 *
 * OKX's trade ids are contiguous per instrument; a trade stands for [trade_id - count + 1,
 * trade_id], where count is 1 but on the aggregated channel "trades" (okx-v5.md, section 3).
 */
#ifndef INGESTOR_TRADE_GAP_H
#define INGESTOR_TRADE_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/trade.h"

/* How much later a trade with an old id must be to prove that ids began anew. */
enum { TRADE_GAP_RESET_MS = 1000 };

struct trade_gap {
    bool has_last;
    bool is_told;   /* begun by what REST told: no trade came live yet */
    bool is_broken; /* not begun, and the stream that would have begun it broke off */
    int64_t last_id;
    int64_t last_time_ms; /* INT64_MAX: not known, so no id counts as reset */
};

enum trade_gap_verdict {
    TRADE_GAP_FIRST,     /* begins the series, or begins it earlier than was told */
    TRADE_GAP_NEXT,      /* continues it */
    TRADE_GAP_MISSING,   /* ids from_id..to_id are missing before it */
    TRADE_GAP_DUPLICATE, /* seen before: drop it */
    TRADE_GAP_OVERLAP,   /* an aggregate partly seen before: do not publish it; its new ids are
                            from_id..to_id, to be fetched one by one */
    TRADE_GAP_LATE,      /* an old id but a newer time: publish it, the series stands */
    TRADE_GAP_RESET,     /* ids began anew: publish it, the series begins with it */
    TRADE_GAP_UNBEGUN,   /* drop it: it will be missing once it is told where the series begins */
};

struct trade_gap_step {
    enum trade_gap_verdict verdict;
    int64_t from_id, to_id; /* inclusive; for MISSING and OVERLAP */
};

void trade_gap_init(struct trade_gap *gap);
/* The series is known up to this trade. event_time_ms absent: its time is not known. */
void trade_gap_start(struct trade_gap *gap, int64_t trade_id, struct optional_int64 event_time_ms);
/* Ids are missing between the series and the trade, or there is no series yet. */
bool trade_gap_is_ahead(const struct trade_gap *gap, const struct trade *trade);
/* Judges the trade and moves the series on. */
struct trade_gap_step trade_gap_next(struct trade_gap *gap, const struct trade *trade);
/*
 * The stream broke off. A series that has not begun cannot begin with the next live trade any more,
 * since others before it went by: it waits for trade_gap_tell.
 */
void trade_gap_break(struct trade_gap *gap);
/*
 * The series, not begun yet, begins behind this trade, as REST tells. What was executed before it
 * may still be on its way to us, so a first live trade with a lower id begins the series earlier.
 */
void trade_gap_tell(struct trade_gap *gap, int64_t trade_id, struct optional_int64 event_time_ms);
/* REST saw this trade of a series that has begun: MISSING with the ids up to and with it that the
 * series lacks, else DUPLICATE. */
struct trade_gap_step trade_gap_advance(struct trade_gap *gap, int64_t trade_id,
                                        int64_t event_time_ms);

#endif
