/*
 * Builds the stream of COPY ... FROM STDIN (FORMAT binary). Pure.
 * One copy_begin, then per row copy_row and one call per column in the order of the column list,
 * then copy_end. Overflow of the buffer is noticed once, at the end, by out->overflowed.
 * Source: PostgreSQL documentation, COPY, "Binary Format".
 */
#ifndef PERSISTER_COPY_BINARY_H
#define PERSISTER_COPY_BINARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/extra_fields.h"
#include "domain/optional.h"

void copy_begin(struct buf *out);
void copy_row(struct buf *out, int column_count);
void copy_end(struct buf *out);

void copy_null(struct buf *out);
void copy_text(struct buf *out, const char *text);         /* NULL gives NULL */
void copy_text_or_null(struct buf *out, const char *text); /* "" gives NULL too */
void copy_bool(struct buf *out, bool value);
void copy_int64(struct buf *out, int64_t value);
void copy_decimal(struct buf *out, struct decimal value);
void copy_time_ms(struct buf *out, int64_t unix_ms);
void copy_time_us(struct buf *out, int64_t unix_us);

void copy_optional_bool(struct buf *out, struct optional_bool value);
void copy_optional_int64(struct buf *out, struct optional_int64 value);
void copy_optional_decimal(struct buf *out, struct optional_decimal value);
void copy_optional_time_ms(struct buf *out, struct optional_int64 unix_ms);

/* jsonb: the bytes between the two calls are its JSON text. start is what the first returned. */
size_t copy_jsonb_begin(struct buf *out);
void copy_jsonb_end(struct buf *out, size_t start);
/* A jsonb object of texts; NULL when there are none. Bytes that are no UTF-8 go through as they
 * are, so that PostgreSQL refuses the row instead of our storing another text. */
void copy_extra_fields(struct buf *out, const struct extra_fields *extra);

#endif
