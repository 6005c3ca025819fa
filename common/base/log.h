/*
 * One line per event on stderr: JSON objects, or text for people. The only permitted global.
 * Thread-safe. Programs log, libraries return errors: pure modules never call this.
 *
 * msg is a constant that one can search for; values go into typed fields, so that a line is valid
 * JSON by construction:  log_warn("reconnecting to OKX", LOG_INT("attempt", 3), LOG_INT("delay_ms",
 * ms));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct log_field {
    const char *name;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL } kind;
    const char *text; /* NULL prints null */
    int64_t number;
};
#define LOG_STR(field, value)                                                                      \
    ((struct log_field){.name = (field), .kind = LOG_FIELD_TEXT, .text = (value)})
#define LOG_INT(field, value)                                                                      \
    ((struct log_field){.name = (field), .kind = LOG_FIELD_INT, .number = (int64_t)(value)})
#define LOG_BOOL(field, value)                                                                     \
    ((struct log_field){.name = (field), .kind = LOG_FIELD_BOOL, .number = (value)})

/* Before the first line; service is borrowed for the life of the process. Default: info, json. */
void log_configure(const char *service, enum log_level level, enum log_format format);
bool log_is_enabled(enum log_level level);
/* false for an unknown name; "debug", "info", "warn", "error". */
bool log_level_from_name(const char *name, enum log_level *level);

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t count);

#define LOG_AT(level, msg, ...)                                                                    \
    do {                                                                                           \
        if (log_is_enabled(level)) {                                                               \
            const struct log_field log_fields_[] = {LOG_STR(NULL, NULL), ##__VA_ARGS__};           \
            log_write(level, msg, log_fields_ + 1,                                                 \
                      sizeof log_fields_ / sizeof log_fields_[0] - 1);                             \
        }                                                                                          \
    } while (0)
#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)

/* Lets one line through per interval and counts the others. One per call site; its owner's thread
 * only. */
struct log_limiter {
    int64_t interval_ms;
    int64_t next_ms;    /* monotonic */
    int64_t suppressed; /* since the last line that went through */
};
/* True when the caller may log now; *suppressed is how many were held back since (0 the first
 * time). */
bool log_limiter_allow(struct log_limiter *limiter, int64_t now_monotonic_ms, int64_t *suppressed);

#endif
