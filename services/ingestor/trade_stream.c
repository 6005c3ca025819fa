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
#include "io/dead_letter.h"
#include "okx_ws_client.h"
#include "stream_connection.h"
#include "stream_publisher.h"
#include "token_bucket.h"
#include "trade_gap.h"

enum {
    MESSAGES_MAX = 4096,
    SLOW_TICK_MS = 1000,      /* positions, readiness, questions for the newest trade */
    ASK_LAST_TRADE_MS = 3000, /* quiet for so long after subscribing */
    CONNECTS_PER_SECOND = 3,  /* okx-v5.md, 2.2 */
    STOP_DRAIN_MS = 1500,
    LOG_INTERVAL_MS = 5000,
};

/* From other threads to the stream's. */
enum stream_message_kind { STREAM_FOLLOW, STREAM_LEAVE, STREAM_LAST_TRADE };
struct stream_message {
    enum stream_message_kind kind;
    struct trade_position position; /* inst_id always; the newest trade for STREAM_LAST_TRADE */
    bool has_position;
};

struct stream_instrument {
    char inst_id[INST_ID_BYTES];
    bool is_followed;
    struct trade_gap gap;
    struct publish_target *target;
    struct stream_connection *connection;
    int64_t ask_last_trade_at_ms; /* INT64_MAX: no need */
    bool awaits_last_trade;       /* asked, and no live trade came since */
};

struct connection_slot {
    struct stream_connection *connection;
    struct stream_connection *successor; /* takes over once it is settled (64008); or NULL */
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
    struct stream_instrument **instruments; /* ascending by inst_id; once known they stay */
    size_t instrument_count, instrument_capacity;
    struct connection_slot *slots;
    size_t slot_count;
    struct token_bucket connects;
    int64_t next_slow_tick_ms;
    int64_t stop_at_ms; /* 0: not stopping */
    struct log_limiter bad_frame_lines, late_lines;
};

/* --- instruments --------------------------------------------------------------------------------
 */

static size_t search(const struct trade_stream *stream, const char *inst_id)
{
    size_t low = 0;
    size_t high = stream->instrument_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(stream->instruments[middle]->inst_id, inst_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct stream_instrument *find_instrument(const struct trade_stream *stream,
                                                 const char *inst_id)
{
    size_t index = search(stream, inst_id);
    bool is_found = index < stream->instrument_count &&
                    strcmp(stream->instruments[index]->inst_id, inst_id) == 0;

    return is_found ? stream->instruments[index] : NULL;
}

static struct stream_instrument *find_or_add_instrument(struct trade_stream *stream,
                                                        const char *inst_id)
{
    struct stream_instrument *instrument = find_instrument(stream, inst_id);
    size_t index = search(stream, inst_id);

    if (instrument)
        return instrument;
    if (stream->instrument_count == stream->instrument_capacity) {
        stream->instrument_capacity =
            stream->instrument_capacity ? 2 * stream->instrument_capacity : 16;
        stream->instruments = mem_realloc_array(stream->instruments, stream->instrument_capacity,
                                                sizeof *stream->instruments);
    }
    instrument = mem_calloc(1, sizeof *instrument);
    snprintf(instrument->inst_id, sizeof instrument->inst_id, "%s", inst_id);
    instrument->target = stream_publisher_add_target(stream->publisher, inst_id);
    memmove(stream->instruments + index + 1, stream->instruments + index,
            (stream->instrument_count - index) * sizeof *stream->instruments);
    stream->instruments[index] = instrument;
    stream->instrument_count++;
    return instrument;
}

/* --- trades -------------------------------------------------------------------------------------
 */

static void send_dead_letter(struct trade_stream *stream, const char *channel, const char *inst_id,
                             const char *text, size_t length, const struct err *reason)
{
    struct err err = {0};
    char source[64];
    int64_t suppressed = 0;
    const struct dead_letter letter = {
        .service = "ingestor",
        .source_topic = source,
        .source_partition = -1,
        .source_offset = -1,
        .stage = "parse",
        .reason = reason->code,
        .message = reason->message,
        .key = inst_id[0] != '\0' ? inst_id : NULL,
        .key_length = strlen(inst_id),
        .value = text,
        .value_length = length,
    };

    snprintf(source, sizeof source, "okx:%s", channel);
    ingestor_metrics_count_bad(stream->options.metrics, reason->code);
    if (log_limiter_allow(&stream->bad_frame_lines, clock_monotonic_ms(), &suppressed))
        log_warn("frame of OKX cannot be used", LOG_STR("channel", channel),
                 LOG_STR("inst_id", inst_id), LOG_STR("reason", reason->message),
                 LOG_INT("suppressed", suppressed));
    if (text && dead_letter_send(stream->options.producer, stream->options.topics, &letter, NULL,
                                 NULL, &err) != 0)
        log_warn("frame could not be sent to dead-letters", LOG_STR("reason", err.message));
}

static void warn_late(struct trade_stream *stream, const struct trade *trade, const char *what)
{
    int64_t suppressed = 0;

    metric_increment(stream->options.metrics->late_trades);
    if (log_limiter_allow(&stream->late_lines, clock_monotonic_ms(), &suppressed))
        log_warn(what, LOG_STR("inst_id", trade->inst_id), LOG_INT("trade_id", trade->trade_id),
                 LOG_INT("suppressed", suppressed));
}

/* Takes the trade. One case per verdict. */
static void handle_trade(struct trade_stream *stream, struct stream_instrument *instrument,
                         struct trade *trade)
{
    struct stream_publisher *publisher = stream->publisher;
    struct publish_target *target = instrument->target;
    const struct publish_mark mark = {
        .trade_id = {true, trade->trade_id},
        .event_time_ms = {true, trade->event_time_ms},
    };
    struct trade_gap_step step = trade_gap_next(&instrument->gap, trade);

    metric_increment(stream->options.metrics->trades_received);
    if (step.verdict == TRADE_GAP_DUPLICATE) {
        metric_increment(stream->options.metrics->duplicate_trades);
        trade_clear(trade);
        return;
    }
    instrument->ask_last_trade_at_ms = INT64_MAX;
    instrument->awaits_last_trade = false;
    switch (step.verdict) {
    case TRADE_GAP_OVERLAP:
        stream_publisher_send_repair(publisher, target, step.from_id, step.to_id, &mark);
        trade_clear(trade);
        return;
    case TRADE_GAP_MISSING:
        stream_publisher_send_repair(publisher, target, step.from_id, step.to_id, NULL);
        break;
    case TRADE_GAP_LATE:
        warn_late(stream, trade, "trade is out of order, published all the same");
        break;
    case TRADE_GAP_RESET:
        warn_late(stream, trade, "trade ids began anew");
        break;
    case TRADE_GAP_FIRST:
    case TRADE_GAP_NEXT:
    case TRADE_GAP_DUPLICATE:
        break;
    }
    stream_publisher_send_trade(publisher, target, trade, step.verdict != TRADE_GAP_LATE);
}

static void handle_row(struct trade_stream *stream, const struct okx_frame *frame, size_t index,
                       int64_t received_at_us)
{
    struct stream_instrument *instrument = NULL;
    struct trade trade;
    struct err err = {0};

    if (okx_rows_read_trade(frame->rows, index, &trade, &err) != 0)
        goto reject;
    instrument = find_instrument(stream, trade.inst_id);
    if (!instrument) {
        err_set(&err, ERR_UNSUPPORTED, "instrument %s was not asked for", trade.inst_id);
        trade_clear(&trade);
        goto reject;
    }
    if (!instrument->is_followed) { /* left just now: its new owner has it */
        trade_clear(&trade);
        return;
    }
    trade.origin = ORIGIN_STREAM;
    trade.received_at_us = received_at_us;
    handle_trade(stream, instrument, &trade);
    return;
reject:;
    char *text = okx_rows_text(frame->rows, index);
    send_dead_letter(stream, frame->channel, frame->inst_id, text, strlen(text), &err);
    free(text);
}

static void on_data(const struct okx_frame *frame, const char *text, size_t length, void *context)
{
    struct trade_stream *stream = context;
    int64_t received_at_us = clock_wall_us();
    struct err err = {0};

    if (!okx_channel_has_trades(frame->channel)) {
        err_set(&err, ERR_UNSUPPORTED, "channel %s was not asked for", frame->channel);
        send_dead_letter(stream, frame->channel, frame->inst_id, text, length, &err);
        return;
    }
    for (size_t i = 0; i < okx_rows_count(frame->rows); i++)
        handle_row(stream, frame, i, received_at_us);
}

static void on_bad_frame(const char *text, size_t length, const struct err *reason, void *context)
{
    struct trade_stream *stream = context;

    send_dead_letter(stream, stream->options.channel, "", text, length, reason);
}

static void on_subscribed(const char *inst_id, void *context)
{
    struct trade_stream *stream = context;
    struct stream_instrument *instrument = find_instrument(stream, inst_id);

    if (!instrument || !instrument->is_followed)
        return;
    stream_publisher_announce(stream->publisher, instrument->target);
    instrument->ask_last_trade_at_ms = clock_monotonic_ms() + ASK_LAST_TRADE_MS;
}

/* --- connections --------------------------------------------------------------------------------
 */

static struct connection_slot *add_slot(struct trade_stream *stream,
                                        struct stream_connection *connection)
{
    stream->slots = mem_realloc_array(stream->slots, stream->slot_count + 1, sizeof *stream->slots);
    stream->slots[stream->slot_count] = (struct connection_slot){.connection = connection};
    return &stream->slots[stream->slot_count++];
}

static void on_notice(struct stream_connection *connection, void *context)
{
    struct trade_stream *stream = context;
    struct connection_slot *slot = NULL;

    for (size_t i = 0; i < stream->slot_count; i++) {
        if (stream->slots[i].connection == connection)
            slot = &stream->slots[i];
    }
    if (!slot || slot->successor)
        return;
    struct stream_connection *successor = stream_connection_clone(connection);
    slot->successor = successor;
    for (size_t i = 0; i < stream->instrument_count; i++) {
        if (stream->instruments[i]->connection == connection)
            stream->instruments[i]->connection = successor;
    }
    add_slot(stream, successor);
}

/* The connection with room for one more instrument. */
static struct stream_connection *choose_connection(struct trade_stream *stream)
{
    const struct stream_connection_options options = {
        .client = stream->client,
        .channel = stream->options.channel,
        .metrics = stream->options.metrics,
        .events = {on_data, on_bad_frame, on_subscribed, on_notice, stream},
    };

    for (size_t i = 0; i < stream->slot_count; i++) {
        struct connection_slot *slot = &stream->slots[i];

        if (!slot->successor && !stream_connection_is_retired(slot->connection) &&
            stream_connection_count(slot->connection) < stream->options.channels_per_connection)
            return slot->connection;
    }
    return add_slot(stream, stream_connection_create(&options))->connection;
}

static void remove_from_predecessor(struct trade_stream *stream,
                                    const struct stream_connection *successor, const char *inst_id)
{
    for (size_t i = 0; i < stream->slot_count; i++) {
        if (stream->slots[i].successor == successor)
            stream_connection_remove(stream->slots[i].connection, inst_id);
    }
}

static bool is_anyones_successor(const struct trade_stream *stream,
                                 const struct stream_connection *connection)
{
    for (size_t i = 0; i < stream->slot_count; i++) {
        if (stream->slots[i].successor == connection)
            return true;
    }
    return false;
}

static void forget_connection(struct trade_stream *stream, struct connection_slot *slot)
{
    struct stream_connection *connection = slot->connection;

    for (size_t i = 0; i < stream->slot_count; i++) {
        if (stream->slots[i].successor == connection)
            stream->slots[i].successor = slot->successor;
    }
    *slot = stream->slots[--stream->slot_count];
    stream_connection_destroy(connection);
}

/* Retires what has a settled successor or nothing to do, and forgets what is gone. */
static void tidy_connections(struct trade_stream *stream)
{
    for (size_t i = stream->slot_count; i > 0; i--) {
        struct connection_slot *slot = &stream->slots[i - 1];
        struct stream_connection *connection = slot->connection;
        bool is_replaced = slot->successor && (stream_connection_is_settled(slot->successor) ||
                                               !stream_connection_is_open(connection));

        if (is_replaced)
            stream_connection_retire(connection, "replaced");
        else if (!slot->successor && stream_connection_count(connection) == 0 &&
                 !is_anyones_successor(stream, connection))
            stream_connection_retire(connection, "unused");
        if (stream_connection_is_gone(connection))
            forget_connection(stream, slot);
    }
}

static void tick_connections(struct trade_stream *stream, bool reads, int64_t now_ms)
{
    for (size_t i = 0; i < stream->slot_count; i++) {
        size_t ticket = 0;
        bool may_connect = token_bucket_take(&stream->connects, now_ms, &ticket) == 0;
        bool has_connected =
            stream_connection_tick(stream->slots[i].connection, reads, may_connect, now_ms);

        if (may_connect && has_connected)
            token_bucket_release(&stream->connects, ticket, now_ms);
        else if (may_connect)
            token_bucket_cancel(&stream->connects, ticket);
    }
    tidy_connections(stream);
}

/* --- messages -----------------------------------------------------------------------------------
 */

static void follow(struct trade_stream *stream, const struct stream_message *message)
{
    const struct trade_position *position = message->has_position ? &message->position : NULL;
    struct stream_instrument *instrument =
        find_or_add_instrument(stream, message->position.inst_id);

    if (instrument->is_followed)
        return;
    instrument->is_followed = true;
    instrument->ask_last_trade_at_ms = INT64_MAX;
    instrument->awaits_last_trade = false;
    trade_gap_init(&instrument->gap);
    if (position && position->trade_id.present)
        trade_gap_start(&instrument->gap, position->trade_id.value, position->event_time_ms);
    stream_publisher_start(stream->publisher, instrument->target, position);
    instrument->connection = choose_connection(stream);
    stream_connection_add(instrument->connection, instrument->inst_id);
}

static void leave(struct trade_stream *stream, const char *inst_id)
{
    struct stream_instrument *instrument = find_instrument(stream, inst_id);

    if (!instrument || !instrument->is_followed)
        return;
    instrument->is_followed = false;
    stream_connection_remove(instrument->connection, inst_id);
    remove_from_predecessor(stream, instrument->connection, inst_id);
    instrument->connection = NULL;
    stream_publisher_stop(stream->publisher, instrument->target);
}

static void note_last_trade(struct trade_stream *stream, const struct trade_position *last)
{
    struct stream_instrument *instrument = find_instrument(stream, last->inst_id);
    const struct publish_mark mark = {.trade_id = last->trade_id,
                                      .event_time_ms = last->event_time_ms};

    if (!instrument || !instrument->is_followed || !instrument->awaits_last_trade)
        return;
    instrument->awaits_last_trade = false;
    struct trade_gap_step step =
        trade_gap_advance(&instrument->gap, last->trade_id.value, last->event_time_ms.value);
    if (step.verdict == TRADE_GAP_MISSING)
        stream_publisher_send_repair(stream->publisher, instrument->target, step.from_id,
                                     step.to_id, &mark);
    else if (step.verdict == TRADE_GAP_FIRST)
        stream_publisher_skip_to(stream->publisher, instrument->target, &mark);
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
            note_last_trade(stream, &message->position);
            break;
        }
        free(message);
    }
}

static void post(struct trade_stream *stream, const struct stream_message *message)
{
    struct stream_message *copy = mem_alloc(sizeof *copy);

    *copy = *message;
    if (bounded_queue_push(stream->messages, copy, -1))
        okx_ws_client_wake(stream->client);
    else /* closed: the stream is stopping */
        free(copy);
}

void trade_stream_follow(struct trade_stream *stream, const char *inst_id,
                         const struct trade_position *position)
{
    struct stream_message message = {.kind = STREAM_FOLLOW, .has_position = position != NULL};

    if (position)
        message.position = *position;
    snprintf(message.position.inst_id, sizeof message.position.inst_id, "%s", inst_id);
    post(stream, &message);
}

void trade_stream_leave(struct trade_stream *stream, const char *inst_id)
{
    struct stream_message message = {.kind = STREAM_LEAVE};

    snprintf(message.position.inst_id, sizeof message.position.inst_id, "%s", inst_id);
    post(stream, &message);
}

void trade_stream_note_last_trade(struct trade_stream *stream, const struct trade *trade)
{
    struct stream_message message = {
        .kind = STREAM_LAST_TRADE,
        .position = {.trade_id = {true, trade->trade_id},
                     .event_time_ms = {true, trade->event_time_ms}},
    };

    snprintf(message.position.inst_id, sizeof message.position.inst_id, "%s", trade->inst_id);
    post(stream, &message);
}

/* --- turns --------------------------------------------------------------------------------------
 */

static void ask_last_trades(struct trade_stream *stream, int64_t now_ms)
{
    for (size_t i = 0; i < stream->instrument_count; i++) {
        struct stream_instrument *instrument = stream->instruments[i];

        if (!instrument->is_followed || now_ms < instrument->ask_last_trade_at_ms)
            continue;
        instrument->ask_last_trade_at_ms = INT64_MAX;
        instrument->awaits_last_trade = true;
        fetch_queue_ask_last_trade(stream->options.queue, instrument->inst_id);
    }
}

static void show_state(struct trade_stream *stream)
{
    struct ingestor_metrics *metrics = stream->options.metrics;
    size_t open = 0;
    size_t active = 0;
    size_t refused = 0;
    char reason[256] = "";

    for (size_t i = 0; i < stream->slot_count; i++) {
        const struct stream_connection *connection = stream->slots[i].connection;

        open += stream_connection_is_open(connection);
        if (stream->slots[i].successor || stream_connection_is_retired(connection))
            continue;
        active += stream_connection_active(connection);
        refused += stream_connection_refused(connection);
        if (!stream_connection_is_open(connection))
            snprintf(reason, sizeof reason, "%s", stream_connection_trouble(connection));
        else if (!stream_connection_is_settled(connection) && reason[0] == '\0')
            snprintf(reason, sizeof reason, "subscribing");
    }
    if (stream_publisher_is_blocked(stream->publisher))
        snprintf(reason, sizeof reason, "not reading: Kafka has no room for more records");
    metric_set(metrics->websocket_connections, (int64_t)open);
    metric_set(metrics->subscriptions, (int64_t)active);
    metric_set(metrics->subscriptions_refused, (int64_t)refused);
    status_server_set_condition(stream->options.status, "okx-websocket", reason[0] == '\0', reason);
}

static void turn_to_stop(struct trade_stream *stream, int64_t now_ms)
{
    if (stream->stop_at_ms == 0) {
        stream->stop_at_ms = now_ms + STOP_DRAIN_MS;
        for (size_t i = 0; i < stream->slot_count; i++)
            stream_connection_retire(stream->slots[i].connection, "stopped");
    }
    if (stream_publisher_drain(stream->publisher) || now_ms >= stream->stop_at_ms)
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
    tick_connections(stream, stream_publisher_drain(stream->publisher), now_ms);
    if (now_ms < stream->next_slow_tick_ms)
        return;
    stream->next_slow_tick_ms = now_ms + SLOW_TICK_MS;
    ask_last_trades(stream, now_ms);
    stream_publisher_publish_positions(stream->publisher);
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
    stream->late_lines.interval_ms = LOG_INTERVAL_MS;
    token_bucket_init(&stream->connects, CONNECTS_PER_SECOND, 1000);
    stream->publisher = stream_publisher_create(options->writer, options->metrics, options->failure,
                                                options->repair_trades_max);
    stream->client = okx_ws_client_create(&client_options, &handler, err);
    if (!stream->client)
        goto fail;
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
    void *message;

    if (!stream)
        return;
    okx_ws_client_destroy(stream->client);
    for (size_t i = 0; i < stream->slot_count; i++)
        stream_connection_destroy(stream->slots[i].connection);
    free(stream->slots);
    for (size_t i = 0; i < stream->instrument_count; i++)
        free(stream->instruments[i]);
    free(stream->instruments);
    stream_publisher_destroy(stream->publisher);
    token_bucket_clear(&stream->connects);
    bounded_queue_close(stream->messages);
    while ((message = bounded_queue_pop(stream->messages, 0)))
        free(message);
    bounded_queue_destroy(stream->messages);
    free(stream);
}
