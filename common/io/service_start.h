/*
 * The part of starting that all services share: repeat an attempt until what it needs is there.
 */
#ifndef IO_SERVICE_START_H
#define IO_SERVICE_START_H

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

#endif
