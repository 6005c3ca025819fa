/* Avro decimals of any scale and up to 1024 bits, as exact text. Pure. */
#ifndef CODEC_DECIMAL_TEXT_H
#define CODEC_DECIMAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends the shortest plain text: no exponent, no trailing zeros behind the point. bytes is
 * big-endian two's complement. Errors: ERR_PROTOCOL for no bytes, ERR_LIMIT for too many. */
int decimal_text_append(struct buf *out, const uint8_t *bytes, size_t length, int scale,
                        struct err *err) MUST_CHECK;

#endif
