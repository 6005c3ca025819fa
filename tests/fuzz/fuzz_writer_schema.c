/*
 * A foreign schema: its text up to the first NUL, behind it a value that it wrote. The value is
 * skipped, and decoded as each of our kinds that the schema suits.
 */
#include "codec/writer_schema.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/avro_cursor.h"
#include "fuzz.h"
#include "record_check.h"

enum { DEPTH_MAX = 64 };

/* A tree may lead back to its named types, so the walk ends at a depth and a number of nodes. */
static void check_node(const struct schema_node *node, int depth, int *left)
{
    bool has_names = node->type == SCHEMA_RECORD || node->type == SCHEMA_ENUM;
    bool is_named = has_names || node->type == SCHEMA_FIXED;
    bool has_children = node->type == SCHEMA_RECORD || node->type == SCHEMA_UNION ||
                        node->type == SCHEMA_ARRAY || node->type == SCHEMA_MAP;

    if (depth == DEPTH_MAX || (*left)-- <= 0)
        return;
    FUZZ_CHECK(schema_type_name(node->type)[0] != '\0');
    FUZZ_CHECK((node->full_name != NULL) == is_named);
    FUZZ_CHECK(node->scale >= 0);
    FUZZ_CHECK(node->type == SCHEMA_FIXED || node->fixed_bytes == 0);
    FUZZ_CHECK(node->logical_type != SCHEMA_LOGICAL_DECIMAL || node->type == SCHEMA_BYTES ||
               node->type == SCHEMA_FIXED);
    FUZZ_CHECK((node->type != SCHEMA_ARRAY && node->type != SCHEMA_MAP) || node->count == 1);
    for (size_t i = 0; has_names && i < node->count; i++)
        FUZZ_CHECK(node->names[i]);
    for (size_t i = 0; has_children && i < node->count; i++) {
        FUZZ_CHECK(node->type != SCHEMA_UNION || node->children[i]->type != SCHEMA_UNION);
        check_node(node->children[i], depth + 1, left);
    }
}

static void check_skip(const struct schema_node *root, struct fuzz_input value)
{
    struct avro_cursor cursor = avro_cursor_of(value.at, value.left);
    struct err err = {0};
    bool succeeded = avro_cursor_skip(&cursor, root, &err) == 0;

    fuzz_check_outcome(succeeded, &err);
    FUZZ_CHECK(cursor.at >= value.at && cursor.at <= cursor.end);
}

static void check_decode(enum record_kind kind, struct text_view text, struct fuzz_input value)
{
    struct err err = {0};
    struct avro_decoder *decoder = avro_decoder_create(kind, text, &err);

    fuzz_check_outcome(decoder != NULL, &err);
    if (!decoder)
        return;
    size_t bytes = avro_record_bytes(kind);
    void *record = mem_alloc(bytes);
    fuzz_paint(record, bytes);
    bool succeeded = avro_decode(decoder, value.at, value.left, record, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (succeeded) {
        struct buf avro;

        buf_init(&avro, 8 << 20);
        record_check_round_trip(kind, record, &avro);
        buf_clear(&avro);
        avro_record_clear(kind, record);
    } else {
        FUZZ_CHECK(fuzz_is_painted(record, bytes));
    }
    free(record);
    avro_decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input value = {data, size};
    struct text_view text = fuzz_take_until(&value, '\0');
    int nodes_left = 10000;
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(text, &err);

    if (schema || fuzz_is_utf8(text.data, text.length))
        fuzz_check_outcome(schema != NULL, &err);
    if (!schema)
        return 0;
    check_node(writer_schema_root(schema), 0, &nodes_left);
    check_skip(writer_schema_root(schema), value);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++)
        check_decode(kind, text, value);
    writer_schema_destroy(schema);
    return 0;
}
