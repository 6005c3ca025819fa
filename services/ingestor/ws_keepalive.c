#include "ws_keepalive.h"

void ws_keepalive_start(struct ws_keepalive *keepalive, int64_t now_ms)
{
    *keepalive = (struct ws_keepalive){
        .next_ping_ms = now_ms + WS_PING_INTERVAL_MS,
        .deadline_ms = INT64_MAX,
    };
}

void ws_keepalive_received(struct ws_keepalive *keepalive)
{
    keepalive->deadline_ms = INT64_MAX;
}

enum ws_keepalive_action ws_keepalive_tick(struct ws_keepalive *keepalive, bool reads,
                                           int64_t now_ms)
{
    if (!reads && keepalive->deadline_ms != INT64_MAX)
        keepalive->deadline_ms = now_ms + WS_PONG_TIMEOUT_MS;
    if (now_ms >= keepalive->deadline_ms)
        return WS_KEEPALIVE_DEAD;
    if (now_ms < keepalive->next_ping_ms)
        return WS_KEEPALIVE_NOTHING;
    keepalive->next_ping_ms = now_ms + WS_PING_INTERVAL_MS;
    if (keepalive->deadline_ms == INT64_MAX)
        keepalive->deadline_ms = now_ms + WS_PONG_TIMEOUT_MS;
    return WS_KEEPALIVE_PING;
}
