/* Foreign text within our JSON: log lines, requests, answers of the status port. The first byte
 * bounds the buffer. */
#include "base/buf.h"

#include <jansson.h>

#include "fuzz.h"

/* Text that is valid comes back as it was. */
static void check_json(const struct buf *buf, const char *text, size_t length)
{
    json_t *json = json_loadb(buf->data, buf->length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    FUZZ_CHECK(json_is_string(json));
    if (fuzz_is_utf8(text, length)) {
        FUZZ_CHECK(json_string_length(json) == length);
        FUZZ_CHECK(length == 0 || memcmp(json_string_value(json), text, length) == 0);
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t bound = fuzz_take_byte(&input);
    const char *text = (const char *)input.at;
    struct buf buf;

    buf_init(&buf, 8 * size + 2);
    FUZZ_CHECK(buf_append_char(&buf, '"') == 0);
    FUZZ_CHECK(buf_append_json_escaped(&buf, text, input.left) == 0);
    FUZZ_CHECK(buf_append_char(&buf, '"') == 0);
    check_json(&buf, text, input.left);
    buf_clear(&buf);

    buf_init(&buf, bound); /* all of the text, or nothing of it */
    bool fits = buf_append_json_escaped(&buf, text, input.left) == 0;
    FUZZ_CHECK(buf.length <= bound && fits == !buf.overflowed && (fits || buf.length == 0));
    FUZZ_CHECK(!buf.data || buf.data[buf.length] == '\0');
    buf_clear(&buf);
    return 0;
}
