#include "ws_connection.h"

#include <string.h>

/* A batch of frames goes out in one call, then other connections have their turn. */
enum { BATCH_BYTES = 64 * 1024, CLOSE_PATIENCE_S = 2 };

static const struct {
    const char *uri;
    enum ws_path path;
} paths[] = {
    {"/ws/v5/public", WS_PATH_PUBLIC},
    {"/ws/v5/business", WS_PATH_BUSINESS},
};

/* The position in paths, or -1. */
static int find_path(struct lws *wsi)
{
    char uri[128];

    if (lws_hdr_copy(wsi, uri, sizeof uri, WSI_TOKEN_GET_URI) < 0)
        return -1;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (strcmp(paths[i].uri, uri) == 0)
            return (int)i;
    }
    return -1;
}

int ws_connection_confirm(struct lws *wsi, struct ws_hub *hub, struct instant now)
{
    int path = find_path(wsi);
    char peer[64] = "";

    if (faults_is_refusing(hub->faults, now))
        return -1;
    if (path < 0)
        return lws_return_http_status(wsi, HTTP_STATUS_NOT_FOUND, NULL) ? -1 : 1;
    lws_get_peer_simple(wsi, peer, sizeof peer);
    if (!ws_hub_admit(hub, peer, now))
        return lws_return_http_status(wsi, 429, NULL) ? -1 : 1;
    lws_set_opaque_user_data(wsi, (void *)&paths[path]); /* the request is gone once it is open */
    return 0;
}

void ws_connection_open(struct ws_connection *connection, struct lws *wsi, struct ws_hub *hub,
                        struct instant now)
{
    size_t path = 0;

    while (&paths[path] != lws_get_opaque_user_data(wsi))
        path++;
    connection->session = ws_session_create(hub, paths[path].path, now);
    connection->is_ending = false;
    ws_session_set_owner(connection->session, wsi);
    buf_init(&connection->message, WS_MESSAGE_BYTES_MAX);
}

void ws_connection_close(struct ws_connection *connection)
{
    if (!connection->session)
        return;
    ws_session_destroy(connection->session);
    connection->session = NULL;
    buf_clear(&connection->message);
}

static int close_with(struct lws *wsi, int code, const char *reason)
{
    char text[128] = "";

    memcpy(text, reason, strnlen(reason, sizeof text - 1));
    lws_close_reason(wsi, (enum lws_close_status)code, (unsigned char *)text, strlen(text));
    return -1;
}

int ws_connection_receive(struct ws_connection *connection, struct lws *wsi, const void *bytes,
                          size_t length, struct instant now)
{
    struct buf *message = &connection->message;

    if (buf_append(message, bytes, length) != 0)
        return close_with(wsi, WS_CLOSE_TOO_LONG,
                          "Request message exceeds the maximum frame length");
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
        return 0;
    ws_session_on_message(connection->session, message->data, message->length, now);
    buf_reset(message);
    if (ws_session_has_output(connection->session, now))
        lws_callback_on_writable(wsi);
    return 0;
}

int ws_connection_write(struct ws_connection *connection, struct lws *wsi, struct instant now,
                        struct buf *out)
{
    static const char headroom[LWS_PRE];
    const char *reason;
    int code = ws_session_end(connection->session, now, &reason);

    if (code != 0)
        return code == WS_DROP ? -1 : close_with(wsi, code, reason);
    buf_reset(out);
    buf_append(out, headroom, sizeof headroom);
    ws_session_append_output(connection->session, now, BATCH_BYTES, out);
    /* Our own framing, hence raw: what the socket does not take, lws keeps and sends first. */
    if (out->length > sizeof headroom &&
        lws_write(wsi, (unsigned char *)out->data + sizeof headroom, out->length - sizeof headroom,
                  LWS_WRITE_RAW) < 0)
        return -1;
    if (ws_session_has_output(connection->session, now))
        lws_callback_on_writable(wsi);
    return 0;
}

static void end_connection(struct lws *wsi, int code)
{
    struct ws_connection *connection = lws_wsi_user(wsi);

    if (connection->is_ending)
        return;
    connection->is_ending = true;
    if (code == WS_DROP) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        return;
    }
    /* The close frame goes out with the next write; who reads nothing is cut off. */
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, CLOSE_PATIENCE_S);
    lws_callback_on_writable(wsi);
}

void ws_connection_tick(struct ws_hub *hub, struct instant now)
{
    for (struct ws_session *s = hub->sessions; s; s = ws_session_next(s)) {
        struct lws *wsi = ws_session_owner(s);
        const char *reason;
        int code = ws_session_end(s, now, &reason);
        if (code != 0)
            end_connection(wsi, code);
        else if (ws_session_has_output(s, now))
            lws_callback_on_writable(wsi);
    }
}
