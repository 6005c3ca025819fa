/*
 * When to send OKX's text ping, and when a connection is dead. Pure: times are arguments.
 *
 * A ping goes out every WS_PING_INTERVAL_MS, whether or not trades flow, so that the time of the
 * last pong always means something; anything received after a ping proves the link as well as its
 * pong does. OKX closes after 30 s in which it had nothing to send (okx-v5.md, 2.2).
 */
#ifndef INGESTOR_WS_KEEPALIVE_H
#define INGESTOR_WS_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

enum { WS_PING_INTERVAL_MS = 15000, WS_PONG_TIMEOUT_MS = 10000 };

struct ws_keepalive {
    int64_t next_ping_ms;
    int64_t deadline_ms; /* something must arrive until then; INT64_MAX: nothing is awaited */
};

enum ws_keepalive_action { WS_KEEPALIVE_NOTHING, WS_KEEPALIVE_PING, WS_KEEPALIVE_DEAD };

void ws_keepalive_start(struct ws_keepalive *keepalive, int64_t now_ms);
void ws_keepalive_received(struct ws_keepalive *keepalive);
/* reads: whether the socket is being read; while it is not, its silence proves nothing. */
enum ws_keepalive_action ws_keepalive_tick(struct ws_keepalive *keepalive, bool reads,
                                           int64_t now_ms);

#endif
