/*
 * A growable byte buffer with a hard maximum. Appending past the maximum marks the buffer as
 * overflowed and changes nothing else, so a caller may append many times and look once.
 * Not thread-safe; each buffer has one owner.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct buf {
    char *data; /* NUL-terminated behind length once anything was appended; NULL before */
    size_t length;
    size_t capacity;
    size_t max_bytes;
    bool overflowed;
};

void buf_init(struct buf *buf, size_t max_bytes);
/* Frees the memory; the buffer is as after buf_init. */
void buf_clear(struct buf *buf);
/* Forgets the content and the overflow mark, keeps the memory. */
void buf_reset(struct buf *buf);

/* Each returns 0, or -1 when the maximum would be passed (and on every later call until reset). */
int buf_append(struct buf *buf, const void *bytes, size_t length);
int buf_append_text(struct buf *buf, const char *text);
int buf_append_char(struct buf *buf, char byte);
int buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
int buf_append_vformat(struct buf *buf, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
/* Appends text as the inside of a JSON string: quotes, backslashes and control characters escaped,
 * invalid UTF-8 replaced by U+FFFD. */
int buf_append_json_escaped(struct buf *buf, const char *text, size_t length);

/* Room for length more bytes that the caller writes and then claims with buf_advance; NULL on
 * overflow. */
void *buf_reserve(struct buf *buf, size_t length) MUST_CHECK;
void buf_advance(struct buf *buf, size_t length);
/* Removes the first length bytes. */
void buf_consume(struct buf *buf, size_t length);

/* Returns owned: the NUL-terminated content (never NULL); the buffer is empty afterwards. */
char *buf_take(struct buf *buf) MUST_CHECK;

#endif
