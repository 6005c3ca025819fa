/* Stretches of bytes: trimming, splitting, whole numbers. The first byte is the separator. */
#include "base/text_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static void check_split(struct text_view whole, char separator)
{
    struct text_view rest = whole, piece = {0};
    size_t separators = 0, pieces = 0;
    const char *next = whole.data;

    for (size_t i = 0; i < whole.length; i++)
        separators += whole.data[i] == separator;
    while (text_view_split(&rest, separator, &piece)) {
        FUZZ_CHECK(piece.data == next);
        FUZZ_CHECK(piece.length == 0 || !memchr(piece.data, separator, piece.length));
        next = piece.data + piece.length + 1;
        pieces++;
    }
    bool ends_with_piece = whole.length > 0 && whole.data[whole.length - 1] != separator;
    FUZZ_CHECK(pieces == separators + ends_with_piece);
}

static void check_trim(struct text_view whole)
{
    struct text_view trimmed = text_view_trim(whole);

    FUZZ_CHECK(trimmed.length <= whole.length);
    FUZZ_CHECK(trimmed.data >= whole.data &&
               trimmed.data + trimmed.length <= whole.data + whole.length);
    FUZZ_CHECK(text_view_trim(trimmed).length == trimmed.length);
    FUZZ_CHECK(trimmed.length == 0 ||
               (!strchr(" \t\n\v\f\r", trimmed.data[0]) || trimmed.data[0] == '\0'));
}

static void check_number(struct text_view whole)
{
    char text[24];
    int64_t value;
    struct err err = {0};

    fuzz_paint(&value, sizeof value);
    bool succeeded = text_view_read_int64(whole, &value, &err) == 0;
    if (succeeded || fuzz_is_utf8(whole.data, whole.length))
        fuzz_check_outcome(succeeded, &err);
    if (!succeeded) {
        FUZZ_CHECK(fuzz_is_painted(&value, sizeof value));
        return;
    }
    /* The same digits, but for zeros in front. */
    snprintf(text, sizeof text, "%lld", (long long)value);
    const char *digits = text + (*text == '-');
    size_t length = strlen(digits);
    FUZZ_CHECK(whole.length >= length);
    FUZZ_CHECK(memcmp(whole.data + whole.length - length, digits, length) == 0);
    FUZZ_CHECK(value >= 0 || whole.data[0] == '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char separator = (char)fuzz_take_byte(&input);
    struct text_view whole = {.data = (const char *)input.at, .length = input.left};
    char *text = fuzz_text(whole);

    check_split(whole, separator);
    check_trim(whole);
    check_number(whole);
    if (whole.length > 0)
        FUZZ_CHECK(text_view_equals(whole, text) == (strlen(text) == whole.length));
    FUZZ_CHECK(text_view_starts_with(whole, text));
    free(text);
    return 0;
}
