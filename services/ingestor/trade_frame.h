/*
 * The short way through the one frame that comes thousands of times a second: a push of "trades" or
 * "trades-all" with a single trade. Pure; no heap, no table, one pass.
 *
 * It knows that frame as OKX writes it, without white space, and no other: what it does not know
 * (more rows, a member it has no name for, an escape, a value out of range) it leaves to
 * okx_message, which reads everything and says what is wrong. What it does take, it takes exactly
 * as okx_message would; tests/fuzz and the unit tests hold one against the other.
 */
#ifndef INGESTOR_TRADE_FRAME_H
#define INGESTOR_TRADE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "domain/trade.h"

/*
 * text is length bytes, borrowed. True when it is a push of that channel with one trade, all of
 * whose members are known and sound: then *trade is filled but for origin and received_at_us, and
 * owns nothing. False, with *trade untouched: read it by okx_frame_read.
 */
bool trade_frame_read(const char *text, size_t length, const char *channel,
                      struct trade *trade) MUST_CHECK;

#endif
