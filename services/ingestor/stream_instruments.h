/* The stream's instruments by id. Pure. An instrument once known stays, since delivery reports and
 * late frames may still name it. */
#ifndef INGESTOR_STREAM_INSTRUMENTS_H
#define INGESTOR_STREAM_INSTRUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trade_series.h"

struct stream_instrument {
    char inst_id[INST_ID_BYTES];
    bool is_followed;
    struct trade_series series;
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
