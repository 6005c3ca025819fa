#include "io/status_server.h"

#include <libwebsockets.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "base/text_view.h"

enum {
    CONDITIONS_MAX = 32,
    NAME_BYTES = 64,
    REASON_BYTES = 256,
    BEAT_MAX_AGE_MS = 30000,
    BODY_BYTES_MAX = 4 * 1024 * 1024,
    CHUNK_BYTES = 4096,
    CONNECTIONS_MAX = 64,
    HEADER_BYTES_MAX = 2048,
    REQUEST_TIMEOUT_S = 10,
    PORT_MAX = 65535,
};

struct condition {
    char name[NAME_BYTES];
    bool is_ready;
    char reason[REASON_BYTES];
    struct metric *shown; /* is_ready in /metrics: alerts tell which condition it was */
};

struct status_server {
    struct metrics *metrics;
    struct lws_context *context;
    struct lws_vhost *vhost;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_llong last_beat_ms; /* monotonic */
    pthread_mutex_t lock;      /* of the conditions */
    struct condition conditions[CONDITIONS_MAX];
    size_t condition_count;
};

/* --- what is answered --------------------------------------------------------------------------
 */

static void append_condition(struct buf *body, const char *name, bool is_ready, const char *reason)
{
    buf_append_text(body, "{\"name\":\"");
    buf_append_json_escaped(body, name, strlen(name));
    buf_append_format(body, "\",\"ready\":%s", is_ready ? "true" : "false");
    if (!is_ready) {
        buf_append_text(body, ",\"reason\":\"");
        buf_append_json_escaped(body, reason, strlen(reason));
        buf_append_char(body, '"');
    }
    buf_append_char(body, '}');
}

static unsigned render_ready(struct status_server *server, struct buf *body)
{
    bool is_stopping = shutdown_requested();
    bool is_ready;

    pthread_mutex_lock(&server->lock);
    is_ready = !is_stopping && server->condition_count > 0; /* none yet: just starting */
    for (size_t i = 0; i < server->condition_count; i++)
        is_ready = is_ready && server->conditions[i].is_ready;
    buf_append_format(body, "{\"ready\":%s,\"conditions\":[", is_ready ? "true" : "false");
    for (size_t i = 0; i < server->condition_count; i++) {
        const struct condition *condition = &server->conditions[i];

        if (i > 0)
            buf_append_char(body, ',');
        append_condition(body, condition->name, condition->is_ready, condition->reason);
    }
    if (is_stopping) {
        if (server->condition_count > 0)
            buf_append_char(body, ',');
        append_condition(body, "running", false, "shutting down");
    }
    pthread_mutex_unlock(&server->lock);
    buf_append_text(body, "]}\n");
    return is_ready ? HTTP_STATUS_OK : HTTP_STATUS_SERVICE_UNAVAILABLE;
}

static unsigned render_live(struct status_server *server, struct buf *body)
{
    int64_t age_ms = clock_monotonic_ms() - atomic_load(&server->last_beat_ms);
    bool is_alive = age_ms <= BEAT_MAX_AGE_MS;

    if (is_alive)
        buf_append_text(body, "alive\n");
    else
        buf_append_format(body, "the main loop stands still since %lld s\n",
                          (long long)(age_ms / 1000));
    return is_alive ? HTTP_STATUS_OK : HTTP_STATUS_SERVICE_UNAVAILABLE;
}

/* Returns the status; type is set to the body's. */
static unsigned render(struct status_server *server, const char *path, struct buf *body,
                       const char **type)
{
    *type = "text/plain; charset=utf-8";
    if (strcmp(path, "/livez") == 0 || strcmp(path, "/healthz") == 0)
        return render_live(server, body);
    if (strcmp(path, "/readyz") == 0) {
        *type = "application/json";
        return render_ready(server, body);
    }
    if (strcmp(path, "/metrics") == 0) {
        *type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_render(server->metrics, body);
        return HTTP_STATUS_OK;
    }
    buf_append_text(body, "not here: /metrics, /livez, /readyz\n");
    return HTTP_STATUS_NOT_FOUND;
}

/* --- HTTP, on the server's thread --------------------------------------------------------------
 */

/* One request and its answer; libwebsockets keeps it, zeroed at first. */
struct exchange {
    struct buf body;
    size_t sent;
};

static int end_exchange(struct lws *connection, struct exchange *exchange)
{
    buf_clear(&exchange->body);
    return lws_http_transaction_completed(connection) ? -1 : 0;
}

static int write_head(struct lws *connection, unsigned status, const char *type, size_t length)
{
    unsigned char room[LWS_PRE + 1024];
    unsigned char *start = room + LWS_PRE, *at = start, *end = room + sizeof room - 1;

    if (lws_add_http_common_headers(connection, status, type, length, &at, end) ||
        lws_add_http_header_by_token(connection, WSI_TOKEN_HTTP_CACHE_CONTROL,
                                     (const unsigned char *)"no-store", 8, &at, end))
        return -1;
    return lws_finalize_write_http_header(connection, start, &at, end) ? -1 : 0;
}

static int answer(struct lws *connection, struct exchange *exchange, const char *path)
{
    struct status_server *server = lws_context_user(lws_get_context(connection));
    bool is_head = lws_hdr_total_length(connection, WSI_TOKEN_HEAD_URI) > 0;
    const char *type;
    unsigned status;

    buf_clear(&exchange->body);
    buf_init(&exchange->body, BODY_BYTES_MAX);
    exchange->sent = 0;
    if (!is_head && lws_hdr_total_length(connection, WSI_TOKEN_GET_URI) <= 0) {
        lws_return_http_status(connection, HTTP_STATUS_METHOD_NOT_ALLOWED, NULL);
        return -1; /* its body, if any, is not read */
    }
    status = render(server, path, &exchange->body, &type);
    if (exchange->body.overflowed)
        status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    if (write_head(connection, status, type, exchange->body.length) != 0)
        return -1;
    if (is_head || exchange->body.length == 0)
        return end_exchange(connection, exchange);
    lws_callback_on_writable(connection);
    return 0;
}

static int write_body(struct lws *connection, struct exchange *exchange)
{
    unsigned char room[LWS_PRE + CHUNK_BYTES];
    size_t left = exchange->body.length - exchange->sent;
    size_t length = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    bool is_last = length == left;

    if (length == 0)
        return 0;
    memcpy(room + LWS_PRE, exchange->body.data + exchange->sent, length);
    if (lws_write(connection, room + LWS_PRE, length,
                  is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)length)
        return -1;
    exchange->sent += length;
    if (is_last)
        return end_exchange(connection, exchange);
    lws_callback_on_writable(connection);
    return 0;
}

static int on_http(struct lws *connection, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return answer(connection, user, in);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return write_body(connection, user);
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (user)
            buf_clear(&((struct exchange *)user)->body);
        return 0;
    default:
        return lws_callback_http_dummy(connection, reason, user, in, length);
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_http, .per_session_data_size = sizeof(struct exchange)},
    {0},
};

static void *serve(void *argument)
{
    struct status_server *server = argument;

    while (!atomic_load(&server->is_stopping) && lws_service(server->context, 0) >= 0)
        ;
    return NULL;
}

/* --- life cycle --------------------------------------------------------------------------------
 */

/* Clients that send nonsense are "errors" to libwebsockets; here they are only odd. */
static void log_line(int level, const char *line)
{
    size_t length = strcspn(line, "\n");
    char text[REASON_BYTES];

    (void)level;
    snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1),
             line);
    log_warn("libwebsockets", LOG_STR("text", text));
}

struct listen_address {
    char host[NI_MAXHOST]; /* numeric; "" for all interfaces */
    int port;
    bool is_ipv6;
};

/* Makes the host numeric, which libwebsockets wants. Returns getaddrinfo's error. */
static int resolve(const char *host, struct listen_address *address)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);

    if (error)
        return error;
    address->is_ipv6 = found->ai_family == AF_INET6;
    error = getnameinfo(found->ai_addr, found->ai_addrlen, address->host, sizeof address->host,
                        NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (strcmp(address->host, "0.0.0.0") == 0 || strcmp(address->host, "::") == 0)
        address->host[0] = '\0';
    return error;
}

/* Reads "host:port", "[v6]:port" or ":port". */
static int parse_address(const char *text, struct listen_address *address, struct err *err)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    struct err ignored;
    int64_t port;
    char host[NI_MAXHOST];
    int error;

    if (!colon || length >= sizeof host ||
        text_view_read_int64(text_view_of(colon + 1), &port, &ignored) != 0 || port < 0 ||
        port > PORT_MAX)
        return err_set(err, ERR_CONFIG, "status address '%s' is not host:port", text);
    address->port = (int)port;
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
        snprintf(host, sizeof host, "%.*s", (int)length - 2, text + 1);
    else
        snprintf(host, sizeof host, "%.*s", (int)length, text);
    error = resolve(length > 0 ? host : "0.0.0.0", address);
    if (error)
        return err_set(err, ERR_CONFIG, "status address: host '%s': %s", host, gai_strerror(error));
    return 0;
}

static int listen_on(struct status_server *server, const struct listen_address *address,
                     const char *text, struct err *err)
{
    const struct lws_context_creation_info info = {
        .port = address->port,
        .iface = address->host[0] ? address->host : NULL,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (address->is_ipv6 ? 0 : (uint64_t)LWS_SERVER_OPTION_DISABLE_IPV6),
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = server,
        .fd_limit_per_thread = CONNECTIONS_MAX,
        .max_http_header_data = HEADER_BYTES_MAX,
        .max_http_header_pool = 8,
        .pt_serv_buf_size = CHUNK_BYTES,
        .timeout_secs = REQUEST_TIMEOUT_S,
        .keepalive_timeout = REQUEST_TIMEOUT_S,
    };

    lws_set_log_level(LLL_ERR, log_line);
    server->context = lws_create_context(&info);
    if (server->context)
        server->vhost = lws_create_vhost(server->context, &info);
    if (!server->vhost || lws_get_vhost_listen_port(server->vhost) <= 0)
        return err_set(err, ERR_SYSTEM, "cannot listen on %s for status requests", text);
    return 0;
}

static void release(struct status_server *server)
{
    if (server->context)
        lws_context_destroy(server->context);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

struct status_server *status_server_start(const char *address, struct metrics *metrics,
                                          struct err *err)
{
    struct listen_address where = {0};
    struct status_server *server;
    int error;

    if (parse_address(address, &where, err) != 0)
        return NULL;
    server = mem_calloc(1, sizeof *server);
    server->metrics = metrics;
    pthread_mutex_init(&server->lock, NULL);
    status_server_beat(server);
    if (listen_on(server, &where, address, err) != 0)
        goto fail;
    error = pthread_create(&server->thread, NULL, serve, server);
    if (error != 0) {
        err_set(err, ERR_SYSTEM, "status server: cannot start a thread: %s", strerror(error));
        goto fail;
    }
    return server;
fail:
    release(server);
    return NULL;
}

void status_server_stop(struct status_server *server)
{
    if (!server)
        return;
    atomic_store(&server->is_stopping, true);
    lws_cancel_service(server->context);
    pthread_join(server->thread, NULL);
    release(server);
}

int status_server_port(const struct status_server *server)
{
    return lws_get_vhost_listen_port(server->vhost);
}

static struct condition *add_condition(struct status_server *server, const char *name)
{
    struct condition *condition = &server->conditions[server->condition_count++];
    char labels[NAME_BYTES + sizeof "condition=\"\""];

    snprintf(condition->name, sizeof condition->name, "%s", name);
    snprintf(labels, sizeof labels, "condition=\"%s\"", condition->name);
    condition->shown = metrics_gauge(server->metrics, "currency_trends_ready",
                                     "1 while this condition of readiness holds.", labels);
    return condition;
}

void status_server_set_condition(struct status_server *server, const char *name, bool ready,
                                 const char *reason)
{
    struct condition *condition = NULL;

    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->condition_count && !condition; i++) {
        if (strcmp(server->conditions[i].name, name) == 0)
            condition = &server->conditions[i];
    }
    if (!condition && server->condition_count < CONDITIONS_MAX)
        condition = add_condition(server, name);
    if (condition) {
        condition->is_ready = ready;
        metric_set(condition->shown, ready);
        snprintf(condition->reason, sizeof condition->reason, "%s", reason ? reason : "");
    }
    pthread_mutex_unlock(&server->lock);
}

void status_server_beat(struct status_server *server)
{
    atomic_store(&server->last_beat_ms, clock_monotonic_ms());
}
