#include "hostile_frame.h"

#include <stdio.h>
#include <string.h>

#include "ws_frame.h"

enum { FRAGMENT_BYTES = 64 * 1024, PIECE_BYTES = 4096 };

static const struct {
    const char *name;
    int64_t bytes;
} forms[HOSTILE_FORMS] = {
    [HOSTILE_HUGE] = {"huge", 100000000},
    [HOSTILE_FRAGMENTS] = {"fragments", 100000000},
    [HOSTILE_ENDLESS] = {"endless", 1000000},
    [HOSTILE_ROWS] = {"rows", 1000000},
    [HOSTILE_NESTED] = {"nested", 10000},
    [HOSTILE_DIGITS] = {"digits", 1000},
    [HOSTILE_NUMBER] = {"number", 1000},
    [HOSTILE_UTF8] = {"utf8", 0},
    [HOSTILE_NUL] = {"nul", 0},
    [HOSTILE_EMPTY] = {"empty", 0},
    [HOSTILE_BINARY] = {"binary", 65536},
    [HOSTILE_TEXTS] = {"texts", 900000},
    [HOSTILE_TYPES] = {"types", 0},
    [HOSTILE_OPCODE] = {"opcode", 0},
};

bool hostile_form_read(const char *name, enum hostile_form *form)
{
    for (size_t i = 0; i < HOSTILE_FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            *form = (enum hostile_form)i;
            return true;
        }
    }
    return false;
}

int64_t hostile_form_bytes(enum hostile_form form)
{
    return forms[form].bytes;
}

static void fill(struct buf *out, char byte, int64_t count)
{
    char piece[PIECE_BYTES];

    memset(piece, byte, sizeof piece);
    for (; count > 0; count -= PIECE_BYTES)
        (void)buf_append(out, piece, count < PIECE_BYTES ? (size_t)count : PIECE_BYTES);
}

/* The next fragment of a message in fragments; of one frame the next bytes. */
static bool append_long(struct hostile_frame *frame, size_t max_bytes, struct buf *out)
{
    bool in_fragments = frame->form == HOSTILE_FRAGMENTS;
    int64_t left = frame->bytes - frame->sent;
    int64_t room = in_fragments ? FRAGMENT_BYTES : (int64_t)max_bytes;
    int64_t count = left < room ? left : room;
    uint64_t announced =
        frame->form == HOSTILE_ENDLESS ? UINT64_C(1) << 62 : (uint64_t)frame->bytes;

    if (in_fragments)
        ws_frame_append_header(out, frame->is_begun ? WS_OPCODE_CONTINUATION : WS_OPCODE_TEXT,
                               count == left, (uint64_t)count);
    else if (!frame->is_begun)
        ws_frame_append_header(out, WS_OPCODE_TEXT, true, announced);
    frame->is_begun = true;
    fill(out, 'a', count);
    frame->sent += count;
    return frame->sent < frame->bytes;
}

static void append_begin(const struct hostile_frame *frame, struct buf *payload)
{
    (void)buf_append_format(payload,
                            "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"%s\"},\"data\":[",
                            frame->inst_id);
}

static void append_trade(const struct hostile_frame *frame, struct buf *payload)
{
    append_begin(frame, payload);
    (void)buf_append_format(payload,
                            "{\"instId\":\"%s\",\"tradeId\":\"1\",\"sz\":\"1\",\"side\":\"buy\","
                            "\"ts\":\"1\",\"source\":\"0\",\"px\":",
                            frame->inst_id);
}

static void append_rows(const struct hostile_frame *frame, struct buf *payload)
{
    append_begin(frame, payload);
    (void)buf_append_text(payload, "{}");
    for (int64_t i = 3; i + 3 < frame->bytes; i += 3)
        (void)buf_append_text(payload, ",{}");
    (void)buf_append_text(payload, "]}");
}

static void append_events(const struct hostile_frame *frame, struct buf *out, struct buf *payload)
{
    static const char *const members[] = {"event", "code", "msg", "connId", "id"};

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_reset(payload);
        (void)buf_append_format(payload, "{%s\"%s\":\"", i == 0 ? "" : "\"event\":\"error\",",
                                members[i]);
        fill(payload, 'a', frame->bytes);
        (void)buf_append_text(payload, "\"}");
        ws_frame_append_text(out, payload->data, payload->length);
    }
}

static void append_types(const struct hostile_frame *frame, struct buf *out, struct buf *payload)
{
    static const char *const texts[] = {
        "null",
        "true",
        "0",
        "\"\"",
        "[]",
        "{}",
        "[[[]]]",
        "{\"arg\":[]}",
        "{\"event\":{}}",
        "{\"event\":[],\"code\":{},\"msg\":0}",
        "{\"event\":\"subscribe\",\"arg\":null}",
        "{\"event\":\"notice\",\"code\":64008,\"msg\":[]}",
        "{\"arg\":{\"channel\":0,\"instId\":{}},\"data\":{}}",
        "{\"arg\":{\"channel\":\"trades-all\",\"instId\":[]},\"data\":[null,0,[],{},\"\"]}",
        "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"?\"},\"data\":[[[[1]]]]}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ws_frame_append_text(out, texts[i], strlen(texts[i]));
    buf_reset(payload);
    append_begin(frame, payload);
    (void)buf_append_format(payload,
                            "{\"instId\":%s,\"tradeId\":{},\"px\":[],\"sz\":null,\"side\":1,"
                            "\"ts\":true},{\"instId\":\"%s\",\"tradeId\":1.5}]}",
                            "{}", frame->inst_id);
    ws_frame_append_text(out, payload->data, payload->length);
}

/* One case per form that is small enough to be made at once. */
static void append_whole(const struct hostile_frame *frame, struct buf *out, struct buf *payload)
{
    switch (frame->form) {
    case HOSTILE_ROWS:
        append_rows(frame, payload);
        break;
    case HOSTILE_NESTED:
        append_begin(frame, payload);
        fill(payload, '[', frame->bytes);
        fill(payload, ']', frame->bytes);
        (void)buf_append_text(payload, "]}");
        break;
    case HOSTILE_DIGITS:
    case HOSTILE_NUMBER:
        append_trade(frame, payload);
        (void)buf_append_text(payload, frame->form == HOSTILE_DIGITS ? "\"" : "");
        fill(payload, '9', frame->bytes);
        (void)buf_append_text(payload, frame->form == HOSTILE_DIGITS ? "\"}]}" : "}]}");
        break;
    case HOSTILE_UTF8:
        append_trade(frame, payload);
        (void)buf_append_text(payload, "\"\xff\xc0\xaf\xed\xa0\x80\"}]}");
        break;
    case HOSTILE_NUL:
        append_trade(frame, payload);
        (void)buf_append(payload, "\"1\\u0000\0\"}]}", 12);
        break;
    case HOSTILE_BINARY:
        ws_frame_append_header(out, WS_OPCODE_BINARY, true, (uint64_t)frame->bytes);
        for (int64_t i = 0; i < frame->bytes; i++)
            (void)buf_append_char(out, (char)i);
        return;
    case HOSTILE_TEXTS:
        append_events(frame, out, payload);
        return;
    case HOSTILE_TYPES:
        append_types(frame, out, payload);
        return;
    case HOSTILE_OPCODE:
        ws_frame_append_header(out, WS_OPCODE_RESERVED, true, 0);
        return;
    default: /* HOSTILE_EMPTY */
        break;
    }
    ws_frame_append_text(out, payload->data ? payload->data : "", payload->length);
}

bool hostile_frame_append(struct hostile_frame *frame, size_t max_bytes, struct buf *out)
{
    struct buf payload;

    if (frame->form == HOSTILE_HUGE || frame->form == HOSTILE_FRAGMENTS ||
        frame->form == HOSTILE_ENDLESS)
        return append_long(frame, max_bytes, out);
    buf_init(&payload, 16 << 20);
    append_whole(frame, out, &payload);
    buf_clear(&payload);
    return false;
}
