/*
 * The subscriptions of one WebSocket connection: what is asked for, acknowledged and refused. Pure:
 * times are arguments, requests are written into a buffer. Not thread-safe.
 *
 * Instruments are asked for in batches. OKX acknowledges each argument, but an error seldom says
 * which argument it means; so those that are not acknowledged in time are asked for once more, each
 * alone, to learn their own error. A refused instrument harms no other and is tried again hourly.
 * Source: OKX API v5, Overview, "Subscribe"; okx-v5.md, 2.3.
 */
#ifndef INGESTOR_WS_SUBSCRIPTIONS_H
#define INGESTOR_WS_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/trade.h"
#include "token_bucket.h"

enum {
    WS_ACKNOWLEDGE_TIMEOUT_MS = 5000,
    WS_ERROR_GRACE_MS = 500, /* for acknowledgements behind a batch's error */
    WS_REFUSED_RETRY_MS = 3600 * 1000,
    WS_UNANSWERED_RETRY_MS = 60 * 1000,
    WS_SLOW_DOWN_MS = 5000, /* after 60014 */
    WS_REQUESTS_PER_HOUR = 480,
    WS_REQUEST_ID_BYTES = 24,
};

enum subscription_state {
    SUBSCRIPTION_WANTED,     /* to be asked for with others */
    SUBSCRIPTION_REQUESTED,  /* asked for with others */
    SUBSCRIPTION_SUSPECT,    /* to be asked for alone */
    SUBSCRIPTION_ALONE,      /* asked for alone */
    SUBSCRIPTION_ACTIVE,     /* acknowledged */
    SUBSCRIPTION_UNANSWERED, /* asked for alone in vain; again at due_ms */
    SUBSCRIPTION_REFUSED,    /* by an error; asked for again at due_ms */
    SUBSCRIPTION_LEAVING,    /* to be unsubscribed, then forgotten */
};

struct subscription {
    char inst_id[INST_ID_BYTES];
    enum subscription_state state;
    int64_t due_ms;   /* when it moves on: end of the wait for an answer, or for another try */
    uint64_t request; /* number of the request that asked for it */
    int64_t first_asked_at_ms; /* on this connection or one before it */
    unsigned asked;            /* how often */
};

struct ws_subscriptions {
    const char *channel;        /* borrowed */
    struct subscription *items; /* owned */
    size_t count;
    size_t capacity;
    uint64_t request_count;
    int64_t held_until_ms;
    struct token_bucket requests;
};

void ws_subscriptions_init(struct ws_subscriptions *subscriptions, const char *channel);
void ws_subscriptions_clear(struct ws_subscriptions *subscriptions);
void ws_subscriptions_add(struct ws_subscriptions *subscriptions, const char *inst_id);
void ws_subscriptions_remove(struct ws_subscriptions *subscriptions, const char *inst_id);
/* A new connection was opened: everything is to be asked for, but what was refused before. */
void ws_subscriptions_reopen(struct ws_subscriptions *subscriptions);

/* Writes the next request that is due into out (empty, of OKX_SUBSCRIBE_BYTES_MAX); false when
 * there is none now. */
bool ws_subscriptions_next_request(struct ws_subscriptions *subscriptions, int64_t now_ms,
                                   struct buf *out);
/* OKX acknowledged the instrument, or sent its data. Its subscription, borrowed until the next
 * call, when it was not active before; else NULL. */
const struct subscription *ws_subscriptions_acknowledge(struct ws_subscriptions *subscriptions,
                                                        const char *inst_id);
/* OKX answered with an error. Returns the instrument that is refused by it, or NULL when that is
 * not known yet; borrowed until the next call. request_id: "" when absent. */
const char *ws_subscriptions_error(struct ws_subscriptions *subscriptions, const char *request_id,
                                   const char *code, int64_t now_ms);
/* Moves on what was not acknowledged in time. Returns an instrument for which even asking alone got
 * no answer, or NULL; call until NULL. */
const char *ws_subscriptions_expire(struct ws_subscriptions *subscriptions, int64_t now_ms);

/* Nothing waits to be asked for or for its first answer, or got none; what is asked for again alone
 * counts as settled, so that a refused instrument does not make the others look unready. */
bool ws_subscriptions_is_settled(const struct ws_subscriptions *subscriptions);
/* What is active in subscriptions is active in the successor, too, as far as it is for that and OKX
 * does not refuse it. */
bool ws_subscriptions_cover(const struct ws_subscriptions *successor,
                            const struct ws_subscriptions *subscriptions);
/* Some answer, or data instead of it, would change something: not all are active or leaving. */
bool ws_subscriptions_awaits_answers(const struct ws_subscriptions *subscriptions);
size_t ws_subscriptions_count(const struct ws_subscriptions *subscriptions,
                              enum subscription_state state);

#endif
