/*
 * What all WebSocket connections share: the tape, the limits, the faults, the counters, and the
 * list of the connections themselves. Knows no socket. One thread's.
 */
#ifndef OKX_SIM_WS_HUB_H
#define OKX_SIM_WS_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "faults.h"
#include "hostile_frame.h"
#include "instant.h"
#include "rate_limiter.h"
#include "replay.h"
#include "tape.h"

struct ws_session;

struct ws_settings {
    int64_t idle_timeout_ms; /* without a subscription or anything pushed: closed with 4004 */
    int64_t send_lag_max_ms; /* a reader further behind is closed with 4005 */
    int64_t channels_max;    /* per connection; more are closed with 4009 */
    bool has_rate_limits;    /* connections per second, requests per hour */
};

struct ws_hub {
    struct ws_settings settings;
    struct tape *tape;                /* borrowed */
    struct faults *faults;            /* borrowed */
    const struct replay *replay;      /* borrowed; NULL: frames come from the tape */
    struct rate_limiter *connections; /* per address */
    struct ws_session *sessions;
    /* What fell due before this wall time was held back by us, not by slow readers. */
    int64_t backlog_since_ms;
    int64_t connections_now, connections_total, subscriptions, subscriptions_total;
    int64_t frames_sent, trades_sent, pings;
};

void ws_hub_init(struct ws_hub *hub, const struct ws_settings *settings, struct tape *tape,
                 struct faults *faults, const struct replay *replay);
/* Every session must be gone. */
void ws_hub_clear(struct ws_hub *hub);
/* Whether an address may connect once more: three times in a second, says OKX. */
bool ws_hub_admit(struct ws_hub *hub, const char *peer, struct instant now);
/* Appends a data frame, garbled if that fault is on. */
void ws_hub_append_data(struct ws_hub *hub, struct buf *out, struct buf *payload);

/* Each for all connections. */
void ws_hub_be_hostile(struct ws_hub *hub, enum hostile_form form, int64_t bytes);
void ws_hub_drop(struct ws_hub *hub);
void ws_hub_close(struct ws_hub *hub, int code);
/* Notice 64008 now, the end after delay_ms. */
void ws_hub_announce_end(struct ws_hub *hub, int64_t delay_ms, struct instant now);
/* Of the connections that are open now. */
void ws_hub_delay(struct ws_hub *hub, int64_t delay_ms);
void ws_hub_stall(struct ws_hub *hub, int64_t duration_ms, struct instant now);

#endif
