#include "exact_numbers.h"

#include <string.h>

enum { SAFE_DIGITS = 18 };

/* A control character that has no use in OKX's texts; JSON writes it so. */
static const char mark[] = "\"\\u0001";
enum { MARK_LENGTH = sizeof mark - 1, MARK_VALUE = 1 };

static size_t count_digits(const char *at, const char *end)
{
    const char *start = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - start);
}

/* The length of the number that begins here, 0 if none does; *is_exact when jansson keeps it. */
static size_t measure_number(const char *start, const char *end, bool *is_exact)
{
    const char *at = start + (*start == '-');
    size_t digits = count_digits(at, end);

    if (digits == 0 || (digits > 1 && *at == '0'))
        return 0;
    at += digits;
    *is_exact = digits <= SAFE_DIGITS;
    if (at < end && *at == '.') {
        *is_exact = false;
        digits = count_digits(++at, end);
        if (digits == 0)
            return 0;
        at += digits;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        *is_exact = false;
        at += 1 + (at + 1 < end && (at[1] == '+' || at[1] == '-'));
        digits = count_digits(at, end);
        if (digits == 0)
            return 0;
        at += digits;
    }
    return (size_t)(at - start);
}

/* Behind the string that begins here, or the end. */
static const char *skip_string(const char *start, const char *end)
{
    const char *at = start + 1;
    const char *quote;

    while ((quote = memchr(at, '"', (size_t)(end - at)))) {
        const char *escapes = quote;

        while (escapes > start + 1 && escapes[-1] == '\\')
            escapes--;
        at = quote + 1;
        if ((quote - escapes) % 2 == 0)
            return at;
    }
    return end;
}

/* A number that stands where a member's name should stays an error. */
static bool is_name(const char *behind, const char *end)
{
    while (behind < end && strchr(" \t\r\n", *behind) && *behind)
        behind++;
    return behind < end && *behind == ':';
}

int exact_numbers_mark(const char *text, size_t length, size_t values_max, struct buf *out)
{
    const char *end = text + length;
    const char *copied = text;
    size_t values = 0;

    for (const char *at = text; at < end;) {
        bool is_exact = true;
        size_t digits = 0;

        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '-' || (*at >= '0' && *at <= '9'))
            digits = measure_number(at, end, &is_exact);
        else if ((*at == ',' || *at == '[' || *at == '{') && ++values > values_max)
            return -1;
        if (!is_exact && digits > 0 && !is_name(at + digits, end)) {
            buf_append(out, copied, (size_t)(at - copied));
            buf_append(out, mark, MARK_LENGTH);
            buf_append(out, at, digits);
            buf_append_char(out, '"');
            copied = at + digits;
        }
        at += digits > 0 ? digits : 1;
    }
    buf_append(out, copied, copied > text ? (size_t)(end - copied) : 0);
    return copied > text && !out->overflowed;
}

bool exact_numbers_is_marked(struct text_view value, struct text_view *number)
{
    bool is_exact = true;

    if (value.length < 2 || value.data[0] != MARK_VALUE)
        return false;
    *number = (struct text_view){value.data + 1, value.length - 1};
    return measure_number(number->data, number->data + number->length, &is_exact) == number->length;
}

void exact_numbers_unmark(char *json)
{
    char *to = json;
    const char *end = json + strlen(json);

    for (const char *from = json; from < end;) {
        const char *behind = *from == '"' ? skip_string(from, end) : from + 1;
        size_t length = (size_t)(behind - from);
        bool is_exact = true;

        if (length > MARK_LENGTH + 1 && memcmp(from, mark, MARK_LENGTH) == 0 &&
            measure_number(from + MARK_LENGTH, behind - 1, &is_exact) == length - MARK_LENGTH - 1) {
            from += MARK_LENGTH;
            length -= MARK_LENGTH + 1;
        }
        memmove(to, from, length);
        to += length;
        from = behind;
    }
    *to = '\0';
}
