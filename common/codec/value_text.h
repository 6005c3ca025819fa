/* Any Avro value as text, by its writer's schema. Pure. */
#ifndef CODEC_VALUE_TEXT_H
#define CODEC_VALUE_TEXT_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/avro_cursor.h"
#include "codec/writer_schema.h"

enum value_style {
    VALUE_STYLE_JSON,
    VALUE_STYLE_CELL, /* as in a table: texts without quotes, nothing for null; JSON inside it */
};

/* Appends the value at the cursor and moves behind it. A full buffer is only marked. Errors:
 * ERR_PROTOCOL, ERR_LIMIT. */
int value_text_append(struct buf *out, struct avro_cursor *cursor, const struct schema_node *type,
                      enum value_style style, struct err *err) MUST_CHECK;

/* Appends a JSON string, or with JSON inside a cell the text alone. */
void value_text_append_string(struct buf *out, const char *text, size_t length,
                              enum value_style style);
/* Foreign bytes: null, their text, or {"base64":...} when they are none. */
void value_text_append_foreign(struct buf *out, const void *bytes, size_t length,
                               enum value_style style);
/* As a string, base64. */
void value_text_append_base64(struct buf *out, const void *bytes, size_t length,
                              enum value_style style);

#endif
