/*
 * PostgreSQL's binary forms of exact numbers and times. Pure.
 * Source: src/backend/utils/adt/numeric.c (numeric_recv), timestamp.c (timestamptz_recv).
 */
#ifndef PERSISTER_NUMERIC_BINARY_H
#define PERSISTER_NUMERIC_BINARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

enum {
    NUMERIC_HEADER_BYTES = 8,      /* digit count, weight, sign, scale: two bytes each */
    NUMERIC_DIGITS_MAX = 10,       /* base 10000: five before the point, five behind it */
    NUMERIC_BINARY_BYTES_MAX = 28, /* header and digits */
};

/* Writes value without loss and without trailing zeros; returns the length. */
size_t numeric_binary_write(struct decimal value, uint8_t bytes[NUMERIC_BINARY_BYTES_MAX]);

/*
 * Microseconds since 2000-01-01 UTC, as timestamptz counts. A time beyond 64 bits gives one that
 * PostgreSQL refuses (22008), never 'infinity', so that a false time is an error, not a row.
 */
int64_t timestamptz_from_unix_us(int64_t unix_us);
int64_t timestamptz_from_unix_ms(int64_t unix_ms);

#endif
