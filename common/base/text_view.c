#include "base/text_view.h"

bool text_view_equals(struct text_view view, const char *text)
{
    size_t length = strlen(text);
    return view.length == length && (length == 0 || memcmp(view.data, text, length) == 0);
}

bool text_view_starts_with(struct text_view view, const char *prefix)
{
    size_t length = strlen(prefix);
    return view.length >= length && (length == 0 || memcmp(view.data, prefix, length) == 0);
}

/* Not isspace(): that depends on the locale. */
static bool is_white_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct text_view text_view_trim(struct text_view view)
{
    while (view.length > 0 && is_white_space(view.data[0])) {
        view.data++;
        view.length--;
    }
    while (view.length > 0 && is_white_space(view.data[view.length - 1]))
        view.length--;
    return view;
}

bool text_view_split(struct text_view *rest, char separator, struct text_view *piece)
{
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->data, separator, rest->length);
    size_t length = end ? (size_t)(end - rest->data) : rest->length;
    size_t cut = end ? length + 1 : length;
    *piece = (struct text_view){.data = rest->data, .length = length};
    rest->data += cut;
    rest->length -= cut;
    return true;
}

int text_view_read_int64(struct text_view view, int64_t *value, struct err *err)
{
    bool is_negative = view.length > 0 && view.data[0] == '-';
    size_t i = is_negative ? 1 : 0;
    /* Counted downwards: INT64_MIN has no positive twin. */
    int64_t sum = 0;
    bool overflowed = false;

    if (i == view.length)
        return err_set(err, ERR_PROTOCOL, "'%.*s' is not an integer", TEXT_VIEW_ARGS(view));
    for (; i < view.length; i++) {
        if (view.data[i] < '0' || view.data[i] > '9')
            return err_set(err, ERR_PROTOCOL, "'%.*s' is not an integer", TEXT_VIEW_ARGS(view));
        overflowed = overflowed || __builtin_mul_overflow(sum, 10, &sum) ||
                     __builtin_sub_overflow(sum, view.data[i] - '0', &sum);
    }
    if (overflowed || (!is_negative && sum == INT64_MIN))
        return err_set(err, ERR_OUT_OF_RANGE, "'%.*s' does not fit 64 bits", TEXT_VIEW_ARGS(view));
    *value = is_negative ? sum : -sum;
    return 0;
}
