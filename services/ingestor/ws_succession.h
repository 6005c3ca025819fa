/*
 * When a WebSocket connection hands over to its successor. Pure: times are arguments.
 *
 * A connection is due when it has reached its age, which is spread so that connections opened
 * together do not end together, or when OKX announces its end. It is ended only once the successor
 * has been sending everything for WS_OVERLAP_MS while both were read: what OKX sent on the old one
 * before the new one began has arrived by then.
 */
#ifndef INGESTOR_WS_SUCCESSION_H
#define INGESTOR_WS_SUCCESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"

enum { WS_OVERLAP_MS = 1000, WS_AGE_SPREAD = 4 /* an age ends within its last 4th part */ };

struct ws_succession {
    int64_t due_at_ms; /* INT64_MAX: not open, or never */
    bool is_open;
    int64_t overlaps_until_ms; /* INT64_MAX: the successor does not send everything yet */
};

/* What a tick looks at. */
struct ws_succession_facts {
    bool is_open;       /* the connection */
    bool reads;         /* whether sockets are read */
    bool is_heir;       /* it has yet to take over itself */
    bool has_successor; /* and then: */
    bool is_covered;    /* the successor sends all that this one does */
};

enum ws_succession_action {
    WS_SUCCESSION_NOTHING,
    WS_SUCCESSION_BEGIN, /* make a successor */
    WS_SUCCESSION_END,   /* the successor has taken over */
};

void ws_succession_init(struct ws_succession *succession);
/* age_ms: how old a connection may become; 0: as old as it likes. spread: for its random numbers,
 * from ws_succession_spread. */
enum ws_succession_action ws_succession_tick(struct ws_succession *succession,
                                             const struct ws_succession_facts *facts,
                                             int64_t age_ms, struct backoff *spread,
                                             int64_t now_ms);
/* seed: 0 for a random one. */
void ws_succession_spread(struct backoff *spread, int64_t age_ms, uint64_t seed);

#endif
