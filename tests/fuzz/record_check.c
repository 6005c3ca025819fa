#include "record_check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/trade_encoder.h"
#include "fuzz.h"

static struct avro_decoder *own_decoder(enum record_kind kind)
{
    static struct avro_decoder *decoders[RECORD_KIND_COUNT];
    struct err err = {0};

    if (!decoders[kind]) {
        decoders[kind] = avro_decoder_create(kind, schema_text(kind), &err);
        fuzz_check_outcome(decoders[kind] != NULL, &err);
        FUZZ_CHECK(decoders[kind]);
    }
    return decoders[kind];
}

/* The encoder that trades without extra members take has the same to say. */
static void check_trade_encoder(const struct trade *trade, const struct buf *avro)
{
    uint8_t bytes[TRADE_AVRO_BYTES_MAX];

    if (trade->extra.count > 0)
        return;
    FUZZ_CHECK(trade_encode(trade, bytes) == avro->length);
    FUZZ_CHECK(memcmp(bytes, avro->data, avro->length) == 0);
}

void record_check_round_trip(enum record_kind kind, const void *record, struct buf *avro)
{
    void *again = mem_calloc(1, avro_record_bytes(kind));
    struct buf avro_again;
    struct err err = {0};

    buf_reset(avro);
    buf_init(&avro_again, avro->max_bytes);
    FUZZ_CHECK(avro_encode(kind, record, avro, &err) == 0);
    FUZZ_CHECK(avro_decode(own_decoder(kind), (const uint8_t *)avro->data, avro->length, again,
                           &err) == 0);
    FUZZ_CHECK(avro_encode(kind, again, &avro_again, &err) == 0);
    fuzz_check_outcome(true, &err);
    FUZZ_CHECK(avro->length == avro_again.length);
    FUZZ_CHECK(memcmp(avro->data, avro_again.data, avro->length) == 0);
    if (kind == RECORD_TRADE)
        check_trade_encoder(record, avro);
    avro_record_clear(kind, again);
    free(again);
    buf_clear(&avro_again);
}
