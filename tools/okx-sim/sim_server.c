#include "sim_server.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "http_exchange.h"
#include "ws_connection.h"

enum {
    TICK_MS = 5,
    RECEIVE_BYTES = 8192,
    HEADER_SETS = 512, /* connections that may be between request and answer at once */
    OUT_BYTES_MAX = 2 << 20,
};

struct sim_server {
    struct sim_server_options options;
    struct lws_context *context;
    struct lws_vhost *vhost, *admin_vhost;
    lws_sorted_usec_list_t tick;
    struct buf out; /* working memory of writes */
};

/* What libwebsockets keeps per connection; zeroed by it. */
struct connection {
    struct http_exchange http;
    struct ws_connection ws;
};

static struct instant instant_now(void)
{
    return (struct instant){.wall_ms = clock_wall_ms(), .monotonic_us = clock_monotonic_us()};
}

static struct sim_server *server_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

static int answer_okx(struct sim_server *server, struct lws *wsi, struct connection *connection,
                      const char *path)
{
    struct http_request request;

    http_exchange_read(wsi, path, &request);
    rest_api_answer(server->options.rest, &request, instant_now(),
                    http_exchange_begin(&connection->http));
    return http_exchange_start(&connection->http, wsi, server->options.rest_latency_ms);
}

static int answer_admin(struct sim_server *server, struct lws *wsi, struct connection *connection,
                        const char *path)
{
    struct http_request request;

    http_exchange_read(wsi, path, &request);
    admin_api_answer(server->options.admin, &request, instant_now(),
                     http_exchange_begin(&connection->http));
    return http_exchange_start(&connection->http, wsi, 0);
}

static int on_admin_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                          size_t length)
{
    struct connection *connection = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return answer_admin(server_of(wsi), wsi, connection, in);
    case LWS_CALLBACK_HTTP_BODY: /* orders have none that matters */
        return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return lws_callback_on_writable(wsi) < 0 ? -1 : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_exchange_continue(&connection->http, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return -1;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (connection)
            http_exchange_clear(&connection->http);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}

static int on_okx_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                        size_t length)
{
    struct connection *connection = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return answer_okx(server_of(wsi), wsi, connection, in);
    case LWS_CALLBACK_HTTP_BODY: /* nothing here takes one */
        return 0;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_TIMER:
        return lws_callback_on_writable(wsi) < 0 ? -1 : 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_exchange_continue(&connection->http, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return ws_connection_confirm(wsi, server_of(wsi)->options.hub, instant_now());
    case LWS_CALLBACK_ESTABLISHED:
        ws_connection_open(&connection->ws, wsi, server_of(wsi)->options.hub, instant_now());
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return ws_connection_receive(&connection->ws, wsi, in, length, instant_now());
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws_connection_write(&connection->ws, wsi, instant_now(), &server_of(wsi)->out);
    case LWS_CALLBACK_CLOSED:
        ws_connection_close(&connection->ws);
        return 0;
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
        if (connection)
            http_exchange_clear(&connection->http);
        return 0;
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, length);
    }
}

static const struct lws_protocols okx_protocols[] = {
    {.name = "okx",
     .callback = on_okx_event,
     .per_session_data_size = sizeof(struct connection),
     .rx_buffer_size = RECEIVE_BYTES},
    {.name = NULL},
};
static const struct lws_protocols admin_protocols[] = {
    {.name = "admin",
     .callback = on_admin_event,
     .per_session_data_size = sizeof(struct connection)},
    {.name = NULL},
};

static void on_tick(lws_sorted_usec_list_t *tick)
{
    struct sim_server *server = lws_container_of(tick, struct sim_server, tick);

    ws_connection_tick(server->options.hub, instant_now());
    lws_sul_schedule(server->context, 0, &server->tick, on_tick, TICK_MS * LWS_US_PER_MS);
}

static void on_lws_line(int level, const char *line)
{
    char *text = mem_strndup(line, strcspn(line, "\n"));

    if (level & LLL_ERR)
        log_error("libwebsockets", LOG_STR("detail", text));
    else
        log_warn("libwebsockets", LOG_STR("detail", text));
    free(text);
}

static struct lws_vhost *listen_on(struct sim_server *server, const char *name,
                                   const struct listen_address *address,
                                   const struct lws_protocols *protocols, bool has_tls)
{
    struct lws_context_creation_info info = {
        .port = address->port,
        .iface = address->host,
        .vhost_name = name,
        .protocols = protocols,
        .alpn = "http/1.1",
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_DISABLE_IPV6,
        .keepalive_timeout = 60,
    };

    if (has_tls && server->options.tls_cert_file) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = server->options.tls_cert_file;
        info.ssl_private_key_filepath = server->options.tls_key_file;
    }
    return lws_create_vhost(server->context, &info);
}

struct sim_server *sim_server_create(const struct sim_server_options *options, struct err *err)
{
    struct sim_server *server = mem_calloc(1, sizeof *server);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   (options->tls_cert_file ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .max_http_header_pool = HEADER_SETS,
        .user = server,
    };

    server->options = *options;
    buf_init(&server->out, OUT_BYTES_MAX);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_line);
    server->context = lws_create_context(&info);
    if (!server->context) {
        err_set(err, ERR_SYSTEM, "libwebsockets could not start");
        goto failed;
    }
    server->vhost = listen_on(server, "okx", &options->address, okx_protocols, true);
    server->admin_vhost =
        server->vhost ? listen_on(server, "admin", &options->admin_address, admin_protocols, false)
                      : NULL;
    if (!server->admin_vhost) {
        const struct listen_address *address =
            server->vhost ? &options->admin_address : &options->address;
        err_set(err, ERR_SYSTEM, "could not listen on %s:%d", address->host, address->port);
        goto failed;
    }
    lws_sul_schedule(server->context, 0, &server->tick, on_tick, TICK_MS * LWS_US_PER_MS);
    return server;
failed:
    sim_server_destroy(server);
    return NULL;
}

void sim_server_destroy(struct sim_server *server)
{
    if (!server)
        return;
    if (server->context)
        lws_context_destroy(server->context);
    buf_clear(&server->out);
    free(server);
}

int sim_server_port(const struct sim_server *server)
{
    return lws_get_vhost_listen_port(server->vhost);
}

int sim_server_admin_port(const struct sim_server *server)
{
    return lws_get_vhost_listen_port(server->admin_vhost);
}

void sim_server_run(struct sim_server *server)
{
    /* The tick wakes the loop, so a signal is seen within a few milliseconds. */
    while (!shutdown_requested() && lws_service(server->context, 0) >= 0)
        ;
}
