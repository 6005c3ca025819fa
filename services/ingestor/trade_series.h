/*
 * The series of one instrument's live trades: what each of them means after those before it
 * (trade_gap) goes to Kafka by stream_publisher, as the trade or as the command for what is
 * missing, and what live trades cannot tell is a question for REST.
 *
 * An instrument without a position is followed from the first request for its subscription on, or
 * since it was announced. Its first live trade begins the series, unless a subscription before that
 * one ended without any; then, or as long as no live trade came, REST tells the newest trade that
 * is older than that, and the series begins behind it. Live trades that come before REST has told
 * are left to the repair of what is missing (decision 12).
 *
 * A quiet instrument's outage is not found by a live trade for a long time; so a few seconds after
 * every subscription that brought no live trade, REST is asked once for the newest one.
 *
 * On the stream's thread.
 */
#ifndef INGESTOR_TRADE_SERIES_H
#define INGESTOR_TRADE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "domain/trade_position.h"
#include "early_trades.h"
#include "fetch_job.h"
#include "ingestor_metrics.h"
#include "published_tail.h"
#include "stream_publisher.h"
#include "trade_gap.h"
#include "ws_subscriptions.h"

/* What all series share. */
struct trade_series_context {
    struct stream_publisher *publisher; /* borrowed */
    struct ingestor_metrics *metrics;   /* borrowed */
    struct log_limiter late_lines;
};

struct trade_series {
    struct publish_target *target; /* borrowed; set by whoever adds it */
    struct trade_gap gap;
    struct early_trades early;
    int64_t ask_at_ms;         /* monotonic: when REST is to be asked; INT64_MAX: no need */
    bool awaits_answer;        /* asked, and no live trade came since */
    int64_t followed_since_ms; /* monotonic, to begin the series; INT64_MAX: not yet */
};

/* The instrument is followed from this position on; NULL: it never had one. published: the trades
 * behind it that Kafka has already, in order. */
void trade_series_follow(struct trade_series_context *context, struct trade_series *series,
                         const struct trade_position *position,
                         const struct published_trade *published, size_t published_count);
/* It is somebody else's now. */
void trade_series_leave(struct trade_series_context *context, struct trade_series *series);
/* OKX sends its trades from now on, on another connection than before. */
void trade_series_subscribed(struct trade_series_context *context, struct trade_series *series,
                             const struct subscription *subscription);
/* Takes what the trade owns. from_heir: it came over a connection that has yet to take over from
 * another, which may still bring those before it. */
void trade_series_take(struct trade_series_context *context, struct trade_series *series,
                       struct trade *trade, bool from_heir);
/* Nothing more comes from the connection that was taken over from. */
void trade_series_taken_over(struct trade_series_context *context, struct trade_series *series);
/* True when REST is to be asked now, with since_ms for fetch_queue_ask_last_trade. */
bool trade_series_asks(struct trade_series *series, int64_t now_ms, int64_t *since_ms);
/* The answer, maybe to a question that nobody waits for any more. */
void trade_series_note_last(struct trade_series_context *context, struct trade_series *series,
                            const struct last_trade *last);

#endif
