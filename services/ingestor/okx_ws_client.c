#include "okx_ws_client.h"

#include <libwebsockets.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text_view.h"

enum {
    CONNECT_TIMEOUT_S = 10,
    RECEIVE_BUFFER_BYTES = 64 * 1024,
    CLOSE_REASON_BYTES = 240,
    /* libwebsockets has tables of this size, by default of as many as the process may open: 16 MiB
     * where containers allow a million. */
    SOCKETS_MAX = 4096,
    /* Long enough for what is asked for together to go out in one request. */
    SOON_MS = 10,
};

struct outgoing {
    struct outgoing *next;
    size_t length;
    unsigned char bytes[]; /* LWS_PRE bytes of room, then the text */
};

struct okx_ws_link {
    struct okx_ws_client *client;
    struct okx_ws_link *next;
    struct lws *wsi; /* NULL once closed */
    void *context;
    struct buf message; /* being reassembled */
    bool is_skipping;   /* the rest of an oversized message */
    bool is_open;
    bool is_closed; /* waits for its on_close */
    enum okx_ws_close_kind close_kind;
    char close_reason[CLOSE_REASON_BYTES];
    char tls_fault[CLOSE_REASON_BYTES]; /* why the handshake failed, or "" */
    struct outgoing *first, *last;
};

struct okx_ws_client {
    struct lws_context *lws;
    struct okx_ws_handler handler;
    struct okx_ws_link *links;
    lws_sorted_usec_list_t timer;
    bool is_turn_soon; /* the timer has been brought forward */
    bool should_stop;
    bool uses_tls;
    char *url; /* owned; cut into its parts */
    const char *host;
    char *base_path; /* owned; without slashes at its ends */
    int port;
    char *user_agent;
    char *ca_file;
};

static void free_link(struct okx_ws_link *link)
{
    while (link->first) {
        struct outgoing *next = link->first->next;

        free(link->first);
        link->first = next;
    }
    buf_clear(&link->message);
    free(link);
}

static void mark_closed(struct okx_ws_link *link, enum okx_ws_close_kind kind, const char *reason)
{
    if (link->wsi)
        lws_set_opaque_user_data(link->wsi, NULL); /* its last events may come after the link */
    link->wsi = NULL;
    link->is_open = false;
    link->is_closed = true;
    if (link->close_kind == OKX_WS_CLOSED_BY_PEER)
        return; /* the close frame said more */
    link->close_kind = kind;
    snprintf(link->close_reason, sizeof link->close_reason, "%s", reason);
}

/* --- what libwebsockets tells us ----------------------------------------------------------------
 */

static void receive(struct okx_ws_link *link, const void *bytes, size_t length)
{
    const struct okx_ws_handler *handler = &link->client->handler;
    bool is_final = lws_is_final_fragment(link->wsi);

    if (lws_is_first_fragment(link->wsi)) {
        buf_reset(&link->message);
        link->is_skipping = false;
        if (is_final && length > 0 && length <= link->message.max_bytes) { /* whole: as it lies */
            handler->on_message(bytes, length, link->context);
            return;
        }
    }
    if (!link->is_skipping && buf_append(&link->message, bytes, length) != 0) {
        link->is_skipping = true;
        handler->on_oversize(link->message.data ? link->message.data : "", link->message.length,
                             link->context);
    }
    if (!is_final || link->is_skipping)
        return;
    handler->on_message(link->message.data ? link->message.data : "", link->message.length,
                        link->context);
    buf_reset(&link->message);
}

static int write_next(struct okx_ws_link *link)
{
    struct outgoing *outgoing = link->first;

    if (!outgoing)
        return 0;
    if (lws_write(link->wsi, outgoing->bytes + LWS_PRE, outgoing->length, LWS_WRITE_TEXT) < 0)
        return -1;
    link->first = outgoing->next;
    if (!link->first)
        link->last = NULL;
    else
        lws_callback_on_writable(link->wsi);
    free(outgoing);
    return 0;
}

static void note_peer_close(struct okx_ws_link *link, const unsigned char *payload, size_t length)
{
    if (length < 2)
        return;
    link->close_kind = OKX_WS_CLOSED_BY_PEER;
    snprintf(link->close_reason, sizeof link->close_reason, "%d %.*s", payload[0] << 8 | payload[1],
             (int)(length - 2 < 120 ? length - 2 : 120), (const char *)payload + 2);
}

static int append_user_agent(struct okx_ws_link *link, struct lws *wsi, unsigned char **position,
                             size_t room)
{
    const char *user_agent = link->client->user_agent;

    return lws_add_http_header_by_name(
        wsi, (const unsigned char *)"user-agent:", (const unsigned char *)user_agent,
        (int)strlen(user_agent), position, *position + room);
}

/* libwebsockets' own reason for a failed handshake is only a number. */
static void note_refused_certificate(struct okx_ws_link *link, X509_STORE_CTX *verification)
{
    const X509 *certificate = X509_STORE_CTX_get_current_cert(verification);
    char subject[64] = "?";
    char issuer[64] = "?";

    if (certificate) {
        X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof subject);
        X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof issuer);
    }
    snprintf(link->tls_fault, sizeof link->tls_fault,
             "TLS certificate refused: %s (subject %s, issuer %s)",
             X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification)), subject,
             issuer);
}

/* For OpenSSL: an alert of ours or of the server's, unless the certificate has told more already.
 */
static void on_tls_event(const SSL *tls, int where, int value)
{
    const struct okx_ws_client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
    struct okx_ws_link *link = client->links;

    if (!(where & SSL_CB_ALERT) || value >> 8 != SSL3_AL_FATAL)
        return;
    while (link && (!link->wsi || lws_get_ssl(link->wsi) != tls))
        link = link->next;
    if (link && link->tls_fault[0] == '\0')
        snprintf(link->tls_fault, sizeof link->tls_fault, "TLS handshake failed: %s",
                 SSL_alert_desc_string_long(value));
}

/* libwebsockets would pass the events on by itself, but 4.1 crashes on those of a client. */
static void watch_tls(struct lws *wsi, SSL_CTX *tls)
{
    SSL_CTX_set_app_data(tls, lws_context_user(lws_get_context(wsi)));
    SSL_CTX_set_info_callback(tls, on_tls_event);
}

static void note_failed_attempt(struct okx_ws_link *link, const char *text)
{
    if (link->tls_fault[0] != '\0')
        text = link->tls_fault;
    mark_closed(link, OKX_WS_CONNECT_FAILED, text ? text : "no reason given");
}

static void on_timer(lws_sorted_usec_list_t *timer);

/* Brought forward once, so that a turn is never put off by many wakes. */
static void turn_soon(struct okx_ws_client *client)
{
    if (client->is_turn_soon)
        return;
    client->is_turn_soon = true;
    lws_sul_schedule(client->lws, 0, &client->timer, on_timer, SOON_MS * LWS_US_PER_MS);
}

/* One switch over libwebsockets' events. */
static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t length)
{
    struct okx_ws_link *link = wsi ? lws_get_opaque_user_data(wsi) : NULL;

    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS)
        watch_tls(wsi, user);
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED)
        turn_soon(lws_context_user(lws_get_context(wsi)));
    if (!link)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_user_agent(link, wsi, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        link->is_open = true;
        link->client->handler.on_open(link->context);
        turn_soon(link->client);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(link, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_next(link);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_peer_close(link, in, length);
        return 0;
    case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
        if (length == 0) /* OpenSSL has refused it, and so it stays */
            note_refused_certificate(link, user);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        note_failed_attempt(link, in);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        mark_closed(link, OKX_WS_LOST, "without a close frame");
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        mark_closed(link, OKX_WS_LOST, "ended");
        return 0;
    default:
        return 0;
    }
}

/* Delivered here and not from within libwebsockets, so that a handler may open and close links. */
static void deliver_closed(struct okx_ws_client *client)
{
    struct okx_ws_link **place = &client->links;

    while (*place) {
        struct okx_ws_link *link = *place;

        if (!link->is_closed) {
            place = &link->next;
            continue;
        }
        *place = link->next;
        client->handler.on_close(link->close_kind, link->close_reason, link->context);
        free_link(link);
        place = &client->links;
    }
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    struct okx_ws_client *client = lws_container_of(timer, struct okx_ws_client, timer);

    client->is_turn_soon = false;
    lws_sul_schedule(client->lws, 0, timer, on_timer, OKX_WS_TURN_MS * LWS_US_PER_MS);
    deliver_closed(client);
    client->handler.on_turn(client->handler.context);
}

static void on_lws_log(int level, const char *line)
{
    char text[256];

    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
    if (level & LLL_ERR)
        log_warn("libwebsockets", LOG_STR("text", text));
    else
        log_debug("libwebsockets", LOG_STR("text", text));
}

/* --- life cycle ---------------------------------------------------------------------------------
 */

static int parse_url(struct okx_ws_client *client, const char *url, struct err *err)
{
    const char *scheme = NULL;
    const char *path = NULL;

    client->url = mem_strdup(url);
    if (lws_parse_uri(client->url, &scheme, &client->host, &client->port, &path) != 0 ||
        client->host[0] == '\0')
        return err_set(err, ERR_CONFIG, "'%s' is no URL", url);
    client->uses_tls = strcmp(scheme, "wss") == 0;
    if (!client->uses_tls && strcmp(scheme, "ws") != 0)
        return err_set(err, ERR_CONFIG, "'%s' begins with neither wss:// nor ws://", url);

    struct text_view trimmed = text_view_of(path + strspn(path, "/"));
    while (trimmed.length > 0 && trimmed.data[trimmed.length - 1] == '/')
        trimmed.length--;
    client->base_path = mem_strndup(trimmed.data, trimmed.length);
    return 0;
}

struct okx_ws_client *okx_ws_client_create(const struct okx_ws_options *options,
                                           const struct okx_ws_handler *handler, struct err *err)
{
    static const struct lws_protocols protocols[] = {
        {.name = "okx", .callback = on_lws, .rx_buffer_size = RECEIVE_BUFFER_BYTES},
        {0},
    };
    static const lws_retry_bo_t no_control_pings = {0};
    struct okx_ws_client *client = mem_calloc(1, sizeof *client);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .fd_limit_per_thread = SOCKETS_MAX,
        .timeout_secs = CONNECT_TIMEOUT_S,
        .connect_timeout_secs = CONNECT_TIMEOUT_S,
        .retry_and_idle_policy = &no_control_pings,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = client,
    };

    client->handler = *handler;
    client->user_agent = mem_strdup(options->user_agent);
    client->ca_file = mem_strdup(options->ca_file);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    if (parse_url(client, options->url, err) != 0)
        goto fail;
    if (client->uses_tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = client->ca_file;
        info.ssl_client_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
        if (client->ca_file)
            info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
    }
    client->lws = lws_create_context(&info);
    if (!client->lws) {
        err_set(err, ERR_SYSTEM, "libwebsockets could not start");
        goto fail;
    }
    lws_sul_schedule(client->lws, 0, &client->timer, on_timer, OKX_WS_TURN_MS * LWS_US_PER_MS);
    return client;
fail:
    okx_ws_client_destroy(client);
    return NULL;
}

void okx_ws_client_destroy(struct okx_ws_client *client)
{
    if (!client)
        return;
    if (client->lws) {
        lws_sul_cancel(&client->timer);
        lws_context_destroy(client->lws);
    }
    while (client->links) {
        struct okx_ws_link *next = client->links->next;

        free_link(client->links);
        client->links = next;
    }
    free(client->url);
    free(client->base_path);
    free(client->user_agent);
    free(client->ca_file);
    free(client);
}

void okx_ws_client_run(struct okx_ws_client *client)
{
    while (!client->should_stop && lws_service(client->lws, 0) >= 0)
        continue;
}

void okx_ws_client_stop(struct okx_ws_client *client)
{
    client->should_stop = true;
}

void okx_ws_client_wake(struct okx_ws_client *client)
{
    lws_cancel_service(client->lws);
}

/* libwebsockets does not say why it could not even begin; mostly the name cannot be resolved. */
static void mark_unreachable(struct okx_ws_link *link)
{
    char reason[CLOSE_REASON_BYTES] = "could not begin to connect";
    struct addrinfo *addresses = NULL;
    int error = getaddrinfo(link->client->host, NULL, NULL, &addresses);

    if (error == 0)
        freeaddrinfo(addresses);
    else
        (void)snprintf(reason, sizeof reason, "%.80s: %s", link->client->host, gai_strerror(error));
    mark_closed(link, OKX_WS_CONNECT_FAILED, reason);
}

/* --- links --------------------------------------------------------------------------------------
 */

struct okx_ws_link *okx_ws_client_connect(struct okx_ws_client *client, const char *path,
                                          void *link_context)
{
    struct okx_ws_link *link = mem_calloc(1, sizeof *link);
    char *whole_path = client->base_path[0] != '\0' ? mem_sprintf("/%s%s", client->base_path, path)
                                                    : mem_strdup(path);
    struct lws_client_connect_info info = {
        .context = client->lws,
        .address = client->host,
        .port = client->port,
        .ssl_connection = client->uses_tls ? LCCSCF_USE_SSL : 0,
        .path = whole_path,
        .host = client->host,
        .origin = NULL,
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = "okx",
        .alpn = "http/1.1",
        .opaque_user_data = link,
        .pwsi = &link->wsi,
    };

    link->client = client;
    link->context = link_context;
    link->close_kind = OKX_WS_LOST;
    buf_init(&link->message, OKX_WS_MESSAGE_BYTES_MAX);
    link->next = client->links;
    client->links = link;
    if (!lws_client_connect_via_info(&info) && !link->is_closed)
        mark_unreachable(link);
    free(whole_path);
    return link;
}

void okx_ws_link_send(struct okx_ws_link *link, const char *text, size_t length)
{
    struct outgoing *outgoing = mem_alloc(sizeof *outgoing + LWS_PRE + length);

    outgoing->next = NULL;
    outgoing->length = length;
    memcpy(outgoing->bytes + LWS_PRE, text, length);
    if (link->last)
        link->last->next = outgoing;
    else
        link->first = outgoing;
    link->last = outgoing;
    if (link->wsi && link->is_open)
        lws_callback_on_writable(link->wsi);
}

void okx_ws_link_set_reading(struct okx_ws_link *link, bool reads)
{
    if (link->wsi && link->is_open)
        lws_rx_flow_control(link->wsi, reads ? 1 : 0);
}

void okx_ws_link_close(struct okx_ws_link *link)
{
    if (link->wsi)
        lws_set_timeout(link->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}
