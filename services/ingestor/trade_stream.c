#include "trade_stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch_worker.h"
#include "frame_letters.h"
#include "okx_ws_client.h"
#include "stream_instruments.h"
#include "stream_publisher.h"
#include "trade_series.h"

enum {
    MESSAGES_MAX = 4096,
    SLOW_TICK_MS = 1000, /* positions, readiness, questions for the newest trade */
    STOP_DRAIN_MS = 1500,
    ROW_LETTERS_MAX = 16, /* of one frame */
    LOG_INTERVAL_MS = 5000,
};

/* From other threads to the stream's. */
enum stream_message_kind { STREAM_FOLLOW, STREAM_LEAVE, STREAM_LAST_TRADE };
struct stream_message {
    enum stream_message_kind kind;
    struct last_trade last;         /* STREAM_LAST_TRADE */
    struct trade_position position; /* inst_id of the others */
    bool has_position;
    struct published_trade *published; /* owned; STREAM_FOLLOW */
    size_t published_count;
};

struct trade_stream {
    struct trade_stream_options options;
    pthread_t thread;
    bool is_started;
    atomic_bool should_stop;
    struct bounded_queue *messages;

    /* The stream's thread only. */
    struct okx_ws_client *client;
    struct stream_publisher *publisher;
    struct frame_letters *letters;
    struct stream_instruments instruments;
    struct connection_pool *connections;
    bool is_ready; /* as last shown; false also when it is time to look again */
    int64_t next_slow_tick_ms;
    int64_t stop_at_ms; /* 0: not stopping */
    struct trade_series_context series;
    struct log_limiter bad_frame_lines;
};

/* --- trades -------------------------------------------------------------------------------------
 */

static void send_dead_letter(struct trade_stream *stream, const char *channel, const char *inst_id,
                             const char *text, size_t length, const struct err *reason)
{
    int64_t suppressed = 0;

    ingestor_metrics_count_bad(stream->options.metrics, reason->code);
    if (log_limiter_allow(&stream->bad_frame_lines, clock_monotonic_ms(), &suppressed))
        log_warn("frame of OKX cannot be used", LOG_STR("channel", channel),
                 LOG_STR("inst_id", inst_id), LOG_STR("reason", reason->message),
                 LOG_INT("suppressed", suppressed));
    frame_letters_send(stream->letters, channel, inst_id, text, length, reason);
}

static void on_taken_over(const char *inst_id, void *context)
{
    struct trade_stream *stream = context;
    struct stream_instrument *instrument = stream_instruments_find(&stream->instruments, inst_id);

    if (instrument && instrument->is_followed)
        trade_series_taken_over(&stream->series, &instrument->series);
}

/* Takes the trade. False, with the trade left alone: nobody asked for its instrument. */
static bool take_trade(struct trade_stream *stream, struct trade *trade, bool from_heir,
                       int64_t received_at_us)
{
    struct stream_instrument *instrument =
        stream_instruments_find(&stream->instruments, trade->inst_id);

    if (!instrument)
        return false;
    if (!instrument->is_followed) { /* left just now: its new owner has it */
        trade_clear(trade);
        return true;
    }
    trade->origin = ORIGIN_STREAM;
    trade->received_at_us = received_at_us;
    trade_series_take(&stream->series, &instrument->series, trade, from_heir);
    return true;
}

static bool on_trade(struct trade *trade, bool from_heir, void *context)
{
    return take_trade(context, trade, from_heir, clock_wall_us());
}

/* Returns 0 when the row's trade is taken, or -1 when the row cannot be used. */
static int take_row(struct trade_stream *stream, const struct okx_frame *frame, size_t index,
                    bool from_heir, int64_t received_at_us, struct err *err)
{
    struct trade trade;

    if (okx_rows_read_trade(frame->rows, index, &trade, err) != 0)
        return -1;
    if (take_trade(stream, &trade, from_heir, received_at_us))
        return 0;
    err_set(err, ERR_UNSUPPORTED, "instrument %s was not asked for", trade.inst_id);
    trade_clear(&trade);
    return -1;
}

/* Each row that cannot be used is a letter; of very many, the frame is one for all the rest. */
static void on_rows(struct trade_stream *stream, const struct okx_frame *frame, const char *text,
                    size_t length, bool from_heir)
{
    int64_t received_at_us = clock_wall_us();
    size_t rejected = 0;

    for (size_t i = 0; i < okx_rows_count(frame->rows); i++) {
        struct err err = {0};

        if (take_row(stream, frame, i, from_heir, received_at_us, &err) == 0)
            continue;
        rejected++;
        if (rejected < ROW_LETTERS_MAX) {
            char *row = okx_rows_text(frame->rows, i);

            send_dead_letter(stream, frame->channel, frame->inst_id, row, strlen(row), &err);
            free(row);
        } else if (rejected == ROW_LETTERS_MAX) {
            err_wrap(&err, "row %zu and perhaps more", i);
            send_dead_letter(stream, frame->channel, frame->inst_id, text, length, &err);
        } else {
            ingestor_metrics_count_bad(stream->options.metrics, err.code);
        }
    }
}

static void on_data(const struct okx_frame *frame, const char *text, size_t length, bool from_heir,
                    void *context)
{
    struct trade_stream *stream = context;
    struct err err = {0};

    if (okx_channel_has_trades(frame->channel)) {
        on_rows(stream, frame, text, length, from_heir);
        return;
    }
    err_set(&err, ERR_UNSUPPORTED, "channel %s was not asked for", frame->channel);
    send_dead_letter(stream, frame->channel, frame->inst_id, text, length, &err);
}

static void on_bad_frame(const char *text, size_t length, const struct err *reason, void *context)
{
    struct trade_stream *stream = context;

    send_dead_letter(stream, stream->options.channel, "", text, length, reason);
}

static void on_subscribed(const struct subscription *subscription, void *context)
{
    struct trade_stream *stream = context;
    struct stream_instrument *instrument =
        stream_instruments_find(&stream->instruments, subscription->inst_id);

    if (!instrument || !instrument->is_followed)
        return;
    trade_series_subscribed(&stream->series, &instrument->series, subscription);
    okx_ws_client_wake(stream->client); /* it may have been the last one to wait for */
}

/* --- messages -----------------------------------------------------------------------------------
 */

static void follow(struct trade_stream *stream, const struct stream_message *message)
{
    const struct trade_position *position = message->has_position ? &message->position : NULL;
    const char *inst_id = message->position.inst_id;
    struct stream_instrument *instrument = stream_instruments_find(&stream->instruments, inst_id);

    if (!instrument) {
        instrument = stream_instruments_add(&stream->instruments, inst_id);
        instrument->series.target = stream_publisher_add_target(stream->publisher, inst_id);
    }
    if (instrument->is_followed)
        return;
    instrument->is_followed = true;
    stream->is_ready = false;
    trade_series_follow(&stream->series, &instrument->series, position, message->published,
                        message->published_count);
    connection_pool_add(stream->connections, instrument->inst_id);
}

static void leave(struct trade_stream *stream, const char *inst_id)
{
    struct stream_instrument *instrument = stream_instruments_find(&stream->instruments, inst_id);

    if (!instrument || !instrument->is_followed)
        return;
    instrument->is_followed = false;
    connection_pool_remove(stream->connections, inst_id);
    trade_series_leave(&stream->series, &instrument->series);
}

static void note_last_trade(struct trade_stream *stream, const struct last_trade *last)
{
    struct stream_instrument *instrument =
        stream_instruments_find(&stream->instruments, last->inst_id);

    if (instrument && instrument->is_followed)
        trade_series_note_last(&stream->series, &instrument->series, last);
}

static void free_message(struct stream_message *message)
{
    free(message->published);
    free(message);
}

static void take_messages(struct trade_stream *stream)
{
    struct stream_message *message;

    while ((message = bounded_queue_pop(stream->messages, 0))) {
        switch (message->kind) {
        case STREAM_FOLLOW:
            follow(stream, message);
            break;
        case STREAM_LEAVE:
            leave(stream, message->position.inst_id);
            break;
        case STREAM_LAST_TRADE:
            note_last_trade(stream, &message->last);
            break;
        }
        free_message(message);
    }
}

static void post(struct trade_stream *stream, const struct stream_message *message)
{
    struct stream_message *copy = mem_alloc(sizeof *copy);

    *copy = *message;
    if (bounded_queue_push(stream->messages, copy, -1))
        okx_ws_client_wake(stream->client);
    else /* closed: the stream is stopping */
        free_message(copy);
}

void trade_stream_follow(struct trade_stream *stream, const char *inst_id,
                         const struct trade_position *position, struct published_trade *published,
                         size_t published_count)
{
    struct stream_message message = {
        .kind = STREAM_FOLLOW,
        .has_position = position != NULL,
        .published = published,
        .published_count = published_count,
    };

    if (position)
        message.position = *position;
    snprintf(message.position.inst_id, sizeof message.position.inst_id, "%s", inst_id);
    post(stream, &message);
    /* Now and not at the next turn: who has an instrument is not ready before it is subscribed. */
    status_server_set_condition(stream->options.status, "okx-websocket", false, "subscribing");
}

void trade_stream_leave(struct trade_stream *stream, const char *inst_id)
{
    struct stream_message message = {.kind = STREAM_LEAVE};

    snprintf(message.position.inst_id, sizeof message.position.inst_id, "%s", inst_id);
    post(stream, &message);
}

void trade_stream_note_last_trade(struct trade_stream *stream, const struct last_trade *last)
{
    const struct stream_message message = {.kind = STREAM_LAST_TRADE, .last = *last};

    post(stream, &message);
}

/* --- turns --------------------------------------------------------------------------------------
 */

static void ask_last_trades(struct trade_stream *stream, int64_t now_ms)
{
    for (size_t i = 0; i < stream->instruments.count; i++) {
        struct stream_instrument *instrument = stream->instruments.items[i];
        int64_t since_ms = 0;

        if (instrument->is_followed && trade_series_asks(&instrument->series, now_ms, &since_ms))
            fetch_queue_ask_last_trade(stream->options.queue, instrument->inst_id, since_ms);
    }
}

static void show_state(struct trade_stream *stream)
{
    struct ingestor_metrics *metrics = stream->options.metrics;
    struct connection_summary summary;

    connection_pool_summarize(stream->connections, &summary);
    if (stream_publisher_is_blocked(stream->publisher) || frame_letters_is_blocked(stream->letters))
        snprintf(summary.trouble, sizeof summary.trouble,
                 "not reading: Kafka has yet to take what was read");
    stream->is_ready = summary.trouble[0] == '\0';
    metric_set(metrics->websocket_connections, (int64_t)summary.open);
    metric_set(metrics->subscriptions, (int64_t)summary.active);
    metric_set(metrics->subscriptions_refused, (int64_t)summary.refused);
    status_server_set_condition(stream->options.status, "okx-websocket", stream->is_ready,
                                summary.trouble);
}

/* True when Kafka has taken all that was read. */
static bool drain(struct trade_stream *stream)
{
    bool has_letters = !frame_letters_drain(stream->letters);

    return stream_publisher_drain(stream->publisher) && !has_letters;
}

static void turn_to_stop(struct trade_stream *stream, int64_t now_ms)
{
    if (stream->stop_at_ms == 0) {
        stream->stop_at_ms = now_ms + STOP_DRAIN_MS;
        connection_pool_retire(stream->connections, "stopped");
    }
    if (drain(stream) || now_ms >= stream->stop_at_ms)
        okx_ws_client_stop(stream->client);
}

static void on_turn(void *context)
{
    struct trade_stream *stream = context;
    int64_t now_ms = clock_monotonic_ms();

    if (atomic_load(&stream->should_stop)) {
        turn_to_stop(stream, now_ms);
        return;
    }
    take_messages(stream);
    connection_pool_tick(stream->connections, drain(stream), now_ms);
    if (now_ms >= stream->next_slow_tick_ms) {
        stream->next_slow_tick_ms = now_ms + SLOW_TICK_MS;
        ask_last_trades(stream, now_ms);
        stream_publisher_publish_positions(stream->publisher);
        stream->is_ready = false;
    }
    if (!stream->is_ready)
        show_state(stream);
}

static void *run(void *argument)
{
    struct trade_stream *stream = argument;

    okx_ws_client_run(stream->client);
    return NULL;
}

/* --- life cycle ---------------------------------------------------------------------------------
 */

static struct connection_pool *create_connections(struct trade_stream *stream)
{
    const struct stream_connection_options options = {
        .client = stream->client,
        .channel = stream->options.channel,
        .metrics = stream->options.metrics,
        .events = {on_trade, on_data, on_bad_frame, on_subscribed, on_taken_over, stream},
    };

    return connection_pool_create(&options, &stream->options.limits);
}

struct trade_stream *trade_stream_start(const struct trade_stream_options *options, struct err *err)
{
    struct trade_stream *stream = mem_calloc(1, sizeof *stream);
    const struct okx_ws_options client_options = {
        .url = options->url,
        .ca_file = options->ca_file,
        .user_agent = options->user_agent,
    };
    const struct okx_ws_handler handler = {
        .on_open = stream_connection_on_open,
        .on_message = stream_connection_on_message,
        .on_oversize = stream_connection_on_oversize,
        .on_close = stream_connection_on_close,
        .on_turn = on_turn,
        .context = stream,
    };

    stream->options = *options;
    stream->messages = bounded_queue_create(MESSAGES_MAX);
    stream->bad_frame_lines.interval_ms = LOG_INTERVAL_MS;
    stream->letters = frame_letters_create(options->producer, options->topics);
    stream->publisher = stream_publisher_create(options->writer, options->metrics, options->failure,
                                                options->repair_trades_max);
    stream->series = (struct trade_series_context){
        .publisher = stream->publisher,
        .metrics = options->metrics,
        .late_lines = {.interval_ms = LOG_INTERVAL_MS},
    };
    stream->client = okx_ws_client_create(&client_options, &handler, err);
    if (!stream->client)
        goto fail;
    stream->connections = create_connections(stream);
    if (pthread_create(&stream->thread, NULL, run, stream) != 0) {
        err_set(err, ERR_SYSTEM, "cannot start the stream's thread");
        goto fail;
    }
    stream->is_started = true;
    return stream;
fail:
    trade_stream_destroy(stream);
    return NULL;
}

void trade_stream_stop(struct trade_stream *stream)
{
    if (!stream || !stream->is_started)
        return;
    atomic_store(&stream->should_stop, true);
    bounded_queue_close(stream->messages);
    okx_ws_client_wake(stream->client);
    pthread_join(stream->thread, NULL);
    stream->is_started = false;
}

void trade_stream_publish_positions(struct trade_stream *stream)
{
    stream_publisher_publish_positions(stream->publisher);
}

void trade_stream_destroy(struct trade_stream *stream)
{
    struct stream_message *message;

    if (!stream)
        return;
    okx_ws_client_destroy(stream->client);
    connection_pool_destroy(stream->connections);
    stream_instruments_clear(&stream->instruments);
    stream_publisher_destroy(stream->publisher);
    frame_letters_destroy(stream->letters);
    bounded_queue_close(stream->messages);
    while ((message = bounded_queue_pop(stream->messages, 0)))
        free_message(message);
    bounded_queue_destroy(stream->messages);
    free(stream);
}
