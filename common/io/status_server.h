/*
 * The HTTP port of a service: /metrics, /livez (alias /healthz) and /readyz, on a thread of its
 * own.
 *
 * /livez answers 200 while the service's loop beats (status_server_beat at least every 30 s) and
 * never looks at dependencies. /readyz answers 200 or 503 with JSON:
 * {"ready":false,"conditions":[{"name":"kafka","ready":false,"reason":"not connected"}]}
 * /metrics shows each condition as currency_trends_ready{condition="kafka"}.
 */
#ifndef IO_STATUS_SERVER_H
#define IO_STATUS_SERVER_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"

struct status_server;

/* address: "host:port", "0.0.0.0:9100"; port 0 takes a free one. Borrows metrics. Errors:
 * ERR_CONFIG for a malformed address, ERR_SYSTEM when it cannot listen. */
struct status_server *status_server_start(const char *address, struct metrics *metrics,
                                          struct err *err) MUST_CHECK;
/* Stops the thread. Accepts NULL. */
void status_server_stop(struct status_server *server);
int status_server_port(const struct status_server *server);

/* A named condition of readiness; all must hold. reason is copied, may be NULL when ready.
 * Thread-safe. */
void status_server_set_condition(struct status_server *server, const char *name, bool ready,
                                 const char *reason);
/* The service's main loop is alive. Thread-safe. */
void status_server_beat(struct status_server *server);

#endif
