/* dead-letters: a corrected value, given as JSON. The first byte says of which kind of record, the
 * rest is its text. What is accepted is the value that avrocat shows, and one that can be read. */
#include "dead-letters/json_value.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/avro_cursor.h"
#include "codec/value_text.h"
#include "fuzz.h"
#include "record_check.h"

enum { BYTES_MAX = 4 << 20 };

static const struct schema_node *root_of(enum record_kind kind)
{
    static struct writer_schema *schemas[RECORD_KIND_COUNT];
    struct err err = {0};

    if (!schemas[kind])
        schemas[kind] = writer_schema_parse(schema_text(kind), &err);
    FUZZ_CHECK(schemas[kind]);
    return writer_schema_root(schemas[kind]);
}

static void print(enum record_kind kind, const struct buf *avro, struct buf *json)
{
    struct avro_cursor cursor = avro_cursor_of((const uint8_t *)avro->data, avro->length);
    struct err err = {0};

    FUZZ_CHECK(value_text_append(json, &cursor, root_of(kind), VALUE_STYLE_JSON, &err) == 0);
    FUZZ_CHECK(cursor.at == cursor.end && !json->overflowed);
}

/* What is printed of the value, read again, is printed alike: bytes may differ by the order of a
 * map. */
static void check_print(enum record_kind kind, const struct buf *avro)
{
    struct buf json, avro_again;
    struct err err = {0};

    buf_init(&json, BYTES_MAX);
    buf_init(&avro_again, BYTES_MAX);
    print(kind, avro, &json);
    FUZZ_CHECK(json_value_encode((struct text_view){json.data, json.length}, root_of(kind),
                                 &avro_again, &err) == 0);
    FUZZ_CHECK(avro_again.length == avro->length);
    buf_clear(&json);
    buf_clear(&avro_again);
}

/* Texts may be too long for us, or symbols unknown to us; nothing else is amiss. */
static void check_decode(enum record_kind kind, const struct buf *avro)
{
    void *record = mem_calloc(1, avro_record_bytes(kind));
    struct err err = {0};
    struct avro_decoder *decoder = avro_decoder_create(kind, schema_text(kind), &err);
    struct buf again;

    FUZZ_CHECK(decoder);
    buf_init(&again, BYTES_MAX);
    if (avro_decode(decoder, (const uint8_t *)avro->data, avro->length, record, &err) == 0) {
        record_check_round_trip(kind, record, &again);
        avro_record_clear(kind, record);
    } else {
        FUZZ_CHECK(err.code == ERR_LIMIT || err.code == ERR_PROTOCOL);
    }
    buf_clear(&again);
    avro_decoder_destroy(decoder);
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum record_kind kind = fuzz_take_byte(&input) % RECORD_KIND_COUNT;
    struct text_view json = {.data = (const char *)input.at, .length = input.left};
    struct err err = {0};
    struct buf avro;

    buf_init(&avro, BYTES_MAX);
    bool succeeded = json_value_encode(json, root_of(kind), &avro, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (succeeded) {
        check_print(kind, &avro);
        check_decode(kind, &avro);
    }
    buf_clear(&avro);
    return 0;
}
