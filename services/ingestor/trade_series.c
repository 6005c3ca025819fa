#include "trade_series.h"

#include "base/clock.h"

enum {
    ASK_MS = 3000,         /* quiet for so long after subscribing */
    HOSTS_CLOCKS_MS = 250, /* what other hosts' clocks may be ahead of ours */
};

/* --- following ----------------------------------------------------------------------------------
 */

/* What the previous owner published behind its position continues the series; holes between are
 * asked for (again), since nothing says that they were. */
static void replay_published(struct trade_series_context *context, struct trade_series *series,
                             const struct published_trade *published, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct trade trade = {
            .trade_id = published[i].trade_id,
            .event_time_ms = published[i].event_time_ms,
            .count = published[i].count,
        };
        const struct publish_mark mark = {
            .trade_id = {true, trade.trade_id},
            .event_time_ms = {true, trade.event_time_ms},
            .offset = {true, published[i].offset},
        };
        struct trade_gap_step step = trade_gap_next(&series->gap, &trade);

        if (step.verdict == TRADE_GAP_MISSING)
            stream_publisher_send_repair(context->publisher, series->target, step.from_id,
                                         step.to_id, NULL);
        if (step.verdict != TRADE_GAP_DUPLICATE && step.verdict != TRADE_GAP_LATE)
            stream_publisher_skip_to(context->publisher, series->target, &mark);
    }
}

/* An instrument that was announced, and whose series nobody has begun, is followed since then. */
static int64_t announced_at_ms(const struct trade_position *position)
{
    if (!position || position->trade_id.present)
        return INT64_MAX;
    int64_t age_ms = clock_wall_ms() - position->updated_at_ms;

    return clock_monotonic_ms() - (age_ms > 0 ? age_ms : 0) - HOSTS_CLOCKS_MS;
}

void trade_series_follow(struct trade_series_context *context, struct trade_series *series,
                         const struct trade_position *position,
                         const struct published_trade *published, size_t published_count)
{
    series->ask_at_ms = INT64_MAX;
    series->awaits_answer = false;
    series->followed_since_ms = announced_at_ms(position);
    trade_gap_init(&series->gap);
    if (position && position->trade_id.present)
        trade_gap_start(&series->gap, position->trade_id.value, position->event_time_ms);
    stream_publisher_start(context->publisher, series->target, position);
    replay_published(context, series, published, published_count);
}

void trade_series_leave(struct trade_series_context *context, struct trade_series *series)
{
    early_trades_clear(&series->early);
    stream_publisher_stop(context->publisher, series->target);
}

void trade_series_subscribed(struct trade_series_context *context, struct trade_series *series,
                             const struct subscription *subscription)
{
    stream_publisher_announce(context->publisher, series->target);
    if (series->gap.has_last) {
        series->ask_at_ms = clock_monotonic_ms() + ASK_MS;
        return;
    }
    /* It was followed before, and what the stream would have brought since then did not come. */
    if (series->followed_since_ms != INT64_MAX || subscription->asked > 1)
        trade_gap_break(&series->gap);
    if (subscription->first_asked_at_ms < series->followed_since_ms)
        series->followed_since_ms = subscription->first_asked_at_ms;
    series->ask_at_ms = 0;
}

/* --- live trades --------------------------------------------------------------------------------
 */

static void warn_late(struct trade_series_context *context, const struct trade *trade,
                      const char *what)
{
    int64_t suppressed = 0;

    metric_increment(context->metrics->late_trades);
    if (log_limiter_allow(&context->late_lines, clock_monotonic_ms(), &suppressed))
        log_warn(what, LOG_STR("inst_id", trade->inst_id), LOG_INT("trade_id", trade->trade_id),
                 LOG_INT("suppressed", suppressed));
}

/* The trade comes again by the repair that follows the beginning of its series. */
static void leave_to_repair(struct trade_series *series)
{
    if (!series->awaits_answer && series->ask_at_ms == INT64_MAX)
        series->ask_at_ms = clock_monotonic_ms() + ASK_MS;
}

/* Publishes what the trade shows to be missing before it. One case per verdict. */
static void publish_step(struct trade_series_context *context, struct trade_series *series,
                         const struct trade *trade, const struct trade_gap_step *step)
{
    struct stream_publisher *publisher = context->publisher;
    const struct publish_mark mark = {
        .trade_id = {true, trade->trade_id},
        .event_time_ms = {true, trade->event_time_ms},
    };
    const struct publish_mark before = {.trade_id = {true, trade_first_id(trade) - 1}};

    switch (step->verdict) {
    case TRADE_GAP_OVERLAP:
        stream_publisher_send_repair(publisher, series->target, step->from_id, step->to_id, &mark);
        break;
    case TRADE_GAP_MISSING:
        stream_publisher_send_repair(publisher, series->target, step->from_id, step->to_id, NULL);
        break;
    case TRADE_GAP_LATE:
        warn_late(context, trade, "trade is out of order, published all the same");
        break;
    case TRADE_GAP_RESET:
        warn_late(context, trade, "trade ids began anew");
        break;
    case TRADE_GAP_FIRST:
        stream_publisher_begin(publisher, series->target, &before);
        break;
    case TRADE_GAP_DUPLICATE:
        metric_increment(context->metrics->duplicate_trades);
        break;
    case TRADE_GAP_UNBEGUN:
        leave_to_repair(series);
        break;
    case TRADE_GAP_NEXT:
        break;
    }
}

/* Takes the trade. */
static void take(struct trade_series_context *context, struct trade_series *series,
                 struct trade *trade)
{
    struct trade_gap_step step = trade_gap_next(&series->gap, trade);
    bool tells = step.verdict != TRADE_GAP_DUPLICATE && step.verdict != TRADE_GAP_UNBEGUN;

    metric_increment(context->metrics->trades_received);
    if (tells) {
        series->ask_at_ms = INT64_MAX;
        series->awaits_answer = false;
    }
    publish_step(context, series, trade, &step);
    if (tells && step.verdict != TRADE_GAP_OVERLAP)
        stream_publisher_send_trade(context->publisher, series->target, trade,
                                    step.verdict != TRADE_GAP_LATE);
    else
        trade_clear(trade);
}

static void take_first_early(struct trade_series_context *context, struct trade_series *series)
{
    struct trade trade = early_trades_take(&series->early);

    take(context, series, &trade);
}

/* Those that nothing is missing before any more. */
static void take_early(struct trade_series_context *context, struct trade_series *series)
{
    const struct trade *first;

    while ((first = early_trades_first(&series->early)) && !trade_gap_is_ahead(&series->gap, first))
        take_first_early(context, series);
}

void trade_series_taken_over(struct trade_series_context *context, struct trade_series *series)
{
    while (early_trades_first(&series->early))
        take_first_early(context, series);
}

void trade_series_take(struct trade_series_context *context, struct trade_series *series,
                       struct trade *trade, bool from_heir)
{
    if (from_heir && trade_gap_is_ahead(&series->gap, trade)) {
        if (early_trades_hold(&series->early, trade))
            return;
        trade_series_taken_over(context, series);
    }
    take(context, series, trade);
    take_early(context, series);
}

/* --- questions for REST -------------------------------------------------------------------------
 */

bool trade_series_asks(struct trade_series *series, int64_t now_ms, int64_t *since_ms)
{
    if (now_ms < series->ask_at_ms)
        return false;
    series->ask_at_ms = INT64_MAX;
    series->awaits_answer = true;
    *since_ms = series->gap.has_last ? INT64_MAX : series->followed_since_ms;
    return true;
}

static void begin(struct trade_series_context *context, struct trade_series *series,
                  const struct last_trade *last)
{
    const struct publish_mark mark = {.trade_id = last->trade_id,
                                      .event_time_ms = last->event_time_ms};

    if (last->is_refused)
        trade_gap_init(&series->gap); /* with the next live trade then */
    if (!last->trade_id.present)
        return;
    /* No more live trades may come for long after those that were left to a repair. */
    if (series->gap.is_broken)
        series->ask_at_ms = clock_monotonic_ms() + ASK_MS;
    trade_gap_tell(&series->gap, last->trade_id.value, last->event_time_ms);
    stream_publisher_begin(context->publisher, series->target, &mark);
}

void trade_series_note_last(struct trade_series_context *context, struct trade_series *series,
                            const struct last_trade *last)
{
    const struct publish_mark mark = {.trade_id = last->trade_id,
                                      .event_time_ms = last->event_time_ms};

    if (!series->awaits_answer || last->is_beginning == series->gap.has_last)
        return;
    series->awaits_answer = false;
    if (last->is_beginning) {
        begin(context, series, last);
        return;
    }
    if (!last->trade_id.present)
        return;
    struct trade_gap_step step =
        trade_gap_advance(&series->gap, last->trade_id.value, last->event_time_ms.value);
    if (step.verdict == TRADE_GAP_MISSING)
        stream_publisher_send_repair(context->publisher, series->target, step.from_id, step.to_id,
                                     &mark);
}
