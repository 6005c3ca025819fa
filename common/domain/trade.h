/* One OKX trade, or one aggregate of them. Pure. */
#ifndef DOMAIN_TRADE_H
#define DOMAIN_TRADE_H

#include <stdint.h>

#include "base/decimal.h"
#include "domain/extra_fields.h"
#include "domain/optional.h"

enum {
    INST_ID_BYTES = 64, /* with NUL; the longest spot id has 14 characters, options reach 40 */
    TRADE_SOURCE_BYTES = 32,
};

enum trade_side { TRADE_SIDE_BUY, TRADE_SIDE_SELL };

/* How a record reached us. */
enum origin { ORIGIN_STREAM, ORIGIN_REST };

struct trade {
    char inst_id[INST_ID_BYTES];
    int64_t trade_id; /* the last of count ids when aggregated */
    struct decimal price;
    struct decimal size;  /* base currency for SPOT, contracts for derivatives */
    enum trade_side side; /* of the taker */
    int64_t event_time_ms;
    struct optional_int64 count;     /* absent: a single trade */
    char source[TRADE_SOURCE_BYTES]; /* "" when OKX sent none */
    struct optional_int64 sequence_id;
    enum origin origin;
    int64_t received_at_us;
    struct extra_fields extra;
};

void trade_clear(struct trade *trade);
/* The first id that the trade stands for: trade_id - count + 1. */
int64_t trade_first_id(const struct trade *trade);

#endif
