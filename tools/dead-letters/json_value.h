/*
 * Avro from JSON in the form that values are printed in (codec/value_text.h): decimals and times as
 * text, bytes base64, a union as its value. Exact: a decimal that does not fit is refused. Pure.
 */
#ifndef DEAD_LETTERS_JSON_VALUE_H
#define DEAD_LETTERS_JSON_VALUE_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text_view.h"
#include "codec/writer_schema.h"

/* Appends the Avro binary. A member that may be null may be left out; one that the schema does not
 * have is refused. Errors: ERR_PROTOCOL, ERR_OUT_OF_RANGE, ERR_UNSUPPORTED, ERR_LIMIT. */
int json_value_encode(struct text_view json, const struct schema_node *type, struct buf *out,
                      struct err *err) MUST_CHECK;

#endif
