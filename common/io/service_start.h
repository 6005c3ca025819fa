/*
 * The part of starting that all services share: repeat an attempt until what it needs is there.
 */
#ifndef IO_SERVICE_START_H
#define IO_SERVICE_START_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/status_server.h"

/*
 * Calls attempt until it returns 0, waiting between failures (backoff with jitter, at most 5 s)
 * while err->retriable. Meanwhile the readiness condition is false with the error as its reason,
 * the status server is beaten, and the log says so at most every 5 s; afterwards the condition
 * holds. status may be NULL. Errors: the attempt's own once it is final (the condition stays
 * false), or ERR_STOPPED when shutdown was requested.
 */
int service_start_await(const char *condition, int (*attempt)(void *context, struct err *err),
                        void *context, struct status_server *status, struct err *err) MUST_CHECK;

/*
 * Called when a service has ended and closed everything. True when it ended because its producer
 * was lost (kafka_producer_is_lost) and no signal asks it to stop: after a moment, it is to begin
 * anew. librdkafka gives an idempotent producer up for good when a broker's answers leave the order
 * of its records in doubt. Nothing moves past what was not acknowledged, so that it goes on as
 * after any other start.
 */
bool service_begins_anew(bool is_producer_lost) MUST_CHECK;

#endif
