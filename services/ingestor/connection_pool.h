/*
 * The WebSocket connections over which the instruments are spread: as many as OKX's limits ask for,
 * opened no faster than OKX allows, replaced without a break when they reach their age or OKX
 * announces that it will close one. On the stream's thread.
 */
#ifndef INGESTOR_CONNECTION_POOL_H
#define INGESTOR_CONNECTION_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "stream_connection.h"

struct connection_pool;

struct connection_pool_limits {
    size_t channels_per_connection;
    int64_t age_ms; /* a connection is replaced before it is older; 0: never for its age */
};

/* connection: for each of them; its on_notice is the pool's own. */
struct connection_pool *
connection_pool_create(const struct stream_connection_options *connection,
                       const struct connection_pool_limits *limits) MUST_CHECK;
/* After the client was destroyed. Accepts NULL. */
void connection_pool_destroy(struct connection_pool *pool);

void connection_pool_add(struct connection_pool *pool, const char *inst_id);
void connection_pool_remove(struct connection_pool *pool, const char *inst_id);
/* What is due now. reads: whether sockets are read. */
void connection_pool_tick(struct connection_pool *pool, bool reads, int64_t now_ms);
/* Closes all of them for good. */
void connection_pool_retire(struct connection_pool *pool, const char *reason);

struct connection_summary {
    size_t open, active, refused; /* connections; instruments */
    char trouble[256];            /* "" when every instrument is answered for */
};
void connection_pool_summarize(const struct connection_pool *pool,
                               struct connection_summary *summary);

#endif
