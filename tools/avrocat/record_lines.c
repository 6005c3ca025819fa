#include "record_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rfc3339.h"
#include "codec/avro_cursor.h"
#include "codec/value_text.h"

enum { VALUE_TEXT_BYTES_MAX = 64 << 20 };

struct record_lines {
    enum output_format format;
    bool value_only;
    struct buf text; /* of a value, or of one cell */

    /* CSV: the fields that the header names; "value" alone when values are no records. */
    bool has_header;
    char **columns;
    size_t column_count;
};

static const char *const envelope[] = {"topic", "partition", "offset", "timestamp", "key"};
enum { ENVELOPE_COUNT = sizeof envelope / sizeof envelope[0] };

struct record_lines *record_lines_create(enum output_format format, bool value_only)
{
    struct record_lines *lines = mem_calloc(1, sizeof *lines);

    lines->format = format;
    lines->value_only = value_only;
    buf_init(&lines->text, VALUE_TEXT_BYTES_MAX);
    return lines;
}

void record_lines_destroy(struct record_lines *lines)
{
    if (!lines)
        return;
    for (size_t i = 0; i < lines->column_count; i++)
        free(lines->columns[i]);
    free(lines->columns);
    buf_clear(&lines->text);
    free(lines);
}

static void put_timestamp(struct buf *out, int64_t timestamp_ms, enum value_style style)
{
    char text[RFC3339_BYTES];

    if (timestamp_ms < 0) {
        (void)buf_append_text(out, style == VALUE_STYLE_CELL ? "" : "null");
        return;
    }
    rfc3339_format_ms(timestamp_ms, text);
    value_text_append_string(out, text, strlen(text), style);
}

static void put_headers(struct buf *out, const struct shown_record *record)
{
    (void)buf_append_char(out, '{');
    for (size_t i = 0; i < record->header_count; i++) {
        const struct shown_header *header = &record->headers[i];

        if (i > 0)
            (void)buf_append_char(out, ',');
        value_text_append_string(out, header->name, strlen(header->name), VALUE_STYLE_JSON);
        (void)buf_append_char(out, ':');
        value_text_append_foreign(out, header->value, header->length, VALUE_STYLE_JSON);
    }
    (void)buf_append_char(out, '}');
}

static int check_end(const struct avro_cursor *cursor, struct err *err)
{
    if (cursor->at != cursor->end)
        return err_set(err, ERR_PROTOCOL, "%zu bytes behind the value",
                       (size_t)(cursor->end - cursor->at));
    return 0;
}

/* The JSON of the value into lines->text. */
static int render_value(struct record_lines *lines, const struct shown_record *record,
                        struct err *err)
{
    struct avro_cursor cursor = avro_cursor_of(record->value, record->value_length);

    buf_reset(&lines->text);
    if (record->value && record->kind == SHOWN_UNDECODABLE)
        return err_set(err, ERR_PROTOCOL, "%s", record->reason);
    if (!record->value || record->kind == SHOWN_RAW) {
        value_text_append_foreign(&lines->text, record->value, record->value_length,
                                  VALUE_STYLE_JSON);
    } else {
        if (value_text_append(&lines->text, &cursor, record->type, VALUE_STYLE_JSON, err) != 0 ||
            check_end(&cursor, err) != 0)
            return -1;
    }
    if (lines->text.overflowed)
        return err_set(err, ERR_LIMIT, "text is longer than %d bytes", VALUE_TEXT_BYTES_MAX);
    return 0;
}

static int append_json(struct record_lines *lines, struct buf *out,
                       const struct shown_record *record, struct err *err)
{
    int status = render_value(lines, record, err);

    if (lines->value_only) {
        if (status == 0) {
            (void)buf_append(out, lines->text.data, lines->text.length);
            (void)buf_append_char(out, '\n');
        }
        return status;
    }
    (void)buf_append_text(out, "{\"topic\":");
    value_text_append_string(out, record->topic, strlen(record->topic), VALUE_STYLE_JSON);
    (void)buf_append_format(out,
                            ",\"partition\":%d,\"offset\":%lld,\"timestamp\":", record->partition,
                            (long long)record->offset);
    put_timestamp(out, record->timestamp_ms, VALUE_STYLE_JSON);
    (void)buf_append_text(out, ",\"key\":");
    value_text_append_foreign(out, record->key, record->key_length, VALUE_STYLE_JSON);
    if (record->header_count > 0) {
        (void)buf_append_text(out, ",\"headers\":");
        put_headers(out, record);
    }
    (void)buf_append_text(out, ",\"value\":");
    if (status == 0) {
        (void)buf_append(out, lines->text.data, lines->text.length);
    } else {
        (void)buf_append_text(out, "null,\"error\":");
        value_text_append_string(out, err->message, strlen(err->message), VALUE_STYLE_JSON);
        (void)buf_append_text(out, ",\"raw\":");
        value_text_append_base64(out, record->value, record->value_length, VALUE_STYLE_JSON);
    }
    (void)buf_append_text(out, "}\n");
    return status;
}

/* RFC 4180: quoted where a separator, a quote or a line end makes it necessary. */
static void put_cell(struct buf *out, const char *text, size_t length)
{
    bool needs_quotes = false;

    for (size_t i = 0; i < length && !needs_quotes; i++)
        needs_quotes = strchr(",\"\r\n", text[i]) && text[i] != '\0';
    if (!needs_quotes) {
        (void)buf_append(out, text, length);
        return;
    }
    (void)buf_append_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            (void)buf_append_char(out, '"');
        (void)buf_append_char(out, text[i]);
    }
    (void)buf_append_char(out, '"');
}

static void add_column(struct record_lines *lines, const char *name)
{
    lines->columns =
        mem_realloc_array(lines->columns, lines->column_count + 1, sizeof *lines->columns);
    lines->columns[lines->column_count++] = mem_strdup(name);
}

static bool has_fields(const struct shown_record *record)
{
    return record->kind == SHOWN_AVRO && record->type->type == SCHEMA_RECORD;
}

static void choose_columns(struct record_lines *lines, const struct shown_record *record)
{
    if (record->kind == SHOWN_RAW)
        add_column(lines, "headers");
    if (!has_fields(record))
        add_column(lines, "value");
    for (size_t i = 0; has_fields(record) && i < record->type->count; i++)
        add_column(lines, record->type->names[i]);
    lines->has_header = true;
}

static void put_header_line(const struct record_lines *lines, struct buf *out)
{
    size_t first = lines->value_only ? ENVELOPE_COUNT : 0;

    for (size_t i = first; i < ENVELOPE_COUNT + lines->column_count; i++) {
        const char *name = i < ENVELOPE_COUNT ? envelope[i] : lines->columns[i - ENVELOPE_COUNT];
        if (i > first)
            (void)buf_append_char(out, ',');
        put_cell(out, name, strlen(name));
    }
    (void)buf_append_char(out, '\n');
}

static void put_envelope_cells(struct record_lines *lines, struct buf *out,
                               const struct shown_record *record)
{
    put_cell(out, record->topic, strlen(record->topic));
    (void)buf_append_format(out, ",%d,%lld,", record->partition, (long long)record->offset);
    put_timestamp(out, record->timestamp_ms, VALUE_STYLE_CELL);
    (void)buf_append_char(out, ',');
    buf_reset(&lines->text);
    value_text_append_foreign(&lines->text, record->key, record->key_length, VALUE_STYLE_CELL);
    put_cell(out, lines->text.data ? lines->text.data : "", lines->text.length);
}

/* A stretch of lines->text. */
struct cell {
    size_t start, length;
};

/* Renders the record's cells into lines->text, in the order of the columns; a column that the
 * record does not have stays empty, a field that is no column is passed over. */
static int render_cells(struct record_lines *lines, const struct shown_record *record,
                        struct cell *cells, struct err *err)
{
    struct avro_cursor cursor = avro_cursor_of(record->value, record->value_length);
    size_t count = has_fields(record) ? record->type->count : 1;

    buf_reset(&lines->text);
    for (size_t i = 0; i < count; i++) {
        const struct schema_node *type =
            has_fields(record) ? record->type->children[i] : record->type;
        const char *name = has_fields(record) ? record->type->names[i] : "value";
        size_t start = lines->text.length;

        if (value_text_append(&lines->text, &cursor, type, VALUE_STYLE_CELL, err) != 0)
            return err_wrap(err, "field %.60s", name);
        for (size_t column = 0; column < lines->column_count; column++)
            if (strcmp(lines->columns[column], name) == 0)
                cells[column] = (struct cell){start, lines->text.length - start};
    }
    if (lines->text.overflowed)
        return err_set(err, ERR_LIMIT, "text is longer than %d bytes", VALUE_TEXT_BYTES_MAX);
    return check_end(&cursor, err);
}

static void render_raw_cells(struct record_lines *lines, const struct shown_record *record,
                             struct cell *cells)
{
    buf_reset(&lines->text);
    if (record->header_count > 0)
        put_headers(&lines->text, record);
    cells[0] = (struct cell){0, lines->text.length};
    value_text_append_foreign(&lines->text, record->value, record->value_length, VALUE_STYLE_CELL);
    cells[1] = (struct cell){cells[0].length, lines->text.length - cells[0].length};
}

static int append_row(struct record_lines *lines, struct buf *out,
                      const struct shown_record *record, struct err *err)
{
    struct cell *cells = mem_calloc(lines->column_count + 1, sizeof *cells);
    struct buf row = {0};
    int status = 0;

    buf_init(&row, VALUE_TEXT_BYTES_MAX);
    if (!lines->value_only)
        put_envelope_cells(lines, &row, record);
    if (record->kind == SHOWN_RAW)
        render_raw_cells(lines, record, cells);
    else if (record->value)
        status = render_cells(lines, record, cells, err);
    for (size_t i = 0; i < lines->column_count; i++) {
        if (i > 0 || !lines->value_only)
            (void)buf_append_char(&row, ',');
        if (cells[i].length > 0)
            put_cell(&row, lines->text.data + cells[i].start, cells[i].length);
    }
    (void)buf_append_char(&row, '\n');
    if (status == 0)
        (void)buf_append(out, row.data, row.length);
    buf_clear(&row);
    free(cells);
    return status;
}

static int append_csv(struct record_lines *lines, struct buf *out,
                      const struct shown_record *record, struct err *err)
{
    bool is_tombstone = !record->value && record->kind != SHOWN_RAW;

    if (record->value && record->kind == SHOWN_UNDECODABLE)
        return err_set(err, ERR_PROTOCOL, "%s", record->reason);
    if (is_tombstone && !lines->has_header)
        return err_set(err, ERR_UNSUPPORTED,
                       "left out: a tombstone before the first value, which names the columns");
    if (!lines->has_header) {
        choose_columns(lines, record);
        put_header_line(lines, out);
    }
    return append_row(lines, out, record, err);
}

int record_lines_append(struct record_lines *lines, struct buf *out,
                        const struct shown_record *record, struct err *err)
{
    if (lines->format == OUTPUT_CSV)
        return append_csv(lines, out, record, err);
    return append_json(lines, out, record, err);
}
