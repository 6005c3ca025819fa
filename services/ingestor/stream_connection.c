#include "stream_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "okx_request.h"
#include "trade_frame.h"
#include "ws_keepalive.h"

enum {
    RECONNECT_BASE_MS = 500,
    RECONNECT_CAP_MS = 10000,
    STABLE_MS = 10000, /* open for so long: the next failure is a new one */
    TROUBLE_BYTES = 256,
};

struct stream_connection {
    struct stream_connection_options options;
    struct okx_ws_link *link; /* NULL while there is none */
    bool is_open;
    bool is_retired;
    bool is_heir; /* its predecessor sends the same and is not done */
    bool reads;
    bool awaits_answers;        /* of some subscription; data is an answer, too */
    const char *closing_reason; /* why we close the link ourselves; NULL: we don't */
    int64_t opened_at_ms;
    int64_t connect_at_ms;
    struct backoff backoff;
    struct ws_keepalive keepalive;
    struct ws_subscriptions subscriptions;
    char trouble[TROUBLE_BYTES];
};

struct stream_connection *stream_connection_create(const struct stream_connection_options *options)
{
    struct stream_connection *connection = mem_calloc(1, sizeof *connection);

    connection->options = *options;
    connection->reads = true;
    backoff_init(&connection->backoff, 0, RECONNECT_BASE_MS, RECONNECT_CAP_MS, 0);
    ws_subscriptions_init(&connection->subscriptions, options->channel);
    snprintf(connection->trouble, sizeof connection->trouble, "connecting");
    return connection;
}

void stream_connection_destroy(struct stream_connection *connection)
{
    if (!connection)
        return;
    ws_subscriptions_clear(&connection->subscriptions);
    free(connection);
}

void stream_connection_add(struct stream_connection *connection, const char *inst_id)
{
    ws_subscriptions_add(&connection->subscriptions, inst_id);
    connection->awaits_answers = true;
}

void stream_connection_remove(struct stream_connection *connection, const char *inst_id)
{
    ws_subscriptions_remove(&connection->subscriptions, inst_id);
}

struct stream_connection *stream_connection_create_heir(const struct stream_connection *connection)
{
    struct stream_connection *heir = stream_connection_create(&connection->options);

    heir->is_heir = true;
    for (size_t i = 0; i < connection->subscriptions.count; i++) {
        if (connection->subscriptions.items[i].state != SUBSCRIPTION_LEAVING)
            stream_connection_add(heir, connection->subscriptions.items[i].inst_id);
    }
    return heir;
}

bool stream_connection_is_heir(const struct stream_connection *connection)
{
    return connection->is_heir;
}

void stream_connection_take_over(struct stream_connection *heir)
{
    const struct stream_connection_events *events = &heir->options.events;

    heir->is_heir = false;
    for (size_t i = 0; i < heir->subscriptions.count; i++)
        events->on_taken_over(heir->subscriptions.items[i].inst_id, events->context);
}

static void close_link(struct stream_connection *connection, const char *reason)
{
    if (!connection->link || connection->closing_reason)
        return;
    connection->closing_reason = reason;
    okx_ws_link_close(connection->link);
}

void stream_connection_retire(struct stream_connection *connection, const char *reason)
{
    connection->is_retired = true;
    close_link(connection, reason);
}

bool stream_connection_is_retired(const struct stream_connection *connection)
{
    return connection->is_retired;
}

bool stream_connection_is_gone(const struct stream_connection *connection)
{
    return connection->is_retired && !connection->link;
}

size_t stream_connection_count(const struct stream_connection *connection)
{
    return connection->subscriptions.count -
           ws_subscriptions_count(&connection->subscriptions, SUBSCRIPTION_LEAVING);
}

bool stream_connection_is_open(const struct stream_connection *connection)
{
    return connection->is_open;
}

bool stream_connection_is_connecting(const struct stream_connection *connection)
{
    return connection->link && !connection->is_open;
}

bool stream_connection_is_settled(const struct stream_connection *connection)
{
    return connection->is_open && ws_subscriptions_is_settled(&connection->subscriptions);
}

bool stream_connection_covers(const struct stream_connection *successor,
                              const struct stream_connection *connection)
{
    return successor->is_open &&
           ws_subscriptions_cover(&successor->subscriptions, &connection->subscriptions);
}

size_t stream_connection_active(const struct stream_connection *connection)
{
    return connection->is_open
               ? ws_subscriptions_count(&connection->subscriptions, SUBSCRIPTION_ACTIVE)
               : 0;
}

size_t stream_connection_refused(const struct stream_connection *connection)
{
    return ws_subscriptions_count(&connection->subscriptions, SUBSCRIPTION_REFUSED);
}

const char *stream_connection_trouble(const struct stream_connection *connection)
{
    return connection->is_open ? "" : connection->trouble;
}

/* --- what is due --------------------------------------------------------------------------------
 */

static void log_refusal(const char *inst_id, const char *code, const char *text)
{
    log_warn("OKX refuses the instrument, others go on; asked again in an hour",
             LOG_STR("inst_id", inst_id), LOG_STR("code", code), LOG_STR("text", text));
}

static void send_requests(struct stream_connection *connection, int64_t now_ms)
{
    const char *unanswered;
    struct buf request;

    while ((unanswered = ws_subscriptions_expire(&connection->subscriptions, now_ms)))
        log_warn("OKX does not answer the subscription of an instrument, asked again in a minute",
                 LOG_STR("inst_id", unanswered));
    buf_init(&request, OKX_SUBSCRIBE_BYTES_MAX);
    while (ws_subscriptions_next_request(&connection->subscriptions, now_ms, &request)) {
        okx_ws_link_send(connection->link, request.data, request.length);
        buf_reset(&request);
    }
    buf_clear(&request);
}

static void tick_open(struct stream_connection *connection, bool reads, int64_t now_ms)
{
    if (connection->closing_reason)
        return;
    if (reads != connection->reads) {
        connection->reads = reads;
        okx_ws_link_set_reading(connection->link, reads);
    }
    send_requests(connection, now_ms);
    connection->awaits_answers = ws_subscriptions_awaits_answers(&connection->subscriptions);
    switch (ws_keepalive_tick(&connection->keepalive, reads, now_ms)) {
    case WS_KEEPALIVE_PING:
        okx_ws_link_send(connection->link, "ping", 4);
        break;
    case WS_KEEPALIVE_DEAD:
        close_link(connection, "no_pong");
        break;
    case WS_KEEPALIVE_NOTHING:
        break;
    }
}

bool stream_connection_tick(struct stream_connection *connection, bool reads, bool may_connect,
                            int64_t now_ms)
{
    if (connection->is_open) {
        tick_open(connection, reads, now_ms);
        return false;
    }
    /* While Kafka takes nothing, another connection would only bring what it cannot take. */
    if (connection->link || connection->is_retired || !reads || !may_connect ||
        now_ms < connection->connect_at_ms || stream_connection_count(connection) == 0)
        return false;
    connection->link = okx_ws_client_connect(connection->options.client,
                                             okx_ws_path(connection->options.channel), connection);
    return true;
}

/* --- what comes in ------------------------------------------------------------------------------
 */

void stream_connection_on_open(void *link_context)
{
    struct stream_connection *connection = link_context;
    int64_t now_ms = clock_monotonic_ms();

    connection->is_open = true;
    connection->reads = true;
    connection->opened_at_ms = now_ms;
    ws_keepalive_start(&connection->keepalive, now_ms);
    ws_subscriptions_reopen(&connection->subscriptions);
    connection->awaits_answers = true;
    metric_set(connection->options.metrics->last_pong_ms, clock_wall_ms()); /* as good as one */
    metric_increment(connection->options.metrics->websocket_connects);
    log_info("connected to OKX", LOG_INT("instruments", stream_connection_count(connection)));
}

static void on_error_frame(struct stream_connection *connection, const struct okx_frame *frame)
{
    const char *refused = ws_subscriptions_error(&connection->subscriptions, frame->request_id,
                                                 frame->code, clock_monotonic_ms());

    if (refused)
        log_refusal(refused, frame->code, frame->text);
    else
        log_warn("OKX answered with an error", LOG_STR("code", frame->code),
                 LOG_STR("text", frame->text));
}

static void acknowledge(struct stream_connection *connection, const char *inst_id)
{
    const struct stream_connection_events *events = &connection->options.events;

    const struct subscription *subscription =
        connection->awaits_answers
            ? ws_subscriptions_acknowledge(&connection->subscriptions, inst_id)
            : NULL;

    if (subscription)
        events->on_subscribed(subscription, events->context);
}

/* One case per kind of frame. */
static void on_frame(struct stream_connection *connection, const struct okx_frame *frame,
                     const char *text, size_t length)
{
    const struct stream_connection_events *events = &connection->options.events;

    switch (frame->kind) {
    case OKX_FRAME_PONG:
        metric_set(connection->options.metrics->last_pong_ms, clock_wall_ms());
        break;
    case OKX_FRAME_SUBSCRIBED:
        if (strcmp(frame->channel, connection->options.channel) == 0)
            acknowledge(connection, frame->inst_id);
        break;
    case OKX_FRAME_ERROR:
        on_error_frame(connection, frame);
        break;
    case OKX_FRAME_NOTICE:
        log_info("notice of OKX", LOG_STR("code", frame->code), LOG_STR("text", frame->text));
        if (strcmp(frame->code, "64008") == 0 && !connection->is_retired)
            connection->options.on_notice(connection, connection->options.notice_context);
        break;
    case OKX_FRAME_UNSUBSCRIBED:
    case OKX_FRAME_OTHER_EVENT:
        log_debug("event of OKX", LOG_STR("event", frame->event), LOG_STR("text", frame->text));
        break;
    case OKX_FRAME_DATA:
        if (strcmp(frame->channel, connection->options.channel) == 0)
            acknowledge(connection, frame->inst_id);
        events->on_data(frame, text, length, connection->is_heir, events->context);
        break;
    }
}

void stream_connection_on_message(const char *text, size_t length, void *link_context)
{
    struct stream_connection *connection = link_context;
    const struct stream_connection_events *events = &connection->options.events;
    struct okx_frame frame;
    struct trade trade;
    struct err err = {0};

    ws_keepalive_received(&connection->keepalive);
    if (trade_frame_read(text, length, connection->options.channel, &trade)) {
        acknowledge(connection, trade.inst_id);
        if (events->on_trade(&trade, connection->is_heir, events->context))
            return;
    }
    if (okx_frame_read(text, length, &frame, &err) != 0) {
        events->on_bad_frame(text, length, &err, events->context);
        return;
    }
    on_frame(connection, &frame, text, length);
    okx_frame_clear(&frame);
}

void stream_connection_on_oversize(const char *text, size_t length, void *link_context)
{
    struct stream_connection *connection = link_context;
    const struct stream_connection_events *events = &connection->options.events;
    struct err err = {0};

    ws_keepalive_received(&connection->keepalive);
    err_set(&err, ERR_LIMIT, "frame is larger than %d bytes", OKX_WS_MESSAGE_BYTES_MAX);
    events->on_bad_frame(text, length, &err, events->context);
}

static const char *close_label(const struct stream_connection *connection,
                               enum okx_ws_close_kind kind)
{
    if (connection->closing_reason)
        return connection->closing_reason;
    switch (kind) {
    case OKX_WS_CONNECT_FAILED:
        return "connect_failed";
    case OKX_WS_CLOSED_BY_PEER:
        return "closed_by_okx";
    case OKX_WS_LOST:
        return "lost";
    }
    return "lost";
}

void stream_connection_on_close(enum okx_ws_close_kind kind, const char *reason, void *link_context)
{
    struct stream_connection *connection = link_context;
    const char *label = close_label(connection, kind);
    int64_t now_ms = clock_monotonic_ms();

    if (connection->is_open && now_ms - connection->opened_at_ms > STABLE_MS)
        backoff_reset(&connection->backoff);
    int64_t delay_ms = backoff_next_ms(&connection->backoff);
    connection->connect_at_ms = now_ms + delay_ms;
    connection->link = NULL;
    connection->is_open = false;
    connection->closing_reason = NULL;
    snprintf(connection->trouble, sizeof connection->trouble, "not connected: %s: %.200s", label,
             reason);
    ingestor_metrics_count_disconnect(connection->options.metrics, label);
    if (connection->is_retired)
        log_info("connection to OKX closed", LOG_STR("why", label));
    else
        log_warn("connection to OKX ended, connecting again", LOG_STR("why", label),
                 LOG_STR("reason", reason), LOG_INT("attempt", connection->backoff.attempt),
                 LOG_INT("delay_ms", delay_ms));
}
