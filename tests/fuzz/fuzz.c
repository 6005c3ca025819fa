#include "fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { PAINT = 0xA5, DIGITS_MAX = 400, EXPONENT_MAX = 150 };

void fuzz_fail(const char *file, int line, const char *condition)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

bool fuzz_is_utf8(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);

    json_decref(string);
    return string != NULL;
}

void fuzz_check_outcome(bool succeeded, const struct err *err)
{
    if (succeeded) {
        FUZZ_CHECK(err->code == ERR_NONE);
        return;
    }
    FUZZ_CHECK(err->code != ERR_NONE);
    FUZZ_CHECK(memchr(err->message, '\0', sizeof err->message));
    FUZZ_CHECK(err->message[0] != '\0');
    FUZZ_CHECK(fuzz_is_utf8(err->message, strlen(err->message)));
}

void fuzz_paint(void *object, size_t bytes)
{
    memset(object, PAINT, bytes);
}

bool fuzz_is_painted(const void *object, size_t bytes)
{
    const uint8_t *at = object;

    for (size_t i = 0; i < bytes; i++)
        if (at[i] != PAINT)
            return false;
    return true;
}

uint8_t fuzz_take_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

int64_t fuzz_take_int64(struct fuzz_input *input)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | fuzz_take_byte(input);
    return (int64_t)value;
}

struct text_view fuzz_take_until(struct fuzz_input *input, uint8_t end)
{
    const uint8_t *found = input->left > 0 ? memchr(input->at, end, input->left) : NULL;
    size_t length = found ? (size_t)(found - input->at) : input->left;
    struct text_view view = {.data = (const char *)input->at, .length = length};

    input->at += length + (found ? 1 : 0);
    input->left -= length + (found ? 1 : 0);
    return view;
}

char *fuzz_text(struct text_view view)
{
    return mem_strndup(view.data, view.length);
}

/* Digits of the number without its point; *point is where that stood. */
static size_t read_digits(const char **at, const char *end, char digits[DIGITS_MAX], long *point)
{
    size_t count = 0;
    bool has_point = false;

    for (; *at < end && ((**at >= '0' && **at <= '9') || (**at == '.' && !has_point)); (*at)++) {
        if (**at == '.') {
            has_point = true;
            *point = (long)count;
        } else if (count < DIGITS_MAX) {
            digits[count++] = **at;
        } else {
            return 0;
        }
    }
    if (!has_point)
        *point = (long)count;
    return count;
}

static bool read_exponent(const char *at, const char *end, long *exponent)
{
    char text[8] = "";
    char *behind = NULL;

    if (at == end)
        return true;
    if ((*at != 'e' && *at != 'E') || end - at - 1 >= (long)sizeof text || end - at < 2)
        return false;
    memcpy(text, at + 1, (size_t)(end - at - 1));
    if (strspn(text, "+-0123456789") != (size_t)(end - at - 1))
        return false;
    *exponent = strtol(text, &behind, 10);
    return behind == text + (end - at - 1) && *exponent <= EXPONENT_MAX &&
           *exponent >= -EXPONENT_MAX;
}

bool fuzz_plain_decimal(struct text_view number, char *plain, size_t bytes)
{
    const char *at = number.data, *end = number.data + number.length;
    bool is_negative = at < end && *at == '-';
    char digits[DIGITS_MAX];
    long point = 0, exponent = 0;
    size_t length = 0;

    if (is_negative)
        at++;
    long count = (long)read_digits(&at, end, digits, &point);
    if (count == 0 || !read_exponent(at, end, &exponent))
        return false;
    point += exponent;
    long first = 0, last = count; /* of the significant digits */
    while (first < last && digits[first] == '0')
        first++;
    while (last > first && digits[last - 1] == '0')
        last--;
    if (first == last) {
        first = last = point = 0; /* zero has no sign */
        is_negative = false;
    }
    long from = first < point ? first : point, to = last > point ? last : point;
    if ((size_t)(to - from) + 4 > bytes)
        return false;
    if (is_negative)
        plain[length++] = '-';
    if (from == point)
        plain[length++] = '0';
    for (long i = from; i < to; i++) {
        if (i == point)
            plain[length++] = '.';
        plain[length++] = i < first || i >= last ? '0' : digits[i];
    }
    plain[length] = '\0';
    return true;
}
