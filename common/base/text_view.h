/* A borrowed stretch of bytes that need not end in NUL, and exact readers for it. Pure. */
#ifndef BASE_TEXT_VIEW_H
#define BASE_TEXT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/err.h"

struct text_view {
    const char *data;
    size_t length;
};

/* For printf("%.*s", TEXT_VIEW_ARGS(view)). */
#define TEXT_VIEW_ARGS(view) (int)(view).length, (view).data

static inline struct text_view text_view_of(const char *text)
{
    return (struct text_view){.data = text, .length = text ? strlen(text) : 0};
}

bool text_view_equals(struct text_view view, const char *text);
bool text_view_starts_with(struct text_view view, const char *prefix);
/* Without leading and trailing ASCII white space. */
struct text_view text_view_trim(struct text_view view);

/*
 * Cuts the next piece off *rest at separator; false when nothing is left. "a,,b" gives "a", "",
 * "b"; an empty view gives nothing, and neither does what follows a last separator.
 */
bool text_view_split(struct text_view *rest, char separator, struct text_view *piece);

/* A whole decimal integer, optional '-', no '+', no white space. Errors: ERR_PROTOCOL,
 * ERR_OUT_OF_RANGE. */
int text_view_read_int64(struct text_view view, int64_t *value, struct err *err) MUST_CHECK;

#endif
