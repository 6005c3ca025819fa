#include "codec/decimal_text.h"

#include <stdbool.h>
#include <string.h>

enum {
    BYTES_MAX = 128,
    DIGITS_MAX = 320, /* 2^1024 has 309 */
};

/* Makes a negative number its magnitude, in place. */
static void negate(uint8_t *bytes, size_t length)
{
    unsigned carry = 1;

    for (size_t i = length; i > 0; i--) {
        unsigned sum = (uint8_t)~bytes[i - 1] + carry;
        bytes[i - 1] = (uint8_t)sum;
        carry = sum >> 8;
    }
}

/* Divides in place by ten; returns the rest. */
static unsigned divide_by_ten(uint8_t *bytes, size_t length)
{
    unsigned rest = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned part = rest << 8 | bytes[i];
        bytes[i] = (uint8_t)(part / 10);
        rest = part % 10;
    }
    return rest;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* digits: the least significant first. */
static void append_digits(struct buf *out, const char *digits, size_t count, size_t scale)
{
    size_t last = 0; /* behind it only zeros */

    while (last < scale && (last >= count || digits[last] == '0'))
        last++;
    for (size_t i = count > scale ? count : scale + 1; i > scale; i--)
        (void)buf_append_char(out, i > count ? '0' : digits[i - 1]);
    if (last < scale)
        (void)buf_append_char(out, '.');
    for (size_t i = scale; i > last; i--)
        (void)buf_append_char(out, i > count ? '0' : digits[i - 1]);
}

int decimal_text_append(struct buf *out, const uint8_t *bytes, size_t length, int scale,
                        struct err *err)
{
    uint8_t magnitude[BYTES_MAX];
    char digits[DIGITS_MAX] = {0};
    size_t count = 0;
    bool is_negative = false;

    if (length == 0)
        return err_set(err, ERR_PROTOCOL, "decimal has no bytes");
    if (length > sizeof magnitude)
        return err_set(err, ERR_LIMIT, "decimal of %zu bytes", length);
    memcpy(magnitude, bytes, length);
    is_negative = (magnitude[0] & 0x80) != 0;
    if (is_negative)
        negate(magnitude, length);
    while (!is_zero(magnitude, length))
        digits[count++] = (char)('0' + divide_by_ten(magnitude, length));
    if (is_negative)
        (void)buf_append_char(out, '-');
    append_digits(out, digits, count, (size_t)scale);
    return 0;
}
