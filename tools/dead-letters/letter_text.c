#include "letter_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "codec/value_text.h"
#include "hex_dump.h"
#include "io/dead_letter.h"

enum { SOURCE_BYTES = TOPIC_NAME_BYTES + 40, DUMP_BYTES_MAX = 4096, CELL_BYTES_MAX = 1 << 16 };

/* --- as text ------------------------------------------------------------------------------------
 */

/* Foreign bytes: text as it is, else {"base64":...}; control characters become blanks. */
static void put_foreign(struct buf *out, const void *bytes, size_t length)
{
    size_t start = out->length;

    if (!bytes || length == 0) {
        (void)buf_append_char(out, '-');
        return;
    }
    value_text_append_foreign(out, bytes, length, VALUE_STYLE_CELL);
    for (size_t i = start; i < out->length; i++)
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 0x7f)
            out->data[i] = ' ';
}

static void put_text(struct buf *out, const char *text)
{
    put_foreign(out, text, strlen(text));
}

static void pad_to(struct buf *out, size_t column)
{
    do
        (void)buf_append_char(out, ' ');
    while (out->length < column);
}

static void format_source(const struct letter *letter, char text[SOURCE_BYTES])
{
    if (letter->kind == LETTER_UNKNOWN)
        snprintf(text, SOURCE_BYTES, "?");
    else if (letter->source_partition < 0)
        snprintf(text, SOURCE_BYTES, "%s", letter->source_topic);
    else
        snprintf(text, SOURCE_BYTES, "%s:%" PRId32 ":%" PRId64, letter->source_topic,
                 letter->source_partition, letter->source_offset);
}

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

void letter_text_append_heading(struct buf *out)
{
    (void)buf_append_text(out, "LETTER   SOURCE                   KEY           STAGE   REASON     "
                               "     TIMES  STATE      WHEN                      MESSAGE\n");
}

void letter_text_append_line(struct buf *out, const struct letter *letter, enum letter_state state)
{
    size_t start = out->length;
    char position[LETTER_POSITION_BYTES];
    char source[SOURCE_BYTES];
    char when[RFC3339_BYTES];

    letter_position_format(letter->position, position);
    format_source(letter, source);
    rfc3339_format_ms(letter->timestamp_ms, when);
    (void)buf_append_text(out, position);
    pad_to(out, start + 9);
    put_text(out, source);
    pad_to(out, start + 34);
    put_foreign(out, letter->key, letter->key_length);
    pad_to(out, start + 48);
    put_text(out, letter->stage);
    pad_to(out, start + 56);
    put_text(out, or_dash(letter->reason));
    if (letter->sqlstate[0] != '\0') {
        (void)buf_append_char(out, '/');
        put_text(out, letter->sqlstate);
    }
    pad_to(out, start + 72);
    (void)buf_append_format(out, "%-6" PRId64 " %-10s %s  ", letter->attempts,
                            letter_state_name(state), when);
    put_text(out, letter->message);
    (void)buf_append_char(out, '\n');
}

static void put_label(struct buf *out, const char *label)
{
    (void)buf_append_format(out, "  %-12s", label);
}

static void put_origin(struct buf *out, const struct letter *letter)
{
    put_label(out, "source");
    put_text(out, letter->kind == LETTER_UNKNOWN ? "?" : letter->source_topic);
    if (letter->source_partition >= 0)
        (void)buf_append_format(out, ", partition %" PRId32 ", offset %" PRId64,
                                letter->source_partition, letter->source_offset);
    (void)buf_append_char(out, '\n');
    put_label(out, "key");
    put_foreign(out, letter->key, letter->key_length);
    (void)buf_append_char(out, '\n');
    put_label(out, "put aside");
    (void)buf_append_text(out, "by ");
    put_text(out, letter->service);
    (void)buf_append_text(out, ", stage ");
    put_text(out, letter->stage);
    (void)buf_append_char(out, '\n');
    put_label(out, "reason");
    put_text(out, letter->reason);
    if (letter->sqlstate[0] != '\0') {
        (void)buf_append_text(out, ", SQLSTATE ");
        put_text(out, letter->sqlstate);
    }
    (void)buf_append_text(out, ": ");
    put_text(out, letter->message);
    (void)buf_append_char(out, '\n');
    put_label(out, "attempts");
    (void)buf_append_format(out, "%" PRId64, letter->attempts);
    if (letter->retried_from[0] != '\0') {
        (void)buf_append_text(out, ", was letter ");
        put_text(out, letter->retried_from);
        (void)buf_append_text(out, " before");
    }
    (void)buf_append_char(out, '\n');
}

static void put_headers(struct buf *out, const rd_kafka_headers_t *headers)
{
    const char *name = NULL;
    const void *value = NULL;
    size_t length = 0;

    for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value, &length) ==
                                      RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        put_label(out, i == 0 ? "headers" : "");
        put_text(out, name);
        (void)buf_append_text(out, " = ");
        put_foreign(out, value, length);
        (void)buf_append_char(out, '\n');
    }
}

static void put_value(struct buf *out, const struct letter *letter,
                      const struct letter_value *value)
{
    put_label(out, "value");
    if (!letter->value) {
        (void)buf_append_text(out, "none (a tombstone)\n");
        return;
    }
    (void)buf_append_format(out, "%zu bytes", letter->value_length);
    if (letter->truncated_from >= 0)
        (void)buf_append_format(out, ", the beginning of %" PRId64, letter->truncated_from);
    if (value->schema_id >= 0)
        (void)buf_append_format(out, ", schema %" PRId32, value->schema_id);
    if (value->schema) {
        (void)buf_append_text(out, ", ");
        put_text(out, value->schema);
    }
    (void)buf_append_char(out, '\n');
    hex_dump_append(out, letter->value, letter->value_length, DUMP_BYTES_MAX);
    if (letter->kind == LETTER_OF_OKX)
        return; /* text, which the dump shows */
    put_label(out, "decoded");
    put_foreign(out, value->json.data, value->json.length);
    if (value->fault.code != ERR_NONE) {
        (void)buf_append_text(out, " (not further: ");
        put_text(out, value->fault.message);
        (void)buf_append_char(out, ')');
    }
    (void)buf_append_char(out, '\n');
}

void letter_text_append_explanation(struct buf *out, const struct letter *letter,
                                    enum letter_state state, const struct letter_value *value,
                                    const struct advice *advice)
{
    char position[LETTER_POSITION_BYTES];
    char when[RFC3339_BYTES];

    letter_position_format(letter->position, position);
    rfc3339_format_ms(letter->timestamp_ms, when);
    (void)buf_append_format(out, "letter %s of %s, %s\n", position, when, letter_state_name(state));
    put_origin(out, letter);
    put_headers(out, letter->headers);
    put_value(out, letter, value);
    put_label(out, "what is wrong");
    (void)buf_append_char(out, ' ');
    put_text(out, advice->wrong);
    (void)buf_append_char(out, '\n');
    put_label(out, "what to do");
    put_text(out, advice->remedy);
    (void)buf_append_char(out, '\n');
}

/* --- as JSON ------------------------------------------------------------------------------------
 */

static void put_name(struct buf *out, const char *name)
{
    (void)buf_append_format(out, ",\"%s\":", name);
}

static void put_member(struct buf *out, const char *name, const char *text)
{
    put_name(out, name);
    if (text && text[0] != '\0')
        value_text_append_string(out, text, strlen(text), VALUE_STYLE_JSON);
    else
        (void)buf_append_text(out, "null");
}

static void put_number(struct buf *out, const char *name, int64_t number)
{
    put_name(out, name);
    if (number >= 0)
        (void)buf_append_format(out, "%" PRId64, number);
    else
        (void)buf_append_text(out, "null");
}

static void put_json_headers(struct buf *out, const rd_kafka_headers_t *headers)
{
    const char *name = NULL;
    const void *value = NULL;
    size_t length = 0;

    put_name(out, "headers");
    (void)buf_append_char(out, '{');
    for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value, &length) ==
                                      RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        if (i > 0)
            (void)buf_append_char(out, ',');
        value_text_append_string(out, name, strlen(name), VALUE_STYLE_JSON);
        (void)buf_append_char(out, ':');
        value_text_append_foreign(out, value, length, VALUE_STYLE_JSON);
    }
    (void)buf_append_char(out, '}');
}

/* A value that could be read in part only is null here: JSON cannot be cut. */
static void put_json_value(struct buf *out, const struct letter *letter,
                           const struct letter_value *value)
{
    put_number(out, "schemaId", value->schema_id);
    put_member(out, "schema", value->schema);
    put_name(out, "value");
    if (letter->value && value->fault.code == ERR_NONE)
        (void)buf_append(out, value->json.data ? value->json.data : "null",
                         value->json.data ? value->json.length : 4);
    else
        (void)buf_append_text(out, "null");
    put_member(out, "valueError", value->fault.code != ERR_NONE ? value->fault.message : NULL);
    put_name(out, "raw");
    if (letter->value)
        value_text_append_base64(out, letter->value, letter->value_length, VALUE_STYLE_JSON);
    else
        (void)buf_append_text(out, "null");
}

void letter_text_append_json(struct buf *out, const struct letter *letter, enum letter_state state,
                             const struct letter_value *value, const struct advice *advice)
{
    char position[LETTER_POSITION_BYTES];
    char when[RFC3339_BYTES];

    letter_position_format(letter->position, position);
    rfc3339_format_ms(letter->timestamp_ms, when);
    (void)buf_append_format(out, "{\"letter\":\"%s\"", position);
    put_member(out, "sourceTopic", letter->source_topic);
    put_number(out, "sourcePartition", letter->source_partition);
    put_number(out, "sourceOffset", letter->source_offset);
    put_name(out, "key");
    value_text_append_foreign(out, letter->key, letter->key_length, VALUE_STYLE_JSON);
    put_member(out, "service", letter->service);
    put_member(out, "stage", letter->stage);
    put_member(out, "reason", letter->reason);
    put_member(out, "sqlstate", letter->sqlstate);
    put_member(out, "message", letter->message);
    put_member(out, "timestamp", when);
    put_number(out, "attempts", letter->attempts);
    put_member(out, "retriedFrom", letter->retried_from);
    put_member(out, "state", letter_state_name(state));
    put_number(out, "bytes", letter->value ? (int64_t)letter->value_length : -1);
    put_number(out, "truncatedFrom", letter->truncated_from);
    if (value && advice) {
        put_json_headers(out, letter->headers);
        put_json_value(out, letter, value);
        put_member(out, "wrong", advice->wrong);
        put_member(out, "remedy", advice->remedy);
    }
    (void)buf_append_char(out, '}');
}
