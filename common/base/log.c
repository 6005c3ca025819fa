#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rfc3339.h"

enum {
    LINE_BYTES_MAX = 16384,
    TAIL_BYTES = 32,       /* kept free for what ends a line */
    TEXT_BYTES_MAX = 2048, /* six times that, all of it escaped, still fits a line */
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static const char *service_name = "unnamed";
static enum log_level least_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_FORMAT_JSON;
/* Lines longer than a pipe's atomic write would mix without it. */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

void log_configure(const char *service, enum log_level level, enum log_format format)
{
    service_name = service;
    least_level = level;
    line_format = format;
}

bool log_is_enabled(enum log_level level)
{
    return level >= least_level;
}

bool log_level_from_name(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* A character cut in two becomes U+FFFD, so the line stays valid UTF-8. */
static void append_escaped(struct buf *line, const char *text)
{
    buf_append_json_escaped(line, text, strnlen(text, TEXT_BYTES_MAX));
}

static void append_quoted(struct buf *line, const char *text)
{
    buf_append_char(line, '"');
    append_escaped(line, text);
    buf_append_char(line, '"');
}

static void append_json_value(struct buf *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_TEXT:
        if (field->text)
            append_quoted(line, field->text);
        else
            buf_append_text(line, "null");
        break;
    case LOG_FIELD_INT:
        buf_append_format(line, "%lld", (long long)field->number);
        break;
    case LOG_FIELD_BOOL:
        buf_append_text(line, field->number ? "true" : "false");
        break;
    }
}

static void append_json_field(struct buf *line, const struct log_field *field)
{
    buf_append_char(line, ',');
    append_quoted(line, field->name);
    buf_append_char(line, ':');
    append_json_value(line, field);
}

static bool reads_as_one_word(const char *text)
{
    if (*text == '\0')
        return false;
    for (const char *byte = text; *byte; byte++)
        if ((unsigned char)*byte <= ' ' || *byte == '"' || *byte == '\\' || *byte == 0x7f)
            return false;
    return true;
}

static void append_text_field(struct buf *line, const struct log_field *field)
{
    buf_append_char(line, ' ');
    append_escaped(line, field->name);
    buf_append_char(line, '=');
    if (field->kind == LOG_FIELD_TEXT && field->text && reads_as_one_word(field->text))
        append_escaped(line, field->text);
    else
        append_json_value(line, field);
}

/* Each field whole or not at all; true if all of them fitted. */
static bool append_fields(struct buf *line, const struct log_field *fields, size_t count,
                          void (*append)(struct buf *, const struct log_field *))
{
    for (size_t i = 0; i < count; i++) {
        size_t before = line->length;
        append(line, &fields[i]);
        if (line->overflowed) {
            line->overflowed = false;
            line->length = before;
            return false;
        }
    }
    return true;
}

static void format_json(struct buf *line, enum log_level level, const char *msg,
                        const struct log_field *fields, size_t count)
{
    char now[RFC3339_BYTES];
    rfc3339_format_ms(clock_wall_ms(), now);
    buf_append_format(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"service\":", now,
                      level_names[level]);
    append_quoted(line, service_name);
    append_fields(line, &LOG_STR("msg", msg), 1, append_json_field);
    bool fitted = append_fields(line, fields, count, append_json_field);
    line->max_bytes = LINE_BYTES_MAX;
    buf_append_text(line, fitted ? "}\n" : ",\"truncated\":true}\n");
}

/* "12:00:00.123 warn  reconnecting to OKX attempt=3" */
static void format_text(struct buf *line, enum log_level level, const char *msg,
                        const struct log_field *fields, size_t count)
{
    char now[RFC3339_BYTES];
    rfc3339_format_ms(clock_wall_ms(), now);
    buf_append_format(line, "%.12s %-5s ", strchr(now, 'T') + 1, level_names[level]);
    append_escaped(line, msg);
    bool fitted = append_fields(line, fields, count, append_text_field);
    line->max_bytes = LINE_BYTES_MAX;
    buf_append_text(line, fitted ? "\n" : " truncated=true\n");
}

/* What stderr does not take is lost: there is nobody left to tell. */
static void write_line(const struct buf *line)
{
    size_t written = 0;
    pthread_mutex_lock(&write_lock);
    while (written < line->length) {
        ssize_t count = write(STDERR_FILENO, line->data + written, line->length - written);
        if (count > 0)
            written += (size_t)count;
        else if (errno != EINTR)
            break;
    }
    pthread_mutex_unlock(&write_lock);
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t count)
{
    struct buf line;
    int saved_errno = errno;

    if (!log_is_enabled(level))
        return;
    buf_init(&line, LINE_BYTES_MAX - TAIL_BYTES);
    if (line_format == LOG_FORMAT_JSON)
        format_json(&line, level, msg, fields, count);
    else
        format_text(&line, level, msg, fields, count);
    write_line(&line);
    buf_clear(&line);
    errno = saved_errno;
}

bool log_limiter_allow(struct log_limiter *limiter, int64_t now_monotonic_ms, int64_t *suppressed)
{
    if (now_monotonic_ms < limiter->next_ms) {
        limiter->suppressed++;
        return false;
    }
    *suppressed = limiter->suppressed;
    limiter->suppressed = 0;
    limiter->next_ms = now_monotonic_ms + limiter->interval_ms;
    return true;
}
