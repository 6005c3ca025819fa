#include "okx_message.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "exact_numbers.h"
#include "okx_row.h"

struct okx_rows {
    json_t *document; /* owned; data points into it */
    json_t *data;
};

/* A parser makes some 200 bytes out of "{},": without this bound, a body of 8 MiB would fill
 * half a gigabyte. OKX's largest answer, all instruments, has a quarter of it. */
enum { VALUES_MAX = 200000 };

static json_t *parse_object(const char *text, size_t length, struct err *err)
{
    json_error_t error;
    json_t *document = NULL;
    struct buf marked;

    buf_init(&marked, length + (size_t)VALUES_MAX * EXACT_NUMBERS_MARK_BYTES);
    switch (exact_numbers_mark(text, length, VALUES_MAX, &marked)) {
    case -1:
        buf_clear(&marked);
        err_set(err, ERR_LIMIT, "more than %d values", VALUES_MAX);
        return NULL;
    case 0:
        document = json_loadb(text, length, 0, &error);
        break;
    default:
        document = json_loadb(marked.data, marked.length, 0, &error);
    }
    buf_clear(&marked);
    if (!document) {
        err_set(err, ERR_PROTOCOL, "no JSON: %.120s", error.text);
        return NULL;
    }
    if (!json_is_object(document)) {
        json_decref(document);
        err_set(err, ERR_PROTOCOL, "JSON is no object");
        return NULL;
    }
    return document;
}

/* Takes the document. */
static struct okx_rows *rows_create(json_t *document, json_t *data)
{
    struct okx_rows *rows = mem_alloc(sizeof *rows);

    *rows = (struct okx_rows){.document = document, .data = data};
    return rows;
}

/* A string member, cut to size; "" when it is absent or something else. Never cuts within a UTF-8
 * character. */
static void copy_member(const json_t *object, const char *name, char *text, size_t bytes)
{
    const char *value = json_string_value(json_object_get(object, name));
    struct text_view number;
    size_t length =
        value && !exact_numbers_is_marked(text_view_of(value), &number) ? strlen(value) : 0;

    if (length >= bytes) {
        length = bytes - 1;
        while (length > 0 && ((unsigned char)value[length] & 0xC0) == 0x80)
            length--;
    }
    if (length > 0)
        memcpy(text, value, length);
    text[length] = '\0';
}

static enum okx_frame_kind event_kind(const char *event)
{
    static const struct {
        const char *event;
        enum okx_frame_kind kind;
    } kinds[] = {
        {"subscribe", OKX_FRAME_SUBSCRIBED},
        {"unsubscribe", OKX_FRAME_UNSUBSCRIBED},
        {"error", OKX_FRAME_ERROR},
        {"notice", OKX_FRAME_NOTICE},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].event, event) == 0)
            return kinds[i].kind;
    }
    return OKX_FRAME_OTHER_EVENT;
}

int okx_frame_read(const char *text, size_t length, struct okx_frame *frame, struct err *err)
{
    struct okx_frame read = {0};
    json_t *document = NULL;

    if (length == 4 && memcmp(text, "pong", 4) == 0) {
        *frame = (struct okx_frame){.kind = OKX_FRAME_PONG};
        return 0;
    }
    document = parse_object(text, length, err);
    if (!document)
        return -1;

    const json_t *arg = json_object_get(document, "arg");
    json_t *data = json_object_get(document, "data");
    copy_member(document, "event", read.event, sizeof read.event);
    copy_member(document, "code", read.code, sizeof read.code);
    copy_member(document, "msg", read.text, sizeof read.text);
    copy_member(document, "id", read.request_id, sizeof read.request_id);
    copy_member(arg, "channel", read.channel, sizeof read.channel);
    copy_member(arg, "instId", read.inst_id, sizeof read.inst_id);
    if (read.event[0] != '\0') {
        read.kind = event_kind(read.event);
    } else if (read.channel[0] != '\0' && json_is_array(data)) {
        read.kind = OKX_FRAME_DATA;
        read.rows = rows_create(json_incref(document), data);
    } else {
        json_decref(document);
        return err_set(err, ERR_PROTOCOL, "neither an event nor data of a channel");
    }
    json_decref(document);
    *frame = read;
    return 0;
}

void okx_frame_clear(struct okx_frame *frame)
{
    okx_rows_destroy(frame->rows);
    *frame = (struct okx_frame){0};
}

bool okx_channel_has_trades(const char *channel)
{
    return strcmp(channel, "trades") == 0 || strcmp(channel, "trades-all") == 0;
}

/* --- REST --------------------------------------------------------------------------------------
 */

struct code_meaning {
    const char *code;
    enum err_code meaning;
    bool is_retriable;
};

/* okx-v5.md, 4.3. What is not listed is judged by the HTTP status. */
static const struct code_meaning code_meanings[] = {
    {"50001", ERR_REMOTE, true},        {"50004", ERR_REMOTE, true},
    {"50011", ERR_RATE_LIMIT, true},    {"50013", ERR_REMOTE, true},
    {"50026", ERR_REMOTE, true},        {"50040", ERR_RATE_LIMIT, true},
    {"50100", ERR_UNAUTHORIZED, false}, {"50101", ERR_UNAUTHORIZED, false},
    {"50102", ERR_UNAUTHORIZED, true},  {"50103", ERR_UNAUTHORIZED, false},
    {"50104", ERR_UNAUTHORIZED, false}, {"50105", ERR_UNAUTHORIZED, false},
    {"50106", ERR_UNAUTHORIZED, false}, {"50107", ERR_UNAUTHORIZED, false},
    {"50110", ERR_UNAUTHORIZED, false}, {"50111", ERR_UNAUTHORIZED, false},
    {"50112", ERR_UNAUTHORIZED, false}, {"50113", ERR_UNAUTHORIZED, false},
    {"50114", ERR_UNAUTHORIZED, false}, {"50119", ERR_UNAUTHORIZED, false},
    {"50120", ERR_UNAUTHORIZED, false}, {"51001", ERR_NOT_FOUND, false},
};

static void set_code_error(long http_status, const char *code, const char *text, struct err *err)
{
    enum err_code meaning = http_status == 429 ? ERR_RATE_LIMIT : ERR_REMOTE;
    bool is_retriable = http_status == 429 || http_status >= 500;

    for (size_t i = 0; i < sizeof code_meanings / sizeof *code_meanings; i++) {
        if (strcmp(code_meanings[i].code, code) == 0) {
            meaning = code_meanings[i].meaning;
            is_retriable = code_meanings[i].is_retriable;
        }
    }
    if (is_retriable)
        err_set_retriable(err, meaning, "OKX answered %s (HTTP %ld): %s", code, http_status, text);
    else
        err_set(err, meaning, "OKX answered %s (HTTP %ld): %s", code, http_status, text);
}

/* No envelope: a CDN's HTML page, or an answer cut short. A refusal like 404 stays one. */
static void set_body_error(long http_status, struct err *err)
{
    struct err reason = *err;
    bool is_refusal = http_status >= 400 && http_status < 500 && http_status != 403 &&
                      http_status != 408 && http_status != 429;

    if (http_status == 429)
        err_set_retriable(err, ERR_RATE_LIMIT, "OKX answered HTTP 429 without an envelope");
    else if (is_refusal)
        err_set(err, ERR_REMOTE, "OKX answered HTTP %ld without an envelope", http_status);
    else
        err_set_retriable(err, ERR_REMOTE, "OKX answered HTTP %ld without an envelope: %.100s",
                          http_status, reason.message);
}

struct okx_rows *okx_answer_read(long http_status, const char *text, size_t length, struct err *err)
{
    char code[OKX_CODE_BYTES];
    char message[OKX_ERROR_TEXT_BYTES];
    json_t *document = parse_object(length > 0 ? text : "", length, err);

    if (!document) {
        set_body_error(http_status, err);
        return NULL;
    }

    json_t *data = json_object_get(document, "data");
    copy_member(document, "code", code, sizeof code);
    copy_member(document, "msg", message, sizeof message);
    if (strcmp(code, "0") == 0 && http_status == 200 && json_is_array(data))
        return rows_create(document, data);
    if (code[0] == '\0' || strcmp(code, "0") == 0) {
        err_set(err, ERR_PROTOCOL, "no code and data");
        set_body_error(http_status, err);
    } else {
        set_code_error(http_status, code, message, err);
    }
    json_decref(document);
    return NULL;
}

/* --- rows --------------------------------------------------------------------------------------
 */

void okx_rows_destroy(struct okx_rows *rows)
{
    if (!rows)
        return;
    json_decref(rows->document);
    free(rows);
}

size_t okx_rows_count(const struct okx_rows *rows)
{
    return json_array_size(rows->data);
}

char *okx_rows_text(const struct okx_rows *rows, size_t index)
{
    return okx_row_text(json_array_get(rows->data, index));
}

int okx_rows_read_trade(const struct okx_rows *rows, size_t index, struct trade *trade,
                        struct err *err)
{
    return okx_row_read_trade(json_array_get(rows->data, index), trade, err);
}

int okx_rows_read_candle(const struct okx_rows *rows, size_t index, const char *inst_id,
                         const char *bar, struct candle *candle, struct err *err)
{
    return okx_row_read_candle(json_array_get(rows->data, index), inst_id, bar, candle, err);
}

int okx_rows_read_currency_chain(const struct okx_rows *rows, size_t index,
                                 struct currency_chain *chain, struct err *err)
{
    return okx_row_read_currency_chain(json_array_get(rows->data, index), chain, err);
}

int okx_rows_read_instrument(const struct okx_rows *rows, size_t index,
                             struct okx_instrument *instrument, struct err *err)
{
    return okx_row_read_instrument(json_array_get(rows->data, index), instrument, err);
}

int okx_rows_read_time(const struct okx_rows *rows, int64_t *unix_ms, struct err *err)
{
    return okx_row_read_time(json_array_get(rows->data, 0), unix_ms, err);
}
