/* Decimals of any scale as text, beside the decimals of the services. The first two bytes are the
 * scale, 0 to 1000, as the parser of schemas lets it pass. */
#include "codec/decimal_text.h"

#include "base/decimal.h"
#include "fuzz.h"

enum { TEXT_BYTES_MAX = 4096, SCALE_MAX = 1000 };

/* What the services hold exactly, both write alike. */
static void check_against_decimal(struct fuzz_input binary, int scale, const char *text)
{
    char expected[DECIMAL_TEXT_BYTES];
    struct decimal value;
    struct err err = {0};

    if (decimal_from_binary(binary.at, binary.left, scale, &value, &err) != 0)
        return;
    decimal_format(value, expected);
    FUZZ_CHECK(strcmp(text, expected) == 0);
}

/* "-12.5": digits, a point only before digits that do not end in zero. */
static void check_form(const char *text)
{
    size_t digits, length;

    if (*text == '-')
        text++;
    digits = strspn(text, "0123456789");
    FUZZ_CHECK(digits > 0 && (digits == 1 || text[0] != '0'));
    if (text[digits] == '\0')
        return;
    length = strspn(text + digits + 1, "0123456789");
    FUZZ_CHECK(text[digits] == '.' && length > 0 && text[digits + 1 + length] == '\0');
    FUZZ_CHECK(text[digits + length] != '0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    int scale = fuzz_take_byte(&input) << 8;
    struct buf out;
    struct err err = {0};

    scale = (scale + fuzz_take_byte(&input)) % (SCALE_MAX + 1);
    buf_init(&out, TEXT_BYTES_MAX);
    bool succeeded = decimal_text_append(&out, input.at, input.left, scale, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    FUZZ_CHECK(!out.overflowed && (succeeded || out.length == 0));
    if (succeeded) {
        check_form(out.data);
        check_against_decimal(input, scale, out.data);
    }
    buf_clear(&out);
    return 0;
}
