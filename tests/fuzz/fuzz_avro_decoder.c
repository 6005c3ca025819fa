/* A record under our own schema: the first byte says of which kind, the rest is its Avro binary. */
#include "codec/avro_codec.h"
#include "fuzz.h"
#include "record_check.h"

#include <stdlib.h>

#include "base/mem.h"

static struct avro_decoder *decoder_of(enum record_kind kind)
{
    static struct avro_decoder *decoders[RECORD_KIND_COUNT];
    struct err err = {0};

    if (!decoders[kind])
        decoders[kind] = avro_decoder_create(kind, schema_text(kind), &err);
    FUZZ_CHECK(decoders[kind]);
    return decoders[kind];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    enum record_kind kind = fuzz_take_byte(&input) % RECORD_KIND_COUNT;
    size_t bytes = avro_record_bytes(kind);
    void *record = mem_alloc(bytes);
    struct err err = {0};

    fuzz_paint(record, bytes);
    bool succeeded = avro_decode(decoder_of(kind), input.at, input.left, record, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (succeeded) {
        struct buf avro;

        buf_init(&avro, 8 << 20);
        record_check_round_trip(kind, record, &avro);
        FUZZ_CHECK(avro.length <= size); /* ours is the shortest encoding of the same values */
        buf_clear(&avro);
        avro_record_clear(kind, record);
    } else {
        FUZZ_CHECK(fuzz_is_painted(record, bytes));
    }
    free(record);
    return 0;
}
