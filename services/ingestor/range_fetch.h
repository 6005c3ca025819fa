/*
 * The fetch steps of commands that name a range: trades by id, candles by open time. Each goes
 * backward through what is still missing, page by page, since OKX's cursors only walk that way
 * ("after" is exclusive and means older); pages may be short, so the cursor follows the rows that
 * came and never the number asked for. Source: okx-v5.md, 4.2.
 */
#ifndef INGESTOR_RANGE_FETCH_H
#define INGESTOR_RANGE_FETCH_H

#include "fetch_job.h"

/* market/history-trades by id. What OKX lacks is asked for again a few times, for its REST side
 * lags behind its WebSocket; then the command ends as INCOMPLETE with the missing ids. */
enum fetch_step trade_fetch_step(const struct fetch_context *context, struct fetch_job *job);

/* market/candles or market/history-candles. Only confirmed bars count; bars that ended just now are
 * asked for about once a second until OKX confirms them. */
enum fetch_step candle_fetch_step(const struct fetch_context *context, struct fetch_job *job);

#endif
