/*
 * Trades that a WebSocket connection brought ahead of its predecessor, while both send the same:
 * they wait until the predecessor has brought those before them, which are on their way and not
 * missing. Of one instrument, in the order of their ids. Pure. Not thread-safe.
 */
#ifndef INGESTOR_EARLY_TRADES_H
#define INGESTOR_EARLY_TRADES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "domain/trade.h"

enum { EARLY_TRADES_MAX = 512 };

struct early_trades {
    struct trade *items; /* owned; NULL while there is none */
    size_t first, count; /* items[first..first + count) */
    size_t capacity;
};

/* Takes the trade, or drops it when it or a later one is held already. False, with the trade left
 * alone: EARLY_TRADES_MAX have been held since there was none. */
bool early_trades_hold(struct early_trades *early, struct trade *trade) MUST_CHECK;
/* The first one; NULL when there is none. Borrowed until the next call. */
const struct trade *early_trades_first(const struct early_trades *early);
/* Removes the first one, which the caller owns from now on. There must be one. */
struct trade early_trades_take(struct early_trades *early);
/* Drops all. */
void early_trades_clear(struct early_trades *early);

#endif
