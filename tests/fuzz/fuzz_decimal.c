/* Decimals: the input as text, and as binary of a scale that its first byte says. */
#include "base/decimal.h"
#include "fuzz.h"

static int128 limit(void)
{
    return (int128)UINT64_C(10000000000000000000) * (int128)UINT64_C(10000000000000000000);
}

static void check_value(struct decimal value)
{
    char text[DECIMAL_TEXT_BYTES];
    uint8_t binary[DECIMAL_BINARY_BYTES_MAX];
    size_t text_length = decimal_format(value, text);
    size_t binary_length = decimal_to_binary(value, binary);
    struct decimal again = {0};
    struct err err = {0};

    FUZZ_CHECK(value.unscaled < limit() && value.unscaled > -limit());
    FUZZ_CHECK(text_length == strlen(text) && text_length < DECIMAL_TEXT_BYTES);
    FUZZ_CHECK(decimal_parse(text_view_of(text), &again, &err) == 0);
    FUZZ_CHECK(decimal_compare(again, value) == 0);
    FUZZ_CHECK(binary_length >= 1 && binary_length <= DECIMAL_BINARY_BYTES_MAX);
    FUZZ_CHECK(decimal_from_binary(binary, binary_length, DECIMAL_SCALE, &again, &err) == 0);
    FUZZ_CHECK(decimal_compare(again, value) == 0);
    FUZZ_CHECK(decimal_is_zero(value) == (value.unscaled == 0));
}

/* A number needs at most 18 decimals and 20 integer digits to be one of ours. */
static bool fits(const char *plain)
{
    const char *digits = plain + (*plain == '-' ? 1 : 0);
    size_t integer = strcspn(digits, ".");
    size_t fraction = digits[integer] == '.' ? strlen(digits + integer + 1) : 0;

    return integer <= 20 && fraction <= 18;
}

static void check_text(struct text_view text)
{
    char plain[1024];
    char formatted[DECIMAL_TEXT_BYTES];
    struct decimal value;
    struct err err = {0};

    fuzz_paint(&value, sizeof value);
    bool succeeded = decimal_parse(text, &value, &err) == 0;
    if (fuzz_is_utf8(text.data, text.length) || succeeded)
        fuzz_check_outcome(succeeded, &err);
    if (fuzz_plain_decimal(text, plain, sizeof plain)) {
        FUZZ_CHECK(succeeded == fits(plain));
        FUZZ_CHECK(succeeded || err.code == ERR_OUT_OF_RANGE);
    }
    if (!succeeded) {
        FUZZ_CHECK(fuzz_is_painted(&value, sizeof value));
        return;
    }
    check_value(value);
    decimal_format(value, formatted);
    if (fuzz_plain_decimal(text, plain, sizeof plain))
        FUZZ_CHECK(strcmp(formatted, plain) == 0);
}

static void check_binary(const uint8_t *bytes, size_t length, int scale)
{
    struct decimal value;
    struct err err = {0};

    fuzz_paint(&value, sizeof value);
    bool succeeded = decimal_from_binary(bytes, length, scale, &value, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (succeeded)
        check_value(value);
    else
        FUZZ_CHECK(fuzz_is_painted(&value, sizeof value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    check_text((struct text_view){.data = (const char *)data, .length = size});
    int scale = fuzz_take_byte(&input);
    check_binary(input.at, input.left, scale);
    check_binary(input.at, input.left, scale * 4); /* the parser of schemas lets 0 to 1000 pass */
    return 0;
}
