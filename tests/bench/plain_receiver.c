#include "plain_receiver.h"

#include <libwebsockets.h>
#include <stdbool.h>

#include "base/buf.h"

enum { RECEIVE_BUFFER_BYTES = 64 * 1024, MESSAGE_BYTES_MAX = 1 << 20 };

struct receiver {
    plain_receiver_fn *on_text;
    void *context;
    size_t instruments;
    struct buf message; /* what lws gives in pieces */
    bool has_ended;
    bool has_failed;
};

static int subscribe(const struct receiver *receiver, struct lws *wsi)
{
    static const char room[LWS_PRE];
    struct buf request;
    int status = -1;

    buf_init(&request, MESSAGE_BYTES_MAX);
    (void)buf_append(&request, room, sizeof room);
    (void)buf_append_text(&request, "{\"op\":\"subscribe\",\"args\":[");
    for (size_t i = 0; i < receiver->instruments; i++)
        (void)buf_append_format(&request,
                                "%s{\"channel\":\"trades-all\",\"instId\":\"" INST_ID_FORMAT "\"}",
                                i > 0 ? "," : "", i);
    (void)buf_append_text(&request, "]}");
    if (lws_write(wsi, (unsigned char *)request.data + LWS_PRE, request.length - LWS_PRE,
                  LWS_WRITE_TEXT) > 0)
        status = 0;
    buf_clear(&request);
    return status;
}

static void receive(struct receiver *receiver, struct lws *wsi, const char *bytes, size_t length)
{
    bool is_final = lws_is_final_fragment(wsi);

    if (receiver->message.length > 0 || !is_final) {
        (void)buf_append(&receiver->message, bytes, length);
        if (!is_final)
            return;
        bytes = receiver->message.data;
        length = receiver->message.length;
    }
    if (!receiver->on_text(bytes, length, receiver->context))
        receiver->has_ended = true;
    buf_reset(&receiver->message);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t length)
{
    struct receiver *receiver = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!receiver)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return subscribe(receiver, wsi);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(receiver, wsi, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        receiver->has_failed = true;
        return 0;
    default:
        return 0;
    }
}

int plain_receiver_run(int port, size_t instruments, plain_receiver_fn *on_text, void *context)
{
    static const struct lws_protocols protocols[] = {
        {.name = "okx", .callback = on_lws, .rx_buffer_size = RECEIVE_BUFFER_BYTES},
        {0},
    };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };
    struct receiver receiver = {
        .on_text = on_text,
        .context = context,
        .instruments = instruments,
    };
    struct lws_context *lws;
    struct lws_client_connect_info connect = {
        .address = "127.0.0.1",
        .port = port,
        .path = "/ws/v5/business",
        .host = "127.0.0.1",
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = "okx",
        .alpn = "http/1.1",
        .opaque_user_data = &receiver,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    lws = lws_create_context(&info);
    if (!lws)
        return -1;
    buf_init(&receiver.message, MESSAGE_BYTES_MAX);
    connect.context = lws;
    if (!lws_client_connect_via_info(&connect))
        receiver.has_failed = true;
    while (!receiver.has_ended && !receiver.has_failed && lws_service(lws, 0) >= 0)
        continue;
    lws_context_destroy(lws);
    buf_clear(&receiver.message);
    return receiver.has_ended ? 0 : -1;
}
