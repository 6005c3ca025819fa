/* A value as text, by a foreign schema: the schema's text up to the first NUL, behind it the value.
 * And the whole input as foreign bytes. */
#include "codec/value_text.h"

#include <jansson.h>

#include "fuzz.h"

enum { TEXT_BYTES_MAX = 1 << 20 };

/* Sets *consumed on success. */
static bool print(const struct schema_node *root, struct fuzz_input value, enum value_style style,
                  struct buf *out, size_t *consumed)
{
    struct avro_cursor cursor = avro_cursor_of(value.at, value.left);
    struct err err = {0};
    bool succeeded = value_text_append(out, &cursor, root, style, &err) == 0;

    fuzz_check_outcome(succeeded, &err);
    FUZZ_CHECK(cursor.at >= value.at && cursor.at <= cursor.end);
    *consumed = (size_t)(cursor.at - value.at);
    return succeeded && !out->overflowed;
}

/* A value that can be shown can be skipped, and ends at the same byte. */
static void check_skip(const struct schema_node *root, struct fuzz_input value, size_t consumed)
{
    struct avro_cursor cursor = avro_cursor_of(value.at, value.left);
    struct err err = {0};

    FUZZ_CHECK(avro_cursor_skip(&cursor, root, &err) == 0);
    FUZZ_CHECK((size_t)(cursor.at - value.at) == consumed);
}

static void check_value(const struct schema_node *root, struct fuzz_input value)
{
    struct buf json, cell;
    size_t consumed = 0, consumed_again = 0;

    buf_init(&json, TEXT_BYTES_MAX);
    buf_init(&cell, TEXT_BYTES_MAX);
    if (print(root, value, VALUE_STYLE_JSON, &json, &consumed)) {
        json_t *parsed =
            json_loadb(json.data, json.length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

        FUZZ_CHECK(parsed);
        json_decref(parsed);
        check_skip(root, value, consumed);
        FUZZ_CHECK(print(root, value, VALUE_STYLE_CELL, &cell, &consumed_again));
        FUZZ_CHECK(consumed == consumed_again);
        FUZZ_CHECK(fuzz_is_utf8(cell.data ? cell.data : "", cell.length));
    }
    buf_clear(&json);
    buf_clear(&cell);
}

static void check_foreign(const uint8_t *data, size_t size)
{
    struct buf json;

    buf_init(&json, 8 * size + 64);
    value_text_append_foreign(&json, data, size, VALUE_STYLE_JSON);
    FUZZ_CHECK(!json.overflowed);
    json_t *parsed = json_loadb(json.data, json.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    FUZZ_CHECK(parsed);
    if (json_is_string(parsed)) {
        FUZZ_CHECK(json_string_length(parsed) == size);
        FUZZ_CHECK(memcmp(json_string_value(parsed), data, size) == 0);
    }
    json_decref(parsed);
    buf_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input value = {data, size};
    struct text_view text = fuzz_take_until(&value, '\0');
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(text, &err);

    check_foreign(data, size);
    if (schema)
        check_value(writer_schema_root(schema), value);
    writer_schema_destroy(schema);
    return 0;
}
