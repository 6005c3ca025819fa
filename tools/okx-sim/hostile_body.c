#include "hostile_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PIECE_BYTES = 64 * 1024, HUGE_BYTES = 100000000, NESTED_BYTES = 10000, ROWS = 2000000 };

/* A body: a beginning, one text again and again, an end. */
struct body {
    const char *begin, *unit, *end;
    int64_t left;   /* units; -1: for ever */
    bool has_ended; /* end was appended */
};

static void append_more(void *context, struct buf *out)
{
    struct body *body = context;
    size_t length = strlen(body->unit);

    (void)buf_append_text(out, body->begin);
    body->begin = "";
    for (size_t sent = 0; body->left != 0 && sent + length <= PIECE_BYTES; sent += length) {
        (void)buf_append(out, body->unit, length);
        if (body->left > 0)
            body->left--;
    }
    if (body->left == 0 && !body->has_ended) {
        body->has_ended = true;
        (void)buf_append_text(out, body->end);
    }
}

static void go_on(struct http_reply *reply, const char *begin, const char *unit, int64_t count,
                  const char *end)
{
    struct body *body = mem_alloc(sizeof *body);

    *body = (struct body){.begin = begin, .unit = unit, .end = end, .left = count};
    reply->context = body;
    reply->append_more = append_more;
    reply->free_context = free;
}

void hostile_body_fill(struct http_reply *reply, enum rest_fault_form form,
                       const struct http_request *request)
{
    static const char filling[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 50 */

    switch (form) {
    case REST_FAULT_REDIRECT:
        reply->status = 302;
        snprintf(reply->location, sizeof reply->location, "%s", request->path);
        break;
    case REST_FAULT_HUGE:
        go_on(reply, "{\"code\":\"0\",\"msg\":\"", filling, HUGE_BYTES / (int64_t)strlen(filling),
              "\"}");
        break;
    case REST_FAULT_ENDLESS:
        go_on(reply, "", " ", -1, "");
        break;
    case REST_FAULT_NESTED:
        (void)buf_append_text(&reply->body, "{\"code\":\"0\",\"data\":");
        for (int i = 0; i < NESTED_BYTES; i++)
            (void)buf_append_char(&reply->body, '[');
        break;
    default: /* REST_FAULT_ROWS */
        go_on(reply, "{\"code\":\"0\",\"data\":[", "[],", ROWS, "[]]}");
        break;
    }
}
