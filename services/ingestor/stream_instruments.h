/* The stream's instruments by id. Pure. An instrument once known stays, since delivery reports and
 * late frames may still name it. */
#ifndef INGESTOR_STREAM_INSTRUMENTS_H
#define INGESTOR_STREAM_INSTRUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "early_trades.h"
#include "trade_gap.h"

struct publish_target;

struct stream_instrument {
    char inst_id[INST_ID_BYTES];
    bool is_followed;
    struct trade_gap gap;
    struct early_trades early;
    struct publish_target *target; /* borrowed; set by whoever adds it */
    int64_t ask_last_trade_at_ms;  /* INT64_MAX: no need */
    bool awaits_last_trade;        /* asked, and no live trade came since */
    int64_t followed_since_ms;     /* monotonic, to begin the series; INT64_MAX: not yet */
};

struct stream_instruments {
    struct stream_instrument **items; /* owned; ascending by inst_id */
    size_t count;
    size_t capacity;
};

void stream_instruments_clear(struct stream_instruments *instruments);
/* NULL when it is not known. */
struct stream_instrument *stream_instruments_find(const struct stream_instruments *instruments,
                                                  const char *inst_id);
/* For an instrument that is not known yet. */
struct stream_instrument *stream_instruments_add(struct stream_instruments *instruments,
                                                 const char *inst_id);

#endif
