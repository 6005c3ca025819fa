/* A JSON text with its numbers marked: jansson reads it if and only if it is JSON, however many
 * digits its numbers have, and unmarked it is the text again. */
#include "ingestor/exact_numbers.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fuzz.h"

enum { VALUES_MAX = 1000, SPARE_BYTES = VALUES_MAX * EXACT_NUMBERS_MARK_BYTES };

/* jansson's own verdict but for numbers that it cannot hold. */
static bool is_json(const char *text, size_t length, bool *is_too_large)
{
    json_error_t error;
    json_t *document = json_loadb(text, length, 0, &error);

    *is_too_large = !document && json_error_code(&error) == json_error_numeric_overflow;
    json_decref(document);
    return document != NULL;
}

static void check_marked(const char *text, size_t length, const struct buf *marked)
{
    bool is_too_large = false;
    bool is_marked_too_large = false;

    if (memchr(text, '\0', length))
        return; /* jansson passes over one behind a number */
    bool is_valid = is_json(text, length, &is_too_large);
    bool is_marked_valid = is_json(marked->data, marked->length, &is_marked_too_large);

    FUZZ_CHECK(!is_marked_too_large || memchr(text, ':', length)); /* a number as a name */
    FUZZ_CHECK(is_too_large || is_valid == is_marked_valid);
    if (memmem(text, length, "\\u0001", 6))
        return; /* may be a mark of its own */
    char *back = mem_strndup(marked->data, marked->length);
    exact_numbers_unmark(back);
    FUZZ_CHECK(strlen(back) == length && memcmp(back, text, length) == 0);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf marked;
    bool is_too_large = false;

    buf_init(&marked, size + SPARE_BYTES);
    switch (exact_numbers_mark(text, size, VALUES_MAX, &marked)) {
    case 0:
        (void)is_json(text, size, &is_too_large);
        FUZZ_CHECK(!is_too_large || memchr(text, ':', size));
        break;
    case 1:
        check_marked(text, size, &marked);
        break;
    default:
        break;
    }
    buf_clear(&marked);
    return 0;
}
