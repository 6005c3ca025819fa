#include "base/decimal.h"

#include <string.h>

enum {
    DIGITS_PER_64 = 19, /* decimal digits that always fit a uint64_t */
    QUOTED_BYTES_MAX = 60,
};

#define TEN_TO_18 UINT64_C(1000000000000000000)

static uint128 power_of_ten(unsigned exponent) /* up to 38 */
{
    static const uint64_t powers[] = {
        UINT64_C(1),
        UINT64_C(10),
        UINT64_C(100),
        UINT64_C(1000),
        UINT64_C(10000),
        UINT64_C(100000),
        UINT64_C(1000000),
        UINT64_C(10000000),
        UINT64_C(100000000),
        UINT64_C(1000000000),
        UINT64_C(10000000000),
        UINT64_C(100000000000),
        UINT64_C(1000000000000),
        UINT64_C(10000000000000),
        UINT64_C(100000000000000),
        UINT64_C(1000000000000000),
        UINT64_C(10000000000000000),
        UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000),
        UINT64_C(10000000000000000000),
    };
    if (exponent <= DIGITS_PER_64)
        return powers[exponent];
    return (uint128)powers[DIGITS_PER_64] * powers[exponent - DIGITS_PER_64];
}

static uint128 magnitude_of(int128 value)
{
    return value < 0 ? -(uint128)value : (uint128)value;
}

static int fail(struct err *err, enum err_code code, struct text_view text, const char *reason)
{
    int shown = text.length > QUOTED_BYTES_MAX ? QUOTED_BYTES_MAX : (int)text.length;
    return err_set(err, code, "'%.*s%s' %s", shown, text.data,
                   text.length > QUOTED_BYTES_MAX ? "..." : "", reason);
}

/* text to value */

/* A number taken apart: the digits before and after the point, and the power of ten behind 'e'. */
struct number_parts {
    bool is_negative;
    struct text_view integer, fraction;
    int64_t exponent;
};

static struct text_view take_digits(struct text_view *rest)
{
    struct text_view digits = {.data = rest->data};
    while (digits.length < rest->length && (uint8_t)(rest->data[digits.length] - '0') <= 9)
        digits.length++;
    rest->data += digits.length;
    rest->length -= digits.length;
    return digits;
}

static bool take_char(struct text_view *rest, char byte)
{
    if (rest->length == 0 || rest->data[0] != byte)
        return false;
    rest->data++;
    rest->length--;
    return true;
}

static bool take_exponent(struct text_view *rest, int64_t *exponent)
{
    const int64_t limit = INT64_C(1) << 40; /* beyond any length of text, so the outcome is sure */
    bool is_negative = take_char(rest, '-');
    if (!is_negative)
        take_char(rest, '+');
    struct text_view digits = take_digits(rest);
    int64_t sum = 0;
    for (size_t i = 0; i < digits.length && sum < limit; i++)
        sum = sum * 10 + (digits.data[i] - '0');
    *exponent = is_negative ? -sum : sum;
    return digits.length > 0;
}

static bool split_number(struct text_view rest, struct number_parts *parts)
{
    *parts = (struct number_parts){0};
    parts->is_negative = take_char(&rest, '-');
    parts->integer = take_digits(&rest);
    if (take_char(&rest, '.'))
        parts->fraction = take_digits(&rest);
    if (parts->integer.length + parts->fraction.length == 0)
        return false;
    if ((take_char(&rest, 'e') || take_char(&rest, 'E')) && !take_exponent(&rest, &parts->exponent))
        return false;
    return rest.length == 0;
}

static void drop_leading_zeros(struct text_view *digits)
{
    while (digits->length > 0 && digits->data[0] == '0') {
        digits->data++;
        digits->length--;
    }
}

static size_t drop_trailing_zeros(struct text_view *digits)
{
    size_t before = digits->length;
    while (digits->length > 0 && digits->data[digits->length - 1] == '0')
        digits->length--;
    return before - digits->length;
}

static uint64_t digits_to_uint64(const char *digits, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = sum * 10 + (uint64_t)(digits[i] - '0');
    return sum;
}

static uint128 digits_to_uint128(struct text_view digits) /* up to 38 */
{
    if (digits.length <= DIGITS_PER_64)
        return digits_to_uint64(digits.data, digits.length);
    size_t low = digits.length - DIGITS_PER_64;
    return digits_to_uint64(digits.data, DIGITS_PER_64) * power_of_ten((unsigned)low) +
           digits_to_uint64(digits.data + DIGITS_PER_64, low);
}

/* The usual form: digits, at most one point, no more than a uint64_t holds for certain. False for
 * any other. */
static bool parse_short(struct text_view text, struct decimal *value)
{
    uint64_t coefficient = 0;
    size_t decimals = 0; /* with the point */

    if (text.length > DIGITS_PER_64)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';

        if (digit <= 9)
            coefficient = coefficient * 10 + digit;
        else if (text.data[i] == '.' && decimals == 0)
            decimals = text.length - i;
        else
            return false;
    }
    decimals -= decimals > 0;
    if (decimals > DECIMAL_SCALE || text.length == 0 || (text.length == 1 && text.data[0] == '.'))
        return false;
    value->unscaled =
        (int128)coefficient * (int128)power_of_ten(DECIMAL_SCALE - (unsigned)decimals);
    return true;
}

int decimal_parse(struct text_view text, struct decimal *value, struct err *err)
{
    struct number_parts parts;
    if (parse_short(text, value))
        return 0;
    if (!split_number(text, &parts))
        return fail(err, ERR_PROTOCOL, text, "is not a decimal number");

    /* Without zeros at either end: value = coefficient * 10^exponent, digits of them count. */
    drop_leading_zeros(&parts.integer);
    drop_trailing_zeros(&parts.fraction);
    int64_t exponent = parts.exponent - (int64_t)parts.fraction.length;
    if (parts.fraction.length == 0)
        exponent += (int64_t)drop_trailing_zeros(&parts.integer);
    struct text_view significant = parts.fraction;
    if (parts.integer.length == 0)
        drop_leading_zeros(&significant);

    size_t digits = parts.integer.length + significant.length;
    int64_t shift = exponent + DECIMAL_SCALE;
    if (digits == 0) {
        value->unscaled = 0;
        return 0;
    }
    if (shift < 0)
        return fail(err, ERR_OUT_OF_RANGE, text, "has more than 18 decimals");
    if ((int64_t)digits + shift > DECIMAL_PRECISION)
        return fail(err, ERR_OUT_OF_RANGE, text, "has more than 20 integer digits");

    uint128 coefficient = digits_to_uint128(significant);
    if (parts.integer.length > 0)
        coefficient +=
            digits_to_uint128(parts.integer) * power_of_ten((unsigned)significant.length);
    uint128 magnitude = coefficient * power_of_ten((unsigned)shift);
    value->unscaled = parts.is_negative ? -(int128)magnitude : (int128)magnitude;
    return 0;
}

/* value to text */

/* Writes count digits of value, zeros in front. */
static void write_digits(char *text, uint64_t value, unsigned count)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    while (count >= 2) {
        count -= 2;
        memcpy(text + count, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (count)
        text[0] = (char)('0' + value % 10);
}

static unsigned count_digits(uint64_t value)
{
    unsigned count = 1;
    while (value >= 10) {
        value /= 10;
        count++;
    }
    return count;
}

size_t decimal_format(struct decimal value, char *text)
{
    char *end = text;
    uint128 magnitude = magnitude_of(value.unscaled);
    uint128 integer;
    uint64_t fraction;

    if (magnitude >> 64 == 0) { /* 64-bit division is several times faster than 128-bit */
        integer = (uint64_t)magnitude / TEN_TO_18;
        fraction = (uint64_t)magnitude % TEN_TO_18;
    } else {
        integer = magnitude / TEN_TO_18;
        fraction = (uint64_t)(magnitude - integer * TEN_TO_18);
    }
    if (value.unscaled < 0)
        *end++ = '-';
    if (integer >> 64 != 0) { /* at most 20 digits: two above the lower 18 */
        uint64_t high = (uint64_t)(integer / TEN_TO_18);
        unsigned count = count_digits(high);
        write_digits(end, high, count);
        write_digits(end + count, (uint64_t)(integer % TEN_TO_18), DECIMAL_SCALE);
        end += count + DECIMAL_SCALE;
    } else {
        unsigned count = count_digits((uint64_t)integer);
        write_digits(end, (uint64_t)integer, count);
        end += count;
    }
    if (fraction) {
        *end++ = '.';
        write_digits(end, fraction, DECIMAL_SCALE);
        end += DECIMAL_SCALE;
        while (end[-1] == '0')
            end--;
    }
    *end = '\0';
    return (size_t)(end - text);
}

/* binary */

size_t decimal_to_binary(struct decimal value, uint8_t bytes[DECIMAL_BINARY_BYTES_MAX])
{
    uint128 pattern = (uint128)value.unscaled;
    uint128 significant = value.unscaled < 0 ? ~pattern : pattern;
    uint64_t high = (uint64_t)(significant >> 64);
    uint64_t low = (uint64_t)significant;
    int bits = high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
    size_t length = (size_t)bits / 8 + 1; /* with the sign bit */
    for (size_t i = length; i > 0; i--) {
        bytes[i - 1] = (uint8_t)pattern;
        pattern >>= 8;
    }
    return length;
}

/* Brings value from scale to DECIMAL_SCALE; false if that is not exact or does not fit. */
static bool rescale(int128 *value, int scale)
{
    uint128 magnitude = magnitude_of(*value);
    uint128 limit = power_of_ten(DECIMAL_PRECISION);

    if (magnitude == 0)
        return true;
    if (scale > DECIMAL_SCALE) {
        if (scale - DECIMAL_SCALE > DECIMAL_PRECISION)
            return false;
        uint128 divisor = power_of_ten((unsigned)(scale - DECIMAL_SCALE));
        if (magnitude % divisor != 0)
            return false;
        magnitude /= divisor;
    } else if (scale < DECIMAL_SCALE) {
        if (scale <= DECIMAL_SCALE - DECIMAL_PRECISION)
            return false;
        uint128 factor = power_of_ten((unsigned)(DECIMAL_SCALE - scale));
        if (magnitude >= limit / factor)
            return false;
        magnitude *= factor;
    }
    if (magnitude >= limit)
        return false;
    *value = *value < 0 ? -(int128)magnitude : (int128)magnitude;
    return true;
}

int decimal_from_binary(const uint8_t *bytes, size_t length, int scale, struct decimal *value,
                        struct err *err)
{
    if (length == 0)
        return err_set(err, ERR_PROTOCOL, "decimal without bytes");
    uint8_t sign = bytes[0] & 0x80 ? 0xFF : 0x00;
    while (length > DECIMAL_BINARY_BYTES_MAX && bytes[0] == sign &&
           (bytes[1] & 0x80) == (sign & 0x80)) {
        bytes++; /* a writer need not be minimal */
        length--;
    }
    if (length > DECIMAL_BINARY_BYTES_MAX)
        return err_set(err, ERR_OUT_OF_RANGE, "decimal of %zu bytes", length);
    uint128 pattern = sign ? ~(uint128)0 : 0;
    for (size_t i = 0; i < length; i++)
        pattern = pattern << 8 | bytes[i];
    int128 unscaled = (int128)pattern;
    if (!rescale(&unscaled, scale))
        return err_set(err, ERR_OUT_OF_RANGE, "decimal of scale %d does not fit decimal(38,18)",
                       scale);
    value->unscaled = unscaled;
    return 0;
}

struct decimal decimal_from_int64(int64_t value)
{
    return (struct decimal){.unscaled = (int128)value * (int128)TEN_TO_18};
}

int decimal_compare(struct decimal left, struct decimal right)
{
    return (left.unscaled > right.unscaled) - (left.unscaled < right.unscaled);
}

bool decimal_is_zero(struct decimal value)
{
    return value.unscaled == 0;
}
