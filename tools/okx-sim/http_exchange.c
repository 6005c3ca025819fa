#include "http_exchange.h"

#include <stdio.h>
#include <string.h>

enum { PART_BYTES = 32 * 1024, HEAD_BYTES = 1024, CHUNK_FRAME_BYTES = 16 };

static void read_header(struct lws *wsi, const char *name, char *value)
{
    if (lws_hdr_custom_copy(wsi, value, HTTP_REQUEST_TEXT_BYTES, name, (int)strlen(name)) < 0)
        *value = '\0';
}

void http_exchange_read(struct lws *wsi, const char *path, struct http_request *request)
{
    char text[HTTP_REQUEST_TEXT_BYTES + sizeof request->parameters[0].name];

    memset(request, 0, sizeof *request);
    request->is_post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    snprintf(request->path, sizeof request->path, "%s", path);
    lws_get_peer_simple(wsi, request->peer, sizeof request->peer);
    for (int i = 0; lws_hdr_copy_fragment(wsi, text, sizeof text, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0;
         i++)
        http_request_add_parameter(request, text);
    read_header(wsi, "ok-access-key:", request->access_key);
    read_header(wsi, "ok-access-sign:", request->access_sign);
    read_header(wsi, "ok-access-timestamp:", request->access_timestamp);
    read_header(wsi, "ok-access-passphrase:", request->access_passphrase);
}

struct http_reply *http_exchange_begin(struct http_exchange *exchange)
{
    http_exchange_clear(exchange);
    http_reply_init(&exchange->reply);
    exchange->is_used = true;
    return &exchange->reply;
}

void http_exchange_clear(struct http_exchange *exchange)
{
    if (exchange->is_used)
        http_reply_clear(&exchange->reply);
    memset(exchange, 0, sizeof *exchange);
}

int http_exchange_start(struct http_exchange *exchange, struct lws *wsi, int64_t delay_ms)
{
    if (exchange->reply.fault == HTTP_REPLY_HANG) {
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* the client's patience decides */
        return 0;
    }
    if (delay_ms > 0)
        lws_set_timer_usecs(wsi, delay_ms * LWS_US_PER_MS);
    else
        lws_callback_on_writable(wsi);
    return 0;
}

static int send_head(struct http_exchange *exchange, struct lws *wsi)
{
    unsigned char head[LWS_PRE + HEAD_BYTES];
    unsigned char *start = head + LWS_PRE, *at = start, *end = head + sizeof head;
    const struct http_reply *reply = &exchange->reply;

    exchange->is_chunked = reply->append_more != NULL;
    exchange->has_sent_head = true;
    if (lws_add_http_header_status(wsi, (unsigned)reply->status, &at, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE,
                                     (const unsigned char *)reply->content_type,
                                     (int)strlen(reply->content_type), &at, end))
        return -1;
    if (reply->location[0] != '\0' &&
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_LOCATION,
                                     (const unsigned char *)reply->location,
                                     (int)strlen(reply->location), &at, end))
        return -1;
    if (exchange->is_chunked) {
        if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING,
                                         (const unsigned char *)"chunked", 7, &at, end))
            return -1;
    } else if (lws_add_http_header_content_length(wsi, reply->body.length, &at, end)) {
        return -1;
    }
    if (lws_finalize_http_header(wsi, &at, end))
        return -1;
    return lws_write(wsi, start, (size_t)(at - start), LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

/* The next part of a body whose length is known. Returns 1 when it was the last. */
static int send_part(struct http_exchange *exchange, struct lws *wsi)
{
    unsigned char part[LWS_PRE + PART_BYTES];
    const struct http_reply *reply = &exchange->reply;
    size_t end = reply->body.length;
    size_t length;

    if (reply->fault == HTTP_REPLY_TRUNCATE)
        end /= 2;
    length = end - exchange->sent < PART_BYTES ? end - exchange->sent : PART_BYTES;
    if (length > 0)
        memcpy(part + LWS_PRE, reply->body.data + exchange->sent, length);
    exchange->sent += length;
    if (lws_write(wsi, part + LWS_PRE, length,
                  exchange->sent == end ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    if (reply->fault == HTTP_REPLY_TRUNCATE && exchange->sent == end)
        return -1;
    return exchange->sent == end;
}

/* The next chunk of a body that goes on; an empty one ends it. Returns 1 when it was the last. */
static int send_chunk(struct http_exchange *exchange, struct lws *wsi)
{
    static const char headroom[LWS_PRE + CHUNK_FRAME_BYTES];
    struct buf *body = &exchange->reply.body;
    char size[CHUNK_FRAME_BYTES];
    size_t size_length;
    bool is_last;

    buf_reset(body);
    buf_append(body, headroom, sizeof headroom);
    exchange->reply.append_more(exchange->reply.context, body);
    is_last = body->length == sizeof headroom;
    size_length = (size_t)snprintf(size, sizeof size, "%zx\r\n", body->length - sizeof headroom);
    memcpy(body->data + sizeof headroom - size_length, size, size_length);
    buf_append_text(body, "\r\n");
    if (lws_write(wsi, (unsigned char *)body->data + sizeof headroom - size_length,
                  body->length - sizeof headroom + size_length,
                  is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
        return -1;
    return is_last;
}

int http_exchange_continue(struct http_exchange *exchange, struct lws *wsi)
{
    int result;

    if (!exchange->is_used || exchange->reply.fault == HTTP_REPLY_HANG)
        return 0;
    if (!exchange->has_sent_head && send_head(exchange, wsi) != 0)
        return -1;
    result = exchange->is_chunked ? send_chunk(exchange, wsi) : send_part(exchange, wsi);
    if (result < 0)
        return -1;
    if (result == 0) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    http_exchange_clear(exchange);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}
