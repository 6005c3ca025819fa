#include "rest_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "currencies.h"
#include "hostile_body.h"
#include "okx_json.h"
#include "rate_limiter.h"
#include "replay.h"
#include "rest_market.h"

#define API_PREFIX "/api/v5/"
enum { RECENT_CANDLES_MAX = 1440, ENDPOINT_COUNT = 8 };

struct rest_call {
    struct rest_api *api;
    const struct http_request *request;
    struct instant now;
    uint64_t turn; /* how many requests this endpoint had before */
    struct http_reply *reply;
};

/* What a limit counts by. */
enum limit_scope {
    LIMIT_BY_ADDRESS,
    LIMIT_BY_ADDRESS_AND_TYPE,
    LIMIT_BY_USER,
};

struct endpoint {
    const char *name;
    size_t limit;
    int64_t window_ms;
    enum limit_scope scope;
    void (*answer)(const struct rest_call *call);
};

struct endpoint_state {
    struct rate_limiter *limiter;
    uint64_t requests, throttled;
};

struct rest_api {
    struct rest_api_options options;
    struct endpoint_state states[ENDPOINT_COUNT];
};

static const struct {
    const char *code;
    int status;
    const char *message;
} errors[] = {
    {"50001", 503, "Service temporarily unavailable. Try again later"},
    {"50004", 400, "API endpoint request timeout. Try again later"},
    {"50011", 429, "Too Many Requests"},
    {"50013", 429, "Systems are busy. Please try again later."},
    {"50014", 400, "Parameter can not be empty."},
    {"50026", 500, "System error. Try again later"},
    {"50039", 200, "\\\"before\\\" is not supported for timestamp pagination"},
    {"50101", 401, "APIKey does not match current environment."},
    {"50102", 401, "Timestamp request expired"},
    {"50103", 401, "Request header OK-ACCESS-KEY can not be empty."},
    {"50104", 401, "Request header OK-ACCESS-PASSPHRASE can not be empty."},
    {"50105", 401, "Request header OK-ACCESS-PASSPHRASE incorrect."},
    {"50106", 401, "Request header OK-ACCESS-SIGN can not be empty."},
    {"50107", 401, "Request header OK-ACCESS-TIMESTAMP can not be empty."},
    {"50111", 401, "Invalid OK-ACCESS-KEY"},
    {"50112", 401, "Invalid OK-ACCESS-TIMESTAMP"},
    {"50113", 401, "Invalid Sign"},
    {"50115", 405, "Invalid request method"},
    {"51000", 400, "Parameter error"},
    {"51001", 200, "Instrument ID doesn't exist."},
};

static void reply_with_data(struct http_reply *reply, const struct buf *rows)
{
    buf_append_text(&reply->body, "{\"code\":\"0\",\"msg\":\"\",\"data\":[");
    buf_append(&reply->body, rows->data ? rows->data : "", rows->length);
    buf_append_text(&reply->body, "]}");
}

/* subject, which may be NULL, is what the message speaks of. */
static void reply_with_error(struct http_reply *reply, const char *code, const char *subject)
{
    const char *message = "Request failed";

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(errors[i].code, code) == 0) {
            message = errors[i].message;
            reply->status = errors[i].status;
        }
    }
    buf_append_format(&reply->body, "{\"msg\":\"%s", message);
    if (subject) {
        buf_append_text(&reply->body, ": ");
        buf_append_json_escaped(&reply->body, subject, strlen(subject));
    }
    buf_append_format(&reply->body, "\",\"code\":\"%s\"", code);
    if (reply->status == 200 || reply->status == 400) /* recorded: others come with and without */
        buf_append_text(&reply->body, ",\"data\":[]");
    buf_append_char(&reply->body, '}');
}

static const char *code_of(enum err_code code)
{
    switch (code) {
    case ERR_NOT_FOUND:
        return "51001";
    case ERR_CONFIG:
        return "50014";
    case ERR_UNSUPPORTED:
        return "50039";
    default:
        return "51000";
    }
}

/* --- endpoints ------------------------------------------------------------------------------- */

static void answer_time(const struct rest_call *call)
{
    buf_append_format(&call->reply->body,
                      "{\"code\":\"0\",\"msg\":\"\",\"data\":[{\"ts\":\"%lld\"}]}",
                      (long long)call->now.wall_ms);
}

static void answer_status(const struct rest_call *call)
{
    reply_with_data(call->reply, &(struct buf){0});
}

static void answer_instruments(const struct rest_call *call)
{
    const struct tape *tape = call->api->options.tape;
    const char *type = http_request_parameter(call->request, "instType");
    const char *inst_id = http_request_parameter(call->request, "instId");
    struct buf rows;

    if (!type || !*type) {
        reply_with_error(call->reply, "50014", "instType");
        return;
    }
    buf_init(&rows, HTTP_REPLY_BODY_BYTES_MAX);
    for (size_t i = 0; strcmp(type, "SPOT") == 0 && i < tape_instrument_count(tape); i++) {
        const struct instrument *instrument = tape_instrument(tape, i);
        if (inst_id && *inst_id && strcmp(inst_id, instrument->inst_id) != 0)
            continue;
        if (rows.length > 0)
            buf_append_char(&rows, ',');
        okx_json_instrument(&rows, instrument);
    }
    if (strcmp(type, "SPOT") == 0 && !(inst_id && *inst_id)) {
        buf_append_char(&rows, ',');
        okx_json_preopen_instrument(&rows);
    }
    reply_with_data(call->reply, &rows);
    buf_clear(&rows);
}

typedef int (*rows_fn)(const struct rest_market_view *view, const struct http_request *request,
                       struct buf *out, struct err *err);

static void answer_rows(const struct rest_call *call, rows_fn append_rows, int64_t lag_ms)
{
    struct rest_market_view view = {
        .tape = call->api->options.tape,
        .now_ms = call->now.wall_ms,
        .view_ms = call->now.wall_ms - lag_ms,
    };
    struct err err;
    struct buf rows;

    buf_init(&rows, HTTP_REPLY_BODY_BYTES_MAX);
    if (append_rows(&view, call->request, &rows, &err) == 0)
        reply_with_data(call->reply, &rows);
    else
        reply_with_error(call->reply, code_of(err.code),
                         err.code == ERR_NOT_FOUND ? NULL : err.message);
    buf_clear(&rows);
}

/* Two caches answer by turns, one behind the other: a second answer may be older than the first. */
static int64_t trades_lag_ms(const struct rest_call *call)
{
    int64_t lag_ms = call->api->options.trades_lag_ms;

    return call->turn % 2 == 0 ? lag_ms : lag_ms / 2;
}

static void answer_trades(const struct rest_call *call)
{
    answer_rows(call, rest_market_trades, trades_lag_ms(call));
}

static void answer_history_trades(const struct rest_call *call)
{
    answer_rows(call, rest_market_history_trades, trades_lag_ms(call));
}

static int recent_candles(const struct rest_market_view *view, const struct http_request *request,
                          struct buf *out, struct err *err)
{
    return rest_market_candles(view, request, RECENT_CANDLES_MAX, out, err);
}

static int history_candles(const struct rest_market_view *view, const struct http_request *request,
                           struct buf *out, struct err *err)
{
    return rest_market_candles(view, request, 0, out, err);
}

static void answer_candles(const struct rest_call *call)
{
    answer_rows(call, recent_candles, call->api->options.confirm_lag_ms);
}

static void answer_history_candles(const struct rest_call *call)
{
    answer_rows(call, history_candles, call->api->options.confirm_lag_ms);
}

static void answer_currencies(const struct rest_call *call)
{
    const struct rest_api_options *options = &call->api->options;
    const char *ccy = http_request_parameter(call->request, "ccy");
    const char *refusal =
        okx_signature_check(call->request, &options->credentials, call->now.wall_ms);
    struct buf rows;

    if (refusal) {
        reply_with_error(call->reply, refusal, NULL);
        return;
    }
    buf_init(&rows, HTTP_REPLY_BODY_BYTES_MAX);
    currencies_append(&rows, tape_market(options->tape)->seed, text_view_of(ccy ? ccy : ""));
    reply_with_data(call->reply, &rows);
    buf_clear(&rows);
}

static const struct endpoint endpoints[ENDPOINT_COUNT] = {
    {"asset/currencies", 6, 1000, LIMIT_BY_USER, answer_currencies},
    {"market/candles", 40, 2000, LIMIT_BY_ADDRESS, answer_candles},
    {"market/history-candles", 20, 2000, LIMIT_BY_ADDRESS, answer_history_candles},
    {"market/history-trades", 20, 2000, LIMIT_BY_ADDRESS, answer_history_trades},
    {"market/trades", 100, 2000, LIMIT_BY_ADDRESS, answer_trades},
    {"public/instruments", 20, 2000, LIMIT_BY_ADDRESS_AND_TYPE, answer_instruments},
    {"public/time", 10, 2000, LIMIT_BY_ADDRESS, answer_time},
    {"system/status", 1, 5000, LIMIT_BY_ADDRESS, answer_status},
};

/* --- the way of a request -------------------------------------------------------------------- */

static bool is_throttled(struct rest_api *api, size_t endpoint, const struct http_request *request,
                         struct instant now)
{
    struct endpoint_state *state = &api->states[endpoint];
    const char *type = http_request_parameter(request, "instType");
    const char *key = request->peer;
    char text[2 * HTTP_REQUEST_TEXT_BYTES];

    if (endpoints[endpoint].scope == LIMIT_BY_USER)
        key = request->access_key;
    if (endpoints[endpoint].scope == LIMIT_BY_ADDRESS_AND_TYPE) {
        snprintf(text, sizeof text, "%s %s", request->peer, type ? type : "");
        key = text;
    }
    if (rate_limiter_admit(state->limiter, key, now.monotonic_us) || !api->options.has_rate_limits)
        return false;
    state->throttled++;
    return true;
}

/* True when the fault makes the whole answer. */
static bool apply_fault(struct rest_api *api, const char *endpoint,
                        const struct http_request *request, struct http_reply *reply)
{
    struct rest_fault fault;

    if (!faults_take_rest(api->options.faults, endpoint, &fault))
        return false;
    switch (fault.form) {
    case REST_FAULT_HANG:
        reply->fault = HTTP_REPLY_HANG;
        return false;
    case REST_FAULT_TRUNCATE:
        reply->fault = HTTP_REPLY_TRUNCATE;
        return false;
    case REST_FAULT_HTML:
        reply->content_type = "text/html";
        buf_append_text(&reply->body, "<html><head><title>403 Forbidden</title></head>"
                                      "<body><h1>403 Forbidden</h1></body></html>\n");
        break;
    case REST_FAULT_TYPE:
        reply->content_type = "image/png";
        return false;
    case REST_FAULT_ERROR:
        reply_with_error(reply, fault.code, NULL);
        break;
    default:
        hostile_body_fill(reply, fault.form, request);
        return true;
    }
    reply->status = fault.status;
    return true;
}

static const struct endpoint *find_endpoint(const char *name)
{
    for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
        if (strcmp(endpoints[i].name, name) == 0)
            return &endpoints[i];
    }
    return NULL;
}

bool rest_api_has_endpoint(const char *endpoint)
{
    return find_endpoint(endpoint) != NULL;
}

void rest_api_answer(struct rest_api *api, const struct http_request *request, struct instant now,
                     struct http_reply *reply)
{
    const struct endpoint *endpoint = NULL;
    struct rest_call call = {.api = api, .request = request, .now = now, .reply = reply};
    size_t position;

    if (strncmp(request->path, API_PREFIX, strlen(API_PREFIX)) == 0)
        endpoint = find_endpoint(request->path + strlen(API_PREFIX));
    if (!endpoint) {
        reply->status = 404;
        buf_append_text(&reply->body, "{\"msg\":\"Invalid request path\",\"code\":\"404\"}");
        return;
    }
    position = (size_t)(endpoint - endpoints);
    call.turn = api->states[position].requests++;
    if (request->is_post) {
        reply_with_error(reply, "50115", NULL);
    } else if (is_throttled(api, position, request, now)) {
        reply_with_error(reply, "50011", NULL);
    } else if (!apply_fault(api, endpoint->name, request, reply)) {
        if (api->options.replay)
            replay_answer(api->options.replay, endpoint->name, request, call.turn, reply);
        else
            endpoint->answer(&call);
    }
}

struct rest_api *rest_api_create(const struct rest_api_options *options)
{
    struct rest_api *api = mem_calloc(1, sizeof *api);

    api->options = *options;
    for (size_t i = 0; i < ENDPOINT_COUNT; i++)
        api->states[i].limiter = rate_limiter_create(endpoints[i].limit, endpoints[i].window_ms);
    return api;
}

void rest_api_destroy(struct rest_api *api)
{
    if (!api)
        return;
    for (size_t i = 0; i < ENDPOINT_COUNT; i++)
        rate_limiter_destroy(api->states[i].limiter);
    free(api);
}

void rest_api_append_stats(const struct rest_api *api, struct buf *out)
{
    for (size_t i = 0; i < ENDPOINT_COUNT; i++) {
        const struct endpoint_state *state = &api->states[i];
        buf_append_format(
            out, "%s\"%s\":{\"requests\":%llu,\"throttled\":%llu,\"max_in_window\":%zu}",
            i == 0 ? "{" : ",", endpoints[i].name, (unsigned long long)state->requests,
            (unsigned long long)state->throttled, rate_limiter_max_in_window(state->limiter));
    }
    buf_append_char(out, '}');
}
