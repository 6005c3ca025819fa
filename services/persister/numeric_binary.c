#include "numeric_binary.h"

#include <stdbool.h>

enum { NUMERIC_BASE = 10000, INTEGER_GROUPS = 5, SIGN_NEGATIVE = 0x4000 };

static const uint64_t scale_factor = UINT64_C(1000000000000000000); /* 10^DECIMAL_SCALE */
static const int64_t unix_epoch_to_2000_us = INT64_C(946684800000000);

static uint8_t *put_int16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static void split_groups(uint128 integer, uint64_t fraction, uint16_t groups[NUMERIC_DIGITS_MAX])
{
    /* 18 decimals are four groups of four and two digits, which fill the top of a fifth. */
    uint64_t decimals = fraction / 100;

    groups[9] = (uint16_t)(fraction % 100 * 100);
    for (int i = 8; i >= INTEGER_GROUPS; i--) {
        groups[i] = (uint16_t)(decimals % NUMERIC_BASE);
        decimals /= NUMERIC_BASE;
    }
    groups[4] = (uint16_t)(integer % NUMERIC_BASE);
    uint64_t rest = (uint64_t)(integer / NUMERIC_BASE);
    for (int i = 3; i >= 0; i--) {
        groups[i] = (uint16_t)(rest % NUMERIC_BASE);
        rest /= NUMERIC_BASE;
    }
}

static unsigned count_decimals(uint64_t fraction)
{
    unsigned decimals = DECIMAL_SCALE;

    if (fraction == 0)
        return 0;
    while (fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    return decimals;
}

size_t numeric_binary_write(struct decimal value, uint8_t bytes[NUMERIC_BINARY_BYTES_MAX])
{
    bool is_negative = value.unscaled < 0;
    uint128 magnitude = is_negative ? -(uint128)value.unscaled : (uint128)value.unscaled;
    uint64_t fraction = (uint64_t)(magnitude % scale_factor);
    uint16_t groups[NUMERIC_DIGITS_MAX];
    int first = 0;
    int end = NUMERIC_DIGITS_MAX;
    uint8_t *at = bytes;

    split_groups(magnitude / scale_factor, fraction, groups);
    while (first < end && groups[first] == 0)
        first++;
    while (end > first && groups[end - 1] == 0)
        end--;
    at = put_int16(at, (unsigned)(end - first));
    at = put_int16(at, first == end ? 0 : (unsigned)(INTEGER_GROUPS - 1 - first));
    at = put_int16(at, is_negative ? SIGN_NEGATIVE : 0);
    at = put_int16(at, count_decimals(fraction));
    for (int i = first; i < end; i++)
        at = put_int16(at, groups[i]);
    return (size_t)(at - bytes);
}

int64_t timestamptz_from_unix_us(int64_t unix_us)
{
    int64_t since_2000;

    if (__builtin_sub_overflow(unix_us, unix_epoch_to_2000_us, &since_2000) ||
        since_2000 == INT64_MAX || since_2000 == INT64_MIN)
        return unix_us > 0 ? INT64_MAX - 1 : INT64_MIN + 1;
    return since_2000;
}

int64_t timestamptz_from_unix_ms(int64_t unix_ms)
{
    int64_t unix_us;

    if (__builtin_mul_overflow(unix_ms, INT64_C(1000), &unix_us))
        return unix_ms > 0 ? INT64_MAX - 1 : INT64_MIN + 1;
    return timestamptz_from_unix_us(unix_us);
}
