#include "admin_api.h"

#include <stdio.h>
#include <string.h>

#include "ledger.h"

enum { NOTICE_DELAY_DEFAULT_MS = 60000 };
#define COUNT_MAX    INT64_C(1000000000)
#define DURATION_MAX INT64_C(86400000)

struct admin_call {
    const struct admin_api *api;
    const struct http_request *request;
    struct instant now;
    struct http_reply *reply;
};

static void refuse(const struct admin_call *call, int status, const char *reason)
{
    call->reply->status = status;
    buf_append_text(&call->reply->body, "{\"error\":\"");
    buf_append_json_escaped(&call->reply->body, reason, strlen(reason));
    buf_append_text(&call->reply->body, "\"}");
}

static int refuse_parameter(const struct admin_call *call, const struct err *err)
{
    refuse(call, 400, err->message);
    return -1;
}

static int read_int(const struct admin_call *call, const char *name, int64_t fallback, int64_t max,
                    int64_t *value)
{
    struct err err;

    if (http_request_int(call->request, name, fallback, 0, max, value, &err) != 0)
        return refuse_parameter(call, &err);
    return 0;
}

/* The position of instId; -1 with the refusal written, also when it is absent. */
static int read_instrument(const struct admin_call *call)
{
    const char *inst_id = http_request_parameter(call->request, "instId");
    int instrument = inst_id ? tape_find(call->api->tape, text_view_of(inst_id)) : -1;

    if (instrument < 0)
        refuse(call, 400, inst_id ? "unknown instId" : "instId is missing");
    return instrument;
}

static void reply_done(const struct admin_call *call)
{
    buf_append_text(&call->reply->body, "{\"ok\":true}");
}

/* --- what happened --------------------------------------------------------------------------- */

static void answer_ledger(const struct admin_call *call)
{
    struct tape *tape = call->api->tape;
    int64_t from = INT64_MIN, to = INT64_MAX, from_id, to_id;
    size_t first = 0, last = tape_instrument_count(tape) - 1;

    if (read_int(call, "from", -1, INT64_MAX, &from_id) != 0 ||
        read_int(call, "to", -1, INT64_MAX - 1, &to_id) != 0)
        return;
    if (from_id >= 0 || to_id >= 0 || http_request_parameter(call->request, "instId")) {
        int instrument = read_instrument(call);
        if (instrument < 0)
            return;
        first = last = (size_t)instrument;
    }
    if (from_id >= 0)
        from = tape_index_of_id(tape, first, from_id);
    if (to_id >= 0)
        to = tape_index_of_id(tape, first, to_id) + 1;
    call->reply->content_type = "text/tab-separated-values";
    call->reply->context = ledger_open(tape, first, last, from, to, call->now.wall_ms);
    call->reply->append_more = ledger_append;
    call->reply->free_context = ledger_close;
}

static void answer_summary(const struct admin_call *call)
{
    struct buf *out = &call->reply->body;
    struct tape *tape = call->api->tape;

    for (size_t i = 0; i < tape_instrument_count(tape); i++) {
        int64_t begin = tape_started_index(tape, i);
        int64_t end = tape_executed(tape, i, call->now.wall_ms);
        buf_append_format(out, "%s\"%s\":", i == 0 ? "{" : ",", tape_instrument(tape, i)->inst_id);
        /* Without a trade: last is first - 1, so that "later than last" means the same. */
        buf_append_format(out, "{\"first\":%lld,\"last\":%lld,\"count\":%lld}",
                          (long long)tape_trade_id(tape, i, begin),
                          (long long)tape_trade_id(tape, i, end - 1), (long long)(end - begin));
    }
    buf_append_char(out, '}');
}

static void answer_stats(const struct admin_call *call)
{
    const struct ws_hub *hub = call->api->hub;
    struct buf *out = &call->reply->body;

    buf_append_format(out,
                      "{\"connections\":{\"now\":%lld,\"total\":%lld},\"subscriptions\":%lld,"
                      "\"subscriptions_total\":%lld,\"frames_sent\":%lld,\"trades_sent\":%lld,"
                      "\"pings\":%lld,\"halted\":%s,"
                      "\"rest\":",
                      (long long)hub->connections_now, (long long)hub->connections_total,
                      (long long)hub->subscriptions, (long long)hub->subscriptions_total,
                      (long long)hub->frames_sent, (long long)hub->trades_sent,
                      (long long)hub->pings, tape_is_halted(call->api->tape) ? "true" : "false");
    rest_api_append_stats(call->api->rest, out);
    buf_append_format(out, ",\"faults_left\":{\"malformed\":%lld,\"odd\":%lld,\"rest\":%lld}}",
                      (long long)call->api->faults->malformed_count,
                      (long long)call->api->faults->odd_count,
                      (long long)faults_rest_left(call->api->faults));
}

/* --- what shall happen ----------------------------------------------------------------------- */

static void order_halt(const struct admin_call *call)
{
    tape_halt(call->api->tape, call->now.wall_ms);
    reply_done(call);
}

static void order_resume(const struct admin_call *call)
{
    tape_resume(call->api->tape);
    call->api->hub->backlog_since_ms = call->now.wall_ms;
    reply_done(call);
}

static void order_drop(const struct admin_call *call)
{
    ws_hub_drop(call->api->hub);
    reply_done(call);
}

static void order_close(const struct admin_call *call)
{
    int64_t code;

    if (read_int(call, "code", 1000, 4999, &code) != 0)
        return;
    if (code < 1000) {
        refuse(call, 400, "code is not within 1000 to 4999");
        return;
    }
    ws_hub_close(call->api->hub, (int)code);
    reply_done(call);
}

static void order_stall(const struct admin_call *call)
{
    int64_t duration_ms;

    if (read_int(call, "ms", 1000, DURATION_MAX, &duration_ms) != 0)
        return;
    ws_hub_stall(call->api->hub, duration_ms, call->now);
    reply_done(call);
}

static void order_delay(const struct admin_call *call)
{
    int64_t delay_ms;

    if (read_int(call, "ms", 100, DURATION_MAX, &delay_ms) != 0)
        return;
    ws_hub_delay(call->api->hub, delay_ms);
    reply_done(call);
}

static void order_refuse(const struct admin_call *call)
{
    int64_t duration_ms;

    if (read_int(call, "ms", 1000, DURATION_MAX, &duration_ms) != 0)
        return;
    call->api->faults->refuse_until_ms = instant_monotonic_ms(call->now) + duration_ms;
    reply_done(call);
}

static void order_malformed(const struct admin_call *call)
{
    if (read_int(call, "count", 1, COUNT_MAX, &call->api->faults->malformed_count) == 0)
        reply_done(call);
}

static void order_odd(const struct admin_call *call)
{
    if (read_int(call, "count", 1, COUNT_MAX, &call->api->faults->odd_count) == 0)
        reply_done(call);
}

static void order_hostile(const struct admin_call *call)
{
    const char *name = http_request_parameter(call->request, "form");
    enum hostile_form form = HOSTILE_HUGE;
    int64_t bytes = 0;

    if (!name || !hostile_form_read(name, &form)) {
        refuse(call, 400, "unknown form");
        return;
    }
    if (read_int(call, "bytes", hostile_form_bytes(form), COUNT_MAX, &bytes) != 0)
        return;
    ws_hub_be_hostile(call->api->hub, form, bytes);
    reply_done(call);
}

static void hide_trades(const struct admin_call *call, enum tape_visibility visibility)
{
    int instrument = read_instrument(call);
    struct err err;
    int64_t count;

    if (instrument < 0 || read_int(call, "count", 1, COUNT_MAX, &count) != 0)
        return;
    if (tape_hide(call->api->tape, (size_t)instrument, count, visibility, call->now.wall_ms,
                  &err) != 0)
        refuse(call, 400, err.message);
    else
        reply_done(call);
}

static void order_gap(const struct admin_call *call)
{
    hide_trades(call, TAPE_UNSENT);
}

static void order_lose(const struct admin_call *call)
{
    hide_trades(call, TAPE_LOST);
}

static void order_notice(const struct admin_call *call)
{
    int64_t delay_ms;

    if (read_int(call, "after_ms", NOTICE_DELAY_DEFAULT_MS, DURATION_MAX, &delay_ms) != 0)
        return;
    ws_hub_announce_end(call->api->hub, delay_ms, call->now);
    reply_done(call);
}

static bool read_form(const char *name, enum rest_fault_form *form)
{
    static const char *const names[] = {"error", "hang", "truncate", "html",   "redirect",
                                        "type",  "huge", "endless",  "nested", "rows"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *form = (enum rest_fault_form)i;
            return true;
        }
    }
    return false;
}

static void order_rest(const struct admin_call *call)
{
    const char *endpoint = http_request_parameter(call->request, "endpoint");
    const char *code = http_request_parameter(call->request, "code");
    const char *form = http_request_parameter(call->request, "form");
    struct rest_fault fault = {.form = REST_FAULT_ERROR};
    int64_t status;

    if (form && !read_form(form, &fault.form)) {
        refuse(call, 400, "unknown form");
        return;
    }
    if (endpoint && *endpoint && !rest_api_has_endpoint(endpoint)) {
        refuse(call, 400, "unknown endpoint");
        return;
    }
    if (read_int(call, "count", 1, COUNT_MAX, &fault.count) != 0 ||
        read_int(call, "status", fault.form == REST_FAULT_HTML ? 403 : 503, 599, &status) != 0)
        return;
    if (status < 200 || fault.count == 0) {
        refuse(call, 400, "status is below 200 or count is 0");
        return;
    }
    fault.status = (int)status;
    snprintf(fault.endpoint, sizeof fault.endpoint, "%s", endpoint ? endpoint : "");
    snprintf(fault.code, sizeof fault.code, "%s", code && *code ? code : "50001");
    if (faults_add_rest(call->api->faults, &fault))
        reply_done(call);
    else
        refuse(call, 400, "too many faults at once");
}

static void order_clear(const struct admin_call *call)
{
    faults_clear(call->api->faults);
    ws_hub_delay(call->api->hub, 0);
    tape_hide_no_more(call->api->tape, call->now.wall_ms);
    call->api->hub->backlog_since_ms = call->now.wall_ms;
    reply_done(call);
}

static const struct {
    const char *path;
    bool is_post;
    void (*answer)(const struct admin_call *call);
} routes[] = {
    {"/ledger", false, answer_ledger},
    {"/ledger/summary", false, answer_summary},
    {"/stats", false, answer_stats},
    {"/halt", true, order_halt},
    {"/resume", true, order_resume},
    {"/fault/clear", true, order_clear},
    {"/fault/close", true, order_close},
    {"/fault/delay", true, order_delay},
    {"/fault/drop", true, order_drop},
    {"/fault/gap", true, order_gap},
    {"/fault/hostile", true, order_hostile},
    {"/fault/lose", true, order_lose},
    {"/fault/malformed", true, order_malformed},
    {"/fault/notice", true, order_notice},
    {"/fault/odd", true, order_odd},
    {"/fault/refuse", true, order_refuse},
    {"/fault/rest", true, order_rest},
    {"/fault/stall", true, order_stall},
};

void admin_api_answer(const struct admin_api *api, const struct http_request *request,
                      struct instant now, struct http_reply *reply)
{
    struct admin_call call = {.api = api, .request = request, .now = now, .reply = reply};

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, request->path) != 0)
            continue;
        if (routes[i].is_post == request->is_post)
            routes[i].answer(&call);
        else
            refuse(&call, 405, routes[i].is_post ? "POST is needed" : "GET is needed");
        return;
    }
    refuse(&call, 404, "unknown path");
}
