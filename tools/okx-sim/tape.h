/*
 * The exchange's tape: the market up to now, halted or not, with the trades that faults keep from
 * the clients. Knows no clock: times are arguments. One thread's.
 */
#ifndef OKX_SIM_TAPE_H
#define OKX_SIM_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"
#include "instrument.h"
#include "market.h"

struct tape;

enum tape_visibility {
    TAPE_VISIBLE,
    TAPE_UNSENT, /* executed, in REST, but never pushed */
    TAPE_LOST,   /* executed, but no client ever learns of it */
};

/* Takes instruments. started_ms is where the ledger begins. */
struct tape *tape_create(struct market market, struct instrument *instruments, size_t count,
                         int64_t started_ms) MUST_CHECK;
void tape_destroy(struct tape *tape);

const struct market *tape_market(const struct tape *tape);
size_t tape_instrument_count(const struct tape *tape);
const struct instrument *tape_instrument(const struct tape *tape, size_t instrument);
/* The instrument's position, or -1. */
int tape_find(const struct tape *tape, struct text_view inst_id);

/* A halt freezes the tape; resuming lets it jump to the present, the trades in between executed. */
void tape_halt(struct tape *tape, int64_t now_ms);
void tape_resume(struct tape *tape);
bool tape_is_halted(const struct tape *tape);
/* The market's time when the clock says at_ms. */
int64_t tape_time(const struct tape *tape, int64_t at_ms);

/* Index of the first trade not executed at at_ms. */
int64_t tape_executed(struct tape *tape, size_t instrument, int64_t at_ms);
/* Index of the first trade of the ledger. */
int64_t tape_started_index(const struct tape *tape, size_t instrument);
struct market_trade tape_trade(struct tape *tape, size_t instrument, int64_t index);
int64_t tape_trade_id(const struct tape *tape, size_t instrument, int64_t index);
int64_t tape_index_of_id(const struct tape *tape, size_t instrument, int64_t trade_id);

/* The next count trades of the instrument get the visibility. ERR_LIMIT after very many calls. */
int tape_hide(struct tape *tape, size_t instrument, int64_t count, enum tape_visibility visibility,
              int64_t now_ms, struct err *err) MUST_CHECK;
/* Trades that are not executed yet become visible again. */
void tape_hide_no_more(struct tape *tape, int64_t now_ms);
enum tape_visibility tape_visibility_of(const struct tape *tape, size_t instrument, int64_t index);

#endif
