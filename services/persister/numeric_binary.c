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

/* Groups of four digits, from the back: groups[count - 1] is the lowest. */
static void split_groups(uint64_t value, uint16_t *groups, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        groups[i] = (uint16_t)(value % NUMERIC_BASE);
        value /= NUMERIC_BASE;
    }
}

/* 18 decimals are four groups of four and two digits, which fill the top of a fifth. Of what is
 * zero the groups stay as they are. *end: behind the last that is not zero. */
static void split_fraction(uint64_t fraction, uint16_t groups[NUMERIC_DIGITS_MAX], int *end)
{
    *end = INTEGER_GROUPS;
    if (fraction == 0)
        return;
    groups[NUMERIC_DIGITS_MAX - 1] = (uint16_t)(fraction % 100 * 100);
    split_groups(fraction / 100, groups + INTEGER_GROUPS, NUMERIC_DIGITS_MAX - INTEGER_GROUPS - 1);
    *end = NUMERIC_DIGITS_MAX;
    while (groups[*end - 1] == 0)
        --*end;
}

/* *first: the first that is not zero, or the last of the integer. */
static void split_integer(uint128 integer, uint16_t groups[NUMERIC_DIGITS_MAX], int *first)
{
    uint64_t rest;

    if (integer >> 64 == 0) { /* 64-bit division is several times faster than 128-bit */
        groups[INTEGER_GROUPS - 1] = (uint16_t)((uint64_t)integer % NUMERIC_BASE);
        rest = (uint64_t)integer / NUMERIC_BASE;
    } else {
        groups[INTEGER_GROUPS - 1] = (uint16_t)(integer % NUMERIC_BASE);
        rest = (uint64_t)(integer / NUMERIC_BASE);
    }
    *first = INTEGER_GROUPS - 1;
    while (rest > 0) {
        groups[--*first] = (uint16_t)(rest % NUMERIC_BASE);
        rest /= NUMERIC_BASE;
    }
}

/* Digits behind the point, by the last group that is not zero. */
static unsigned count_decimals(const uint16_t groups[NUMERIC_DIGITS_MAX], int end)
{
    unsigned decimals = (unsigned)(end - INTEGER_GROUPS) * 4;

    if (end <= INTEGER_GROUPS)
        return 0;
    for (unsigned last = groups[end - 1]; last % 10 == 0; last /= 10)
        decimals--;
    return decimals;
}

size_t numeric_binary_write(struct decimal value, uint8_t bytes[NUMERIC_BINARY_BYTES_MAX])
{
    bool is_negative = value.unscaled < 0;
    uint128 magnitude = is_negative ? -(uint128)value.unscaled : (uint128)value.unscaled;
    uint128 integer = magnitude / scale_factor;
    uint16_t groups[NUMERIC_DIGITS_MAX];
    int first;
    int end;
    uint8_t *at = bytes;

    split_fraction((uint64_t)(magnitude - integer * scale_factor), groups, &end);
    split_integer(integer, groups, &first);
    while (first < end && groups[first] == 0) /* no integer digits, zeros behind the point */
        first++;
    while (end > first && groups[end - 1] == 0)
        end--;
    at = put_int16(at, (unsigned)(end - first));
    at = put_int16(at, first == end ? 0 : (unsigned)(INTEGER_GROUPS - 1 - first));
    at = put_int16(at, is_negative ? SIGN_NEGATIVE : 0);
    at = put_int16(at, count_decimals(groups, end));
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
