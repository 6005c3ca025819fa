#include "ws_session.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim_hash.h"
#include "sliding_window.h"
#include "ws_frame.h"
#include "ws_request.h"

enum {
    CONTROL_BYTES_MAX = 512 * 1024, /* answers that the client does not read */
    REQUESTS_PER_HOUR_MAX = 480,
    LAG_CHECK_INTERVAL_MS = 500,
    SCRATCH_BYTES_MAX = 1 << 20,
};
#define HOUR_US INT64_C(3600000000)

struct ws_session {
    struct ws_hub *hub;
    struct ws_session *previous, *next;
    void *owner;
    enum ws_path path;
    char conn_id[9];
    struct ws_feed *feeds;
    size_t feed_count, first_feed; /* feeds take turns at being first */
    struct buf control;            /* frames that go before any data */
    struct hostile_frame hostile;  /* goes before anything, to its end */
    bool is_hostile;
    struct buf scratch;
    struct sliding_window requests; /* of the last hour */
    bool has_subscribed;
    size_t next_replay_frame;
    int64_t active_ms;         /* monotonic: something was said or heard */
    int64_t next_lag_check_ms; /* monotonic */
    int64_t announced_end_ms;  /* monotonic; 0: none */
    int64_t delay_ms;          /* of what the feeds send */
    int end_code;              /* 0: goes on */
    const char *end_reason;
};

struct ws_session *ws_session_create(struct ws_hub *hub, enum ws_path path, struct instant now)
{
    static const char digits[] = "0123456789abcdef";
    struct ws_session *session = mem_calloc(1, sizeof *session);
    uint64_t number = sim_hash((uint64_t)now.wall_ms, (uint64_t)now.monotonic_us,
                               (uint64_t)hub->connections_total);

    session->hub = hub;
    session->path = path;
    for (size_t i = 0; i < 8; i++)
        session->conn_id[i] = digits[number >> (4 * i) & 15];
    buf_init(&session->control, CONTROL_BYTES_MAX);
    buf_init(&session->scratch, SCRATCH_BYTES_MAX);
    sliding_window_init(&session->requests, HOUR_US, REQUESTS_PER_HOUR_MAX);
    session->active_ms = instant_monotonic_ms(now);
    session->next = hub->sessions;
    if (session->next)
        session->next->previous = session;
    hub->sessions = session;
    hub->connections_now++;
    hub->connections_total++;
    return session;
}

void ws_session_destroy(struct ws_session *session)
{
    struct ws_hub *hub;

    if (!session)
        return;
    hub = session->hub;
    if (session->previous)
        session->previous->next = session->next;
    else
        hub->sessions = session->next;
    if (session->next)
        session->next->previous = session->previous;
    hub->connections_now--;
    hub->subscriptions -= (int64_t)session->feed_count;
    free(session->feeds);
    buf_clear(&session->control);
    buf_clear(&session->scratch);
    sliding_window_clear(&session->requests);
    free(session);
}

struct ws_session *ws_session_next(const struct ws_session *session)
{
    return session->next;
}

void ws_session_set_owner(struct ws_session *session, void *owner)
{
    session->owner = owner;
}

void *ws_session_owner(const struct ws_session *session)
{
    return session->owner;
}

void ws_session_request_end(struct ws_session *session, int code, const char *reason)
{
    session->end_code = code;
    session->end_reason = reason;
}

/* --- what the server says of itself ---------------------------------------------------------- */

static void send_control(struct ws_session *session, const char *text, size_t length)
{
    ws_frame_append_text(&session->control, text, length);
    session->hub->frames_sent++;
    if (session->control.overflowed)
        ws_session_request_end(session, 4005, "Buffer full");
}

/* Opens an event in scratch: {"id":"1512","event":"error" */
static struct buf *begin_event(struct ws_session *session, const char *event, const char *id)
{
    struct buf *out = &session->scratch;

    buf_reset(out);
    buf_append_char(out, '{');
    if (id && *id)
        buf_append_format(out, "\"id\":\"%s\",", id);
    buf_append_format(out, "\"event\":\"%s\"", event);
    return out;
}

static void end_event(struct ws_session *session)
{
    buf_append_format(&session->scratch, ",\"connId\":\"%s\"}", session->conn_id);
    send_control(session, session->scratch.data, session->scratch.length);
}

static void send_error(struct ws_session *session, const char *id, const char *code,
                       const char *message, const char *detail, size_t detail_length)
{
    struct buf *out = begin_event(session, "error", id);

    buf_append_text(out, ",\"msg\":\"");
    buf_append_text(out, message);
    buf_append_json_escaped(out, detail, detail_length);
    buf_append_format(out, "\",\"code\":\"%s\"", code);
    end_event(session);
}

static void send_request_error(struct ws_session *session, const char *id, const char *code,
                               const char *text, size_t length)
{
    if (strcmp(code, "60012") == 0)
        send_error(session, id, code, "Invalid request: ", text, length);
    else if (strcmp(code, "60033") == 0)
        send_error(session, id, code, "Parameter id error", "", 0);
    else if (strcmp(code, "60019") == 0)
        send_error(session, id, code, "Invalid op", "", 0);
    else
        send_error(session, id, code, "The current operation is not supported by this URL", "", 0);
}

static void send_acknowledgement(struct ws_session *session, const struct ws_request *request,
                                 const json_t *arg)
{
    char *text = json_dumps(arg, JSON_COMPACT);
    struct buf *out = begin_event(
        session, request->op == WS_OP_SUBSCRIBE ? "subscribe" : "unsubscribe", request->id);

    buf_append_text(out, ",\"arg\":");
    buf_append_text(out, text);
    end_event(session);
    free(text);
}

void ws_session_announce_end(struct ws_session *session, int64_t end_ms)
{
    struct buf *out = begin_event(session, "notice", NULL);

    buf_append_text(out, ",\"msg\":\"The connection will soon be closed for a service upgrade. "
                         "Please reconnect.\",\"code\":\"64008\"");
    end_event(session);
    session->announced_end_ms = end_ms;
}

void ws_session_delay(struct ws_session *session, int64_t delay_ms)
{
    session->delay_ms = delay_ms;
}

/* --- requests -------------------------------------------------------------------------------- */

static void send_unknown_channel(struct ws_session *session, const char *id, const char *channel,
                                 const char *inst_id)
{
    struct buf *out = begin_event(session, "error", id);

    buf_append_text(out, ",\"msg\":\"Wrong URL or channel:");
    buf_append_json_escaped(out, channel, strlen(channel));
    buf_append_text(out, ",instId:");
    buf_append_json_escaped(out, inst_id, strlen(inst_id));
    buf_append_text(out, " doesn't exist. Please use the correct URL, channel and parameters "
                         "referring to API document.\",\"code\":\"60018\"");
    end_event(session);
}

static size_t find_feed(const struct ws_session *session, const struct ws_feed *feed)
{
    size_t position = 0;

    while (position < session->feed_count && !ws_feed_is_same(&session->feeds[position], feed))
        position++;
    return position;
}

static void add_feed(struct ws_session *session, const struct ws_feed *feed)
{
    if (find_feed(session, feed) < session->feed_count)
        return; /* a second subscription to the same changes nothing */
    if ((int64_t)session->feed_count >= session->hub->settings.channels_max) {
        ws_session_request_end(session, 4009, "Too many channels on this connection");
        return;
    }
    session->feeds =
        mem_realloc_array(session->feeds, session->feed_count + 1, sizeof *session->feeds);
    session->feeds[session->feed_count++] = *feed;
    session->hub->subscriptions++;
    session->hub->subscriptions_total++;
}

static void remove_feed(struct ws_session *session, const struct ws_feed *feed)
{
    size_t position = find_feed(session, feed);

    if (position == session->feed_count)
        return;
    session->feeds[position] = session->feeds[--session->feed_count];
    session->hub->subscriptions--;
}

static void handle_argument(struct ws_session *session, const struct ws_request *request,
                            const json_t *arg, struct instant now)
{
    const char *channel = ws_request_arg_text(arg, "channel");
    const char *inst_id = ws_request_arg_text(arg, "instId");
    struct ws_feed feed;

    if (session->hub->replay) {
        send_acknowledgement(session, request, arg);
        session->has_subscribed = true;
        return;
    }
    if (!ws_feed_open(&feed, session->hub, session->path, channel, inst_id, now)) {
        send_unknown_channel(session, request->id, channel, inst_id);
        return;
    }
    send_acknowledgement(session, request, arg);
    session->has_subscribed = true;
    if (request->op == WS_OP_SUBSCRIBE)
        add_feed(session, &feed);
    else
        remove_feed(session, &feed);
}

static void handle_request(struct ws_session *session, const char *text, size_t length,
                           struct instant now)
{
    struct ws_request request;
    const char *code;
    size_t i;
    json_t *arg;

    if (ws_request_read(text, length, &request, &code) != 0) {
        send_request_error(session, request.id, code, text, length);
    } else if (session->hub->settings.has_rate_limits &&
               !sliding_window_admit(&session->requests, REQUESTS_PER_HOUR_MAX, now.monotonic_us)) {
        send_error(session, request.id, "60014", "Requests too frequent", "", 0);
    } else {
        json_array_foreach(request.args, i, arg) handle_argument(session, &request, arg, now);
    }
    ws_request_clear(&request);
}

void ws_session_on_message(struct ws_session *session, const char *text, size_t length,
                           struct instant now)
{
    session->active_ms = instant_monotonic_ms(now);
    if (length == 4 && memcmp(text, "ping", 4) == 0) {
        session->hub->pings++;
        send_control(session, "pong", 4);
        return;
    }
    handle_request(session, text, length, now);
}

/* --- output ---------------------------------------------------------------------------------- */

static bool has_replay(const struct ws_session *session)
{
    return session->hub->replay && session->has_subscribed &&
           session->next_replay_frame < replay_frame_count(session->hub->replay);
}

/* What the feeds take for now. */
static struct instant delayed(const struct ws_session *session, struct instant now)
{
    now.wall_ms -= session->delay_ms;
    return now;
}

bool ws_session_has_output(const struct ws_session *session, struct instant now)
{
    if (faults_is_stalled(session->hub->faults, now))
        return false;
    if (session->is_hostile || session->control.length > 0 || has_replay(session))
        return true;
    for (size_t i = 0; i < session->feed_count; i++) {
        if (ws_feed_is_due(&session->feeds[i], session->hub, delayed(session, now)))
            return true;
    }
    return false;
}

static void append_replay(struct ws_session *session, size_t max_bytes, struct buf *out)
{
    while (has_replay(session) && out->length < max_bytes) {
        struct text_view frame = replay_frame(session->hub->replay, session->next_replay_frame++);
        buf_reset(&session->scratch);
        buf_append(&session->scratch, frame.data, frame.length);
        ws_hub_append_data(session->hub, out, &session->scratch);
    }
}

void ws_session_be_hostile(struct ws_session *session, const struct hostile_frame *frame)
{
    if (session->is_hostile || session->feed_count == 0)
        return;
    session->hostile = *frame;
    session->is_hostile = true;
}

void ws_session_append_output(struct ws_session *session, struct instant now, size_t max_bytes,
                              struct buf *out)
{
    size_t start = out->length;

    if (faults_is_stalled(session->hub->faults, now))
        return;
    if (session->is_hostile) { /* its frame may not be interrupted */
        session->is_hostile = hostile_frame_append(&session->hostile, max_bytes, out);
        session->active_ms = instant_monotonic_ms(now);
        return;
    }
    buf_append(out, session->control.data ? session->control.data : "", session->control.length);
    buf_reset(&session->control);
    append_replay(session, max_bytes, out);
    for (size_t i = 0; i < session->feed_count && out->length < max_bytes; i++) {
        size_t position = (session->first_feed + i) % session->feed_count;
        ws_feed_append(&session->feeds[position], session->hub, delayed(session, now), max_bytes,
                       &session->scratch, out);
    }
    if (session->feed_count > 0)
        session->first_feed = (session->first_feed + 1) % session->feed_count;
    if (out->length > start)
        session->active_ms = instant_monotonic_ms(now);
}

/* --- the end --------------------------------------------------------------------------------- */

static bool is_too_slow(struct ws_session *session, struct instant now)
{
    int64_t now_ms = instant_monotonic_ms(now);

    if (now_ms < session->next_lag_check_ms)
        return false;
    session->next_lag_check_ms = now_ms + LAG_CHECK_INTERVAL_MS;
    for (size_t i = 0; i < session->feed_count; i++) {
        if (ws_feed_lag_ms(&session->feeds[i], session->hub, delayed(session, now)) >
            session->hub->settings.send_lag_max_ms)
            return true;
    }
    return false;
}

int ws_session_end(struct ws_session *session, struct instant now, const char **reason)
{
    int64_t now_ms = instant_monotonic_ms(now);

    if (session->end_code == 0 && !faults_is_stalled(session->hub->faults, now)) {
        if (session->announced_end_ms > 0 && now_ms >= session->announced_end_ms)
            ws_session_request_end(session, 1001, "Service upgrade");
        else if (now_ms - session->active_ms >= session->hub->settings.idle_timeout_ms)
            ws_session_request_end(session, 4004, "No data received in 30s.");
        else if (is_too_slow(session, now))
            ws_session_request_end(session, 4005, "Buffer full");
    }
    *reason = session->end_reason;
    return session->end_code;
}
