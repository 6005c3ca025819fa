/* The ledger as text: a line per executed trade, written in parts, so that its length is no matter.
 */
#ifndef OKX_SIM_LEDGER_H
#define OKX_SIM_LEDGER_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "tape.h"

struct ledger;

/* Trades of the instruments [first, last], each with index in [from, to) cut to what is executed;
 * INT64_MIN for from means the ledger's beginning. */
struct ledger *ledger_open(struct tape *tape, size_t first, size_t last, int64_t from, int64_t to,
                           int64_t now_ms) MUST_CHECK;
void ledger_close(void *ledger); /* untyped, as the next, to serve as callbacks */
/* Appends the next lines: instId tradeId px sz side ts source, and "lost" where no client was told.
 * Nothing at the end. */
void ledger_append(void *ledger, struct buf *out);

#endif
