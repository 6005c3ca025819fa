/*
 * Exact decimal numbers: a signed 128-bit integer counted in 10^-18, the range of Avro's
 * decimal(38,18). No floating point anywhere. Pure.
 *
 * OKX's largest recorded values have 16 integer digits and at most 16 decimals, so everything it
 * sends fits; what does not fit is refused, never rounded (okx-v5.md, section 5).
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"

enum {
    DECIMAL_SCALE = 18,
    DECIMAL_PRECISION = 38,
    DECIMAL_TEXT_BYTES = 48, /* room for any value as text, sign, point and NUL */
    DECIMAL_BINARY_BYTES_MAX = 16,
};

__extension__ typedef __int128 int128; /* ISO C has no 128-bit integer; gcc and clang do */
__extension__ typedef unsigned __int128 uint128;

struct decimal {
    int128 unscaled; /* value * 10^18, |unscaled| < 10^38 */
};

/*
 * Reads "-12.5", "63921", "1.772e-05"; digits are required on at least one side of the point.
 * Errors: ERR_PROTOCOL if it is no number; ERR_OUT_OF_RANGE if it needs more than 18 decimals
 * (trailing zeros do not count) or more than 20 integer digits.
 */
int decimal_parse(struct text_view text, struct decimal *value, struct err *err) MUST_CHECK;

/* Shortest plain text that reads back as the same value: no exponent, no trailing zeros, "0" for
 * zero. text has DECIMAL_TEXT_BYTES; returns the length. */
size_t decimal_format(struct decimal value, char *text);

/* Big-endian two's complement of minimal length (Avro's decimal over bytes). Returns the length. */
size_t decimal_to_binary(struct decimal value, uint8_t bytes[DECIMAL_BINARY_BYTES_MAX]);

/* The inverse. scale is the writer's: values of another scale are brought to 18.
 * Errors: ERR_PROTOCOL for length 0; ERR_OUT_OF_RANGE for what does not fit exactly. */
int decimal_from_binary(const uint8_t *bytes, size_t length, int scale, struct decimal *value,
                        struct err *err) MUST_CHECK;

struct decimal decimal_from_int64(int64_t value);
int decimal_compare(struct decimal left, struct decimal right); /* <0, 0, >0 */
bool decimal_is_zero(struct decimal value);

#endif
