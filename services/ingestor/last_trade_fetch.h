/*
 * Which trade of an instrument is the newest, or where its series of live trades begins: behind the
 * newest trade that was executed before it was followed, so that whatever was executed since then
 * is either received or missing. Told apart by OKX's own clock. Asks page by page, newest first.
 */
#ifndef INGESTOR_LAST_TRADE_FETCH_H
#define INGESTOR_LAST_TRADE_FETCH_H

#include "fetch_job.h"

/*
 * One request; job->since_ms says what is asked. Once it is FETCH_STEP_FINISHED, job->last holds
 * the answer. With FETCH_STATUS_FAILED there is none.
 */
enum fetch_step last_trade_fetch_step(const struct fetch_context *context, struct fetch_job *job);

#endif
