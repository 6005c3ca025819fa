/* What the ingestors are asked to fetch over REST. Pure. */
#ifndef DOMAIN_FETCH_COMMAND_H
#define DOMAIN_FETCH_COMMAND_H

#include <stdint.h>

#include "domain/candle.h"
#include "domain/optional.h"

enum { FETCH_ID_BYTES = 160 };

enum fetch_kind { FETCH_KIND_TRADES, FETCH_KIND_CANDLES, FETCH_KIND_CURRENCIES };

/* Why it was asked; gap repairs are served before anything else. */
enum fetch_reason { FETCH_REASON_SCHEDULE, FETCH_REASON_BACKFILL, FETCH_REASON_GAP };

struct fetch_command {
    char id[FETCH_ID_BYTES]; /* deterministic: the same work has the same id, whoever asks */
    enum fetch_kind kind;
    char inst_id[INST_ID_BYTES];        /* "" for currencies */
    char bar[CANDLE_BAR_BYTES];         /* candles only, else "" */
    struct optional_int64 from_id;      /* trades: first trade id wanted */
    struct optional_int64 to_id;        /* trades: last trade id wanted, inclusive */
    struct optional_int64 from_time_ms; /* candles: first open time wanted */
    struct optional_int64 to_time_ms;   /* candles: open times before this, exclusive */
    enum fetch_reason reason;
    int64_t attempt; /* 1 for the first time that this id is asked */
    int64_t created_at_ms;
};

const char *fetch_kind_name(enum fetch_kind kind); /* "trades", "candles", "currencies" */
/* The key of the command on the control topic: inst_id, or "currencies". Borrowed. */
const char *fetch_command_key(const struct fetch_command *command);

/* The ids: "trades/BTC-USDT/1040968615-1040968999", "candles/BTC-USDT/1H/2020-01-01T00:00:00Z" (of
 * from_time_ms), "currencies/2026-11-23T08:00:00Z". They fill command->id and the range; the other
 * members are set too, attempt to 1. */
void fetch_command_for_trades(struct fetch_command *command, const char *inst_id, int64_t from_id,
                              int64_t to_id, enum fetch_reason reason, int64_t now_ms);
void fetch_command_for_candles(struct fetch_command *command, const char *inst_id, const char *bar,
                               int64_t from_time_ms, int64_t to_time_ms, enum fetch_reason reason,
                               int64_t now_ms);
void fetch_command_for_currencies(struct fetch_command *command, int64_t firing_time_ms,
                                  int64_t now_ms);

#endif
