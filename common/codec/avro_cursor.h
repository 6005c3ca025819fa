/*
 * Reads and writes the primitives of Avro's binary encoding. Pure, and safe on hostile bytes: no
 * read passes the end, nothing is allocated, and the work that a value can cause is bounded.
 * Source: Apache Avro specification 1.11, "Binary Encoding".
 */
#ifndef CODEC_AVRO_CURSOR_H
#define CODEC_AVRO_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text_view.h"
#include "codec/writer_schema.h"

struct avro_cursor {
    const uint8_t *at;
    const uint8_t *end;
    unsigned steps_left; /* values that may still be read: a schema can make many out of no bytes */
};

enum { AVRO_CURSOR_STEPS_MAX = 1000000 };

struct avro_cursor avro_cursor_of(const uint8_t *bytes, size_t length);

/* All errors are ERR_PROTOCOL, unless stated. */
int avro_cursor_read_long(struct avro_cursor *cursor, int64_t *value, struct err *err) MUST_CHECK;
/* A long that fits 32 bits. */
int avro_cursor_read_int(struct avro_cursor *cursor, int32_t *value, struct err *err) MUST_CHECK;
int avro_cursor_read_boolean(struct avro_cursor *cursor, bool *value, struct err *err) MUST_CHECK;
/* length raw bytes; *bytes points into the input. */
int avro_cursor_read_fixed(struct avro_cursor *cursor, size_t length, const uint8_t **bytes,
                           struct err *err) MUST_CHECK;
/* A string or bytes value; view points into the input. */
int avro_cursor_read_bytes(struct avro_cursor *cursor, struct text_view *view,
                           struct err *err) MUST_CHECK;
/* As bytes, and valid UTF-8 without NUL. */
int avro_cursor_read_string(struct avro_cursor *cursor, struct text_view *view,
                            struct err *err) MUST_CHECK;
/* An index below count: of an enum's symbol or a union's branch. */
int avro_cursor_read_index(struct avro_cursor *cursor, size_t count, size_t *index,
                           struct err *err) MUST_CHECK;
/* The head of a block of an array or a map: its number of items, 0 at the end. */
int avro_cursor_read_block(struct avro_cursor *cursor, uint64_t *count, struct err *err) MUST_CHECK;
/* Counts one value against the bound. Errors: ERR_LIMIT. */
int avro_cursor_step(struct avro_cursor *cursor, struct err *err) MUST_CHECK;
/* Passes over a whole value. Errors: also ERR_LIMIT. */
int avro_cursor_skip(struct avro_cursor *cursor, const struct schema_node *type,
                     struct err *err) MUST_CHECK;

/* The writing side. A full buffer is marked in it (see buf.h). */
void avro_put_long(struct buf *out, int64_t value);
/* A length and the bytes: string, bytes. */
void avro_put_bytes(struct buf *out, const void *bytes, size_t length);

#endif
