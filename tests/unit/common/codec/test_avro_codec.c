#include "codec/avro_codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/fetch_result.h"
#include "domain/trade.h"
#include "tests/support/avro_oracle.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

enum { ROUNDS = 500, VALUE_BYTES_MAX = 1 << 20 };

static struct avro_decoder *own_decoder(enum record_kind kind)
{
    struct err err = {0};
    struct avro_decoder *decoder = avro_decoder_create(kind, schema_text(kind), &err);

    if (!decoder)
        fail_msg("kind %d: %s", kind, err.message);
    return decoder;
}

static void encode(enum record_kind kind, const void *record, struct buf *out)
{
    struct err err = {0};

    buf_reset(out);
    if (avro_encode(kind, record, out, &err) != 0)
        fail_msg("kind %d: %s", kind, err.message);
}

static void a_trade_has_exactly_the_bytes_of_the_specification(void **state)
{
    /* By hand: each field on a line of its own. */
    static const uint8_t golden[] = {
        16,   'B',  'T',  'C',  '-',  'U',  'S',  'D',  'T',              /* instId */
        0xAE, 0xA6, 0xDF, 0xE0, 0x07,                                     /* tradeId 1040968087 */
        20,   0x0D, 0x89, 0x31, 0x03, 0x6B, 0x60, 0xD3, 0xD6, 0x00, 0x00, /* px 63921.5 */
        16,   0x0D, 0xE0, 0xB6, 0xB3, 0xA7, 0x64, 0x00, 0x00,             /* sz 1 */
        6,    'b',  'u',  'y',                                            /* side */
        0x96, 0x01,                                                       /* ts 75 */
        2,    8,                                                          /* count 4 */
        0,                                                                /* source null */
        0,                                                                /* seqId null */
        2,                                                                /* origin REST */
        1,                                                                /* receivedAt -1 */
        2,    2,    'k',  4,    'v',  'w',  0,                            /* extra {k: vw} */
    };
    struct trade trade = {
        .inst_id = "BTC-USDT",
        .trade_id = 1040968087,
        .side = TRADE_SIDE_BUY,
        .event_time_ms = 75,
        .count = {true, 4},
        .origin = ORIGIN_REST,
        .received_at_us = -1,
    };
    struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(decimal_parse(text_view_of("63921.5"), &trade.price, &err), 0);
    assert_int_equal(decimal_parse(text_view_of("1"), &trade.size, &err), 0);
    assert_int_equal(extra_fields_add(&trade.extra, "k", 1, "vw", 2), 0);
    buf_init(&out, VALUE_BYTES_MAX);
    encode(RECORD_TRADE, &trade, &out);
    assert_int_equal(out.length, sizeof golden);
    assert_memory_equal(out.data, golden, sizeof golden);
    buf_clear(&out);
    trade_clear(&trade);
}

static void every_kind_is_encoded_byte_for_byte_as_avro_c_does(void **state)
{
    uint8_t *expected = mem_alloc(VALUE_BYTES_MAX);
    struct buf out = {0};
    uint64_t seed = 1;

    (void)state;
    buf_init(&out, VALUE_BYTES_MAX);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        void *record = mem_calloc(1, avro_record_bytes(kind));
        for (int round = 0; round < ROUNDS; round++) {
            size_t length = 0;

            random_record_fill(kind, &seed, record);
            length = avro_oracle_encode(kind, record, expected, VALUE_BYTES_MAX);
            assert_int_not_equal(length, 0);
            encode(kind, record, &out);
            assert_int_equal(out.length, length);
            assert_memory_equal(out.data, expected, length);
            avro_record_clear(kind, record);
        }
        free(record);
    }
    buf_clear(&out);
    free(expected);
}

/* With little room in the buffer a trade goes by the table, like the other kinds. */
static void a_trade_has_the_same_bytes_both_ways(void **state)
{
    struct buf roomy = {0}, tight = {0};
    uint64_t seed = 3;

    (void)state;
    buf_init(&roomy, VALUE_BYTES_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        struct trade trade;

        random_record_fill(RECORD_TRADE, &seed, &trade);
        extra_fields_clear(&trade.extra);
        encode(RECORD_TRADE, &trade, &roomy);
        buf_init(&tight, roomy.length);
        encode(RECORD_TRADE, &trade, &tight);
        assert_int_equal(tight.length, roomy.length);
        assert_memory_equal(tight.data, roomy.data, roomy.length);
        buf_clear(&tight);
        trade_clear(&trade);
    }
    buf_clear(&roomy);
}

/* Two records are equal when their encodings are: pointers and padding do not count. */
static void what_was_encoded_is_decoded_again(void **state)
{
    struct buf out = {0}, again = {0};
    uint64_t seed = 2;

    (void)state;
    buf_init(&out, VALUE_BYTES_MAX);
    buf_init(&again, VALUE_BYTES_MAX);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct avro_decoder *decoder = own_decoder(kind);
        void *record = mem_calloc(1, avro_record_bytes(kind));
        void *copy = mem_calloc(1, avro_record_bytes(kind));

        for (int round = 0; round < ROUNDS; round++) {
            struct err err = {0};

            random_record_fill(kind, &seed, record);
            encode(kind, record, &out);
            memset(copy, 0xA5, avro_record_bytes(kind));
            if (avro_decode(decoder, (const uint8_t *)out.data, out.length, copy, &err) != 0)
                fail_msg("kind %d: %s", kind, err.message);
            encode(kind, copy, &again);
            assert_int_equal(again.length, out.length);
            assert_memory_equal(again.data, out.data, out.length);
            avro_record_clear(kind, record);
            avro_record_clear(kind, copy);
        }
        free(copy);
        free(record);
        avro_decoder_destroy(decoder);
    }
    buf_clear(&again);
    buf_clear(&out);
}

/* The encodings being equal would not show two fields of one type swapped in both directions. */
static void decoded_fields_are_where_they_belong(void **state)
{
    struct trade trade = {
        .inst_id = "TON-USDT",
        .trade_id = 5,
        .price = decimal_from_int64(3),
        .size = decimal_from_int64(-4),
        .side = TRADE_SIDE_SELL,
        .event_time_ms = 6,
        .source = "1",
        .sequence_id = {true, 7},
        .origin = ORIGIN_REST,
        .received_at_us = 8,
    };
    struct avro_decoder *decoder = own_decoder(RECORD_TRADE);
    struct trade copy;
    struct buf out = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(extra_fields_add(&trade.extra, "name", 4, "value", 5), 0);
    buf_init(&out, VALUE_BYTES_MAX);
    encode(RECORD_TRADE, &trade, &out);
    assert_int_equal(avro_decode(decoder, (const uint8_t *)out.data, out.length, &copy, &err), 0);
    assert_string_equal(copy.inst_id, "TON-USDT");
    assert_int_equal(copy.trade_id, 5);
    assert_int_equal(decimal_compare(copy.price, trade.price), 0);
    assert_int_equal(decimal_compare(copy.size, trade.size), 0);
    assert_int_equal(copy.side, TRADE_SIDE_SELL);
    assert_int_equal(copy.event_time_ms, 6);
    assert_false(copy.count.present);
    assert_string_equal(copy.source, "1");
    assert_true(copy.sequence_id.present);
    assert_int_equal(copy.sequence_id.value, 7);
    assert_int_equal(copy.origin, ORIGIN_REST);
    assert_int_equal(copy.received_at_us, 8);
    assert_string_equal(extra_fields_find(&copy.extra, "name"), "value");
    trade_clear(&copy);
    trade_clear(&trade);
    buf_clear(&out);
    avro_decoder_destroy(decoder);
}

static void every_truncation_fails_cleanly_and_leaves_the_record_alone(void **state)
{
    struct buf out = {0};
    uint64_t seed = 3;

    (void)state;
    buf_init(&out, VALUE_BYTES_MAX);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        size_t bytes = avro_record_bytes(kind);
        struct avro_decoder *decoder = own_decoder(kind);
        void *record = mem_calloc(1, bytes);
        void *untouched = mem_calloc(1, bytes);
        void *copy = mem_calloc(1, bytes);

        random_record_fill(kind, &seed, record);
        encode(kind, record, &out);
        for (size_t length = 0; length < out.length; length++) {
            /* Exactly as large as the value, so that one byte too far is seen by ASan. */
            uint8_t *value = mem_alloc(length + (length == 0));
            struct err err = {0};

            memcpy(value, out.data, length);
            assert_int_equal(avro_decode(decoder, value, length, copy, &err), -1);
            assert_int_equal(err.code, ERR_PROTOCOL);
            assert_memory_equal(copy, untouched, bytes);
            free(value);
        }
        avro_record_clear(kind, record);
        free(copy);
        free(untouched);
        free(record);
        avro_decoder_destroy(decoder);
    }
    buf_clear(&out);
}

/* Not every change is an error, but none may crash, leak or read outside (under the sanitizers). */
static void flipped_bytes_do_no_harm(void **state)
{
    struct buf out = {0}, again = {0};
    uint64_t seed = 4;

    (void)state;
    buf_init(&out, VALUE_BYTES_MAX);
    buf_init(&again, VALUE_BYTES_MAX);
    for (int round = 0; round < 6 * ROUNDS; round++) {
        enum record_kind kind = (enum record_kind)(round % RECORD_KIND_COUNT);
        struct avro_decoder *decoder = own_decoder(kind);
        void *record = mem_calloc(1, avro_record_bytes(kind));
        struct err err = {0};

        random_record_fill(kind, &seed, record);
        encode(kind, record, &out);
        avro_record_clear(kind, record);
        for (int flips = 0; flips < 4; flips++)
            out.data[random_below(&seed, out.length)] = (char)random_next(&seed);
        if (avro_decode(decoder, (const uint8_t *)out.data, out.length, record, &err) == 0) {
            encode(kind, record, &again);
            avro_record_clear(kind, record);
        } else {
            assert_int_not_equal(err.code, ERR_NONE);
        }
        free(record);
        avro_decoder_destroy(decoder);
    }
    buf_clear(&again);
    buf_clear(&out);
}

static void a_full_buffer_keeps_what_it_held(void **state)
{
    struct trade trade = {.inst_id = "BTC-USDT"};
    struct buf out = {0};
    struct err err = {0};

    (void)state;
    buf_init(&out, 20);
    assert_int_equal(buf_append_text(&out, "prefix"), 0);
    assert_int_equal(avro_encode(RECORD_TRADE, &trade, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(out.length, 6);
    assert_memory_equal(out.data, "prefix", 6);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trade_has_exactly_the_bytes_of_the_specification),
        cmocka_unit_test(every_kind_is_encoded_byte_for_byte_as_avro_c_does),
        cmocka_unit_test(a_trade_has_the_same_bytes_both_ways),
        cmocka_unit_test(what_was_encoded_is_decoded_again),
        cmocka_unit_test(decoded_fields_are_where_they_belong),
        cmocka_unit_test(every_truncation_fails_cleanly_and_leaves_the_record_alone),
        cmocka_unit_test(flipped_bytes_do_no_harm),
        cmocka_unit_test(a_full_buffer_keeps_what_it_held),
    };
    return cmocka_run_group_tests_name("avro_codec", tests, NULL, NULL);
}
