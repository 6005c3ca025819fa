/* How far the live trades of an instrument are published: every id up to trade_id is in the trades
 * topic, or asked for by a command on the control topic. Pure. */
#ifndef DOMAIN_TRADE_POSITION_H
#define DOMAIN_TRADE_POSITION_H

#include <stdint.h>

#include "domain/trade.h"

struct trade_position {
    char inst_id[INST_ID_BYTES];
    struct optional_int64 trade_id;      /* absent: subscribed, no trade published yet */
    struct optional_int64 event_time_ms; /* of that trade */
    struct optional_int64 offset;        /* of that trade's record in the trades partition */
    int64_t updated_at_ms;
};

#endif
