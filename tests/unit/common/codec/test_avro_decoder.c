#include "codec/avro_decoder.h"

#include <stdio.h>
#include <string.h>

#include "codec/avro_codec.h"
#include "codec/avro_cursor.h"
#include "domain/fetch_result.h"
#include "domain/trade_position.h"
#include "tests/support/unit_test.h"

/* A writer's schema of the given fields, and the value that the test appends to out. */
struct writer {
    char schema[4096];
    struct buf out;
};

static void writer_init(struct writer *writer, const char *fields)
{
    snprintf(writer->schema, sizeof writer->schema,
             "{\"type\":\"record\",\"name\":\"W\",\"fields\":[%s]}", fields);
    buf_init(&writer->out, 1 << 20);
}

static void put_text(struct writer *writer, const char *text)
{
    avro_put_bytes(&writer->out, text, strlen(text));
}

static void put_long(struct writer *writer, int64_t value)
{
    avro_put_long(&writer->out, value);
}

static void put_raw(struct writer *writer, const char *bytes, size_t length)
{
    assert_int_equal(buf_append(&writer->out, bytes, length), 0);
}

static int decode(struct writer *writer, enum record_kind kind, void *record, struct err *err)
{
    struct avro_decoder *decoder = avro_decoder_create(kind, text_view_of(writer->schema), err);
    int status = -1;

    if (!decoder)
        fail_msg("%s: %s", writer->schema, err->message);
    status =
        avro_decode(decoder, (const uint8_t *)writer->out.data, writer->out.length, record, err);
    avro_decoder_destroy(decoder);
    buf_clear(&writer->out);
    return status;
}

static void assert_decodes(struct writer *writer, enum record_kind kind, void *record)
{
    struct err err = {0};

    if (decode(writer, kind, record, &err) != 0)
        fail_msg("%s: %s", writer->schema, err.message);
}

static void assert_fails(struct writer *writer, enum record_kind kind, enum err_code code,
                         const char *text)
{
    union {
        struct trade trade;
        struct fetch_result result;
        struct trade_position position;
    } record;
    struct err err = {0};

    assert_int_equal(decode(writer, kind, &record, &err), -1);
    assert_int_equal(err.code, code);
    assert_false(err.retriable);
    if (!strstr(err.message, text))
        fail_msg("'%s' does not say '%s'", err.message, text);
}

#define INST_ID "{\"name\":\"instId\",\"type\":\"string\"}"

static void fields_that_we_do_not_know_are_skipped_whatever_their_type(void **state)
{
    struct trade_position position;
    struct writer writer;

    (void)state;
    writer_init(&writer, INST_ID
                ",{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"A\",\"fields\":["
                "{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"y\",\"type\":[\"null\",\"float\","
                "\"A\"]}]}},"
                "{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"map\","
                "\"values\":\"bytes\"}}},"
                "{\"name\":\"c\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}},"
                "{\"name\":\"d\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"P\","
                "\"Q\"]}},"
                "{\"name\":\"e\",\"type\":\"null\"},{\"name\":\"f\",\"type\":\"boolean\"},"
                "{\"name\":\"g\",\"type\":\"int\"},"
                "{\"name\":\"updatedAt\",\"type\":\"long\"}");
    put_text(&writer, "BTC-USDT");
    put_raw(&writer, "12345678", 8); /* a.x */
    put_long(&writer, 2);            /* a.y is another A */
    put_raw(&writer, "12345678", 8);
    put_long(&writer, 1); /* whose y is a float */
    put_raw(&writer, "1234", 4);
    put_long(&writer, -1); /* b: a block of one, with its size */
    put_long(&writer, 6);
    put_long(&writer, 1); /* a map of one */
    put_text(&writer, "k");
    put_text(&writer, "v");
    put_long(&writer, 0);
    put_long(&writer, 0);
    put_raw(&writer, "fix", 3); /* c */
    put_long(&writer, 1);       /* d */
    put_raw(&writer, "\1", 1);  /* f */
    put_long(&writer, -7);      /* g */
    put_long(&writer, 99);
    assert_decodes(&writer, RECORD_TRADE_POSITION, &position);
    assert_string_equal(position.inst_id, "BTC-USDT");
    assert_int_equal(position.updated_at_ms, 99);
}

static void fields_that_the_writer_lacks_are_absent(void **state)
{
    struct trade_position position;
    struct writer writer;

    (void)state;
    memset(&position, 0xA5, sizeof position);
    writer_init(&writer, INST_ID);
    put_text(&writer, "BTC-USDT");
    assert_decodes(&writer, RECORD_TRADE_POSITION, &position);
    assert_string_equal(position.inst_id, "BTC-USDT");
    assert_false(position.trade_id.present);
    assert_false(position.event_time_ms.present);
    assert_false(position.offset.present);
    assert_int_equal(position.updated_at_ms, 0);
}

static void order_width_and_nullability_are_the_writers(void **state)
{
    struct trade_position position;
    struct writer writer;

    (void)state;
    writer_init(&writer, "{\"name\":\"updatedAt\",\"type\":\"int\"},"
                         "{\"name\":\"offset\",\"type\":[\"int\",\"null\"]},"
                         "{\"name\":\"ts\",\"type\":[\"int\",\"null\"]},"
                         "{\"name\":\"tradeId\",\"type\":\"long\"},"
                         "{\"name\":\"instId\",\"type\":[\"null\",\"string\"]}");
    put_long(&writer, 11);
    put_long(&writer, 0); /* offset: int */
    put_long(&writer, 12);
    put_long(&writer, 1); /* ts: null */
    put_long(&writer, INT64_MAX);
    put_long(&writer, 1); /* instId: string */
    put_text(&writer, "ETH-USDT");
    assert_decodes(&writer, RECORD_TRADE_POSITION, &position);
    assert_int_equal(position.updated_at_ms, 11);
    assert_true(position.offset.present);
    assert_int_equal(position.offset.value, 12);
    assert_false(position.event_time_ms.present);
    assert_true(position.trade_id.present);
    assert_int_equal(position.trade_id.value, INT64_MAX);
    assert_string_equal(position.inst_id, "ETH-USDT");
}

static void times_come_in_our_unit(void **state)
{
    static const struct {
        int64_t micros, millis;
    } cases[] = {{1999, 1},   {0, 0},      {-1, -1},
                 {-1000, -1}, {-1001, -2}, {INT64_MIN, -9223372036854776}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trade_position position;
        struct writer writer;

        writer_init(&writer, INST_ID ",{\"name\":\"ts\",\"type\":[\"null\",{\"type\":\"long\","
                                     "\"logicalType\":\"timestamp-micros\"}]}");
        put_text(&writer, "X");
        put_long(&writer, 1);
        put_long(&writer, cases[i].micros);
        assert_decodes(&writer, RECORD_TRADE_POSITION, &position);
        assert_int_equal(position.event_time_ms.value, cases[i].millis);
    }
}

#define TRADE_HEAD(decimal)                                                                        \
    INST_ID ",{\"name\":\"tradeId\",\"type\":\"long\"},"                                           \
            "{\"name\":\"px\",\"type\":" decimal "},{\"name\":\"sz\",\"type\":" decimal "},"       \
            "{\"name\":\"side\",\"type\":\"string\"},{\"name\":\"ts\",\"type\":\"long\"}"
#define DECIMAL(scale)                                                                             \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":" scale "}"

/* The fields of TRADE_HEAD with price and size given as raw bytes. */
static void put_trade_head(struct writer *writer, const char *side)
{
    put_text(writer, "BTC-USDT");
    put_long(writer, 1);
    put_text(writer, "\x01");
    put_text(writer, "\x01");
    put_text(writer, side);
    put_long(writer, 2);
}

static void decimals_are_brought_to_our_scale(void **state)
{
    struct trade trade;
    struct writer writer;
    char text[DECIMAL_TEXT_BYTES];

    (void)state;
    writer_init(
        &writer, INST_ID
        ",{\"name\":\"tradeId\",\"type\":\"long\"},"
        "{\"name\":\"px\",\"type\":" DECIMAL(
            "2") "},"
                 "{\"name\":\"sz\",\"type\":{\"type\":\"fixed\",\"name\":\"D\",\"size\":3,"
                 "\"logicalType\":\"decimal\",\"precision\":7,\"scale\":4}},"
                 "{\"name\":\"side\",\"type\":\"string\"},{\"name\":\"ts\",\"type\":\"long\"}");
    put_text(&writer, "BTC-USDT");
    put_long(&writer, 1);
    put_text(&writer, "\x30\x39");       /* 12345 at scale 2 */
    put_raw(&writer, "\xFF\xFF\xFE", 3); /* -2 at scale 4 */
    put_text(&writer, "sell");
    put_long(&writer, 2);
    assert_decodes(&writer, RECORD_TRADE, &trade);
    decimal_format(trade.price, text);
    assert_string_equal(text, "123.45");
    decimal_format(trade.size, text);
    assert_string_equal(text, "-0.0002");
}

static void a_decimal_that_does_not_fit_is_refused_and_not_rounded(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, TRADE_HEAD(DECIMAL("19")));
    put_trade_head(&writer, "buy");
    assert_fails(&writer, RECORD_TRADE, ERR_OUT_OF_RANGE, "field px");
    writer_init(&writer, TRADE_HEAD(DECIMAL("18")));
    put_text(&writer, "BTC-USDT");
    put_long(&writer, 1);
    put_long(&writer, 17);
    put_raw(&writer, "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
    assert_fails(&writer, RECORD_TRADE, ERR_OUT_OF_RANGE, "field px");
}

static void enums_are_read_by_name(void **state)
{
    struct trade trade;
    struct writer writer;
    const char *fields =
        TRADE_HEAD(DECIMAL("0")) ",{\"name\":\"origin\",\"type\":{\"type\":\"enum\","
                                 "\"name\":\"O\",\"symbols\":[\"REPLAY\",\"REST\","
                                 "\"STREAM\"]}}";

    (void)state;
    writer_init(&writer, fields);
    put_trade_head(&writer, "buy");
    put_long(&writer, 1);
    assert_decodes(&writer, RECORD_TRADE, &trade);
    assert_int_equal(trade.origin, ORIGIN_REST);
    writer_init(&writer, fields);
    put_trade_head(&writer, "buy");
    put_long(&writer, 0);
    assert_fails(&writer, RECORD_TRADE, ERR_PROTOCOL, "field origin: unknown value 'REPLAY'");
    writer_init(&writer, fields);
    put_trade_head(&writer, "buy");
    put_long(&writer, 3);
    assert_fails(&writer, RECORD_TRADE, ERR_PROTOCOL, "index 3 of 3");
    writer_init(&writer, fields);
    put_trade_head(&writer, "hold");
    assert_fails(&writer, RECORD_TRADE, ERR_PROTOCOL, "field side: unknown value 'hold'");
}

static void texts_must_fit_and_be_text(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t length;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"64 bytes where 63 fit",
         "0123456789012345678901234567890123456789012345678901234567890123", 64, ERR_LIMIT,
         "at most 63"},
        {"a NUL inside", "BTC\0USDT", 8, ERR_PROTOCOL, "NUL at byte 3"},
        {"a lone continuation byte", "BTC\x80", 4, ERR_PROTOCOL, "no UTF-8 at byte 3"},
        {"an overlong slash", "\xC0\xAF", 2, ERR_PROTOCOL, "no UTF-8"},
        {"a surrogate", "\xED\xA0\x80", 3, ERR_PROTOCOL, "no UTF-8"},
        {"beyond U+10FFFF", "\xF4\x90\x80\x80", 4, ERR_PROTOCOL, "no UTF-8"},
        {"a character cut short", "\xE6\xBC", 2, ERR_PROTOCOL, "no UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer writer;

        print_message("%s\n", cases[i].name);
        writer_init(&writer, INST_ID);
        avro_put_bytes(&writer.out, cases[i].text, cases[i].length);
        assert_fails(&writer, RECORD_TRADE_POSITION, cases[i].code, cases[i].says);
    }
}

static void a_key_that_is_null_is_an_error_other_nulls_are_defaults(void **state)
{
    struct trade_position position;
    struct writer writer;

    (void)state;
    writer_init(&writer, "{\"name\":\"instId\",\"type\":[\"null\",\"string\"]}");
    put_long(&writer, 0);
    assert_fails(&writer, RECORD_TRADE_POSITION, ERR_PROTOCOL, "field instId: is null");
    writer_init(&writer, INST_ID ",{\"name\":\"updatedAt\",\"type\":[\"long\",\"null\"]}");
    put_text(&writer, "X");
    put_long(&writer, 1);
    assert_decodes(&writer, RECORD_TRADE_POSITION, &position);
    assert_int_equal(position.updated_at_ms, 0);
}

static void bytes_behind_the_record_are_an_error(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, INST_ID);
    put_text(&writer, "X");
    put_raw(&writer, "", 1);
    assert_fails(&writer, RECORD_TRADE_POSITION, ERR_PROTOCOL, "1 bytes behind the record");
}

#define EXTRA "{\"name\":\"extra\",\"type\":{\"type\":\"map\",\"values\":\"string\"}}"
#define RESULT_HEAD                                                                                \
    "{\"name\":\"id\",\"type\":\"string\"},"                                                       \
    "{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"TRADES\"]}},"    \
    "{\"name\":\"status\",\"type\":{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"DONE\"]}},"
#define MISSING                                                                                    \
    "{\"name\":\"missing\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","           \
    "\"name\":\"R\",\"fields\":[{\"name\":\"why\",\"type\":\"string\"},"                           \
    "{\"name\":\"to\",\"type\":\"int\"},{\"name\":\"from\",\"type\":\"long\"}]}}}"

static void put_result_head(struct writer *writer)
{
    put_text(writer, "id");
    put_long(writer, 0);
    put_long(writer, 0);
}

static void maps_and_arrays_may_come_in_any_blocks(void **state)
{
    struct trade trade;
    struct fetch_result result;
    struct writer writer;

    (void)state;
    writer_init(&writer, TRADE_HEAD(DECIMAL("0")) "," EXTRA);
    put_trade_head(&writer, "buy");
    put_long(&writer, 1);
    put_text(&writer, "a");
    put_text(&writer, "1");
    put_long(&writer, -1);
    put_long(&writer, 4);
    put_text(&writer, "b");
    put_text(&writer, "2");
    put_long(&writer, 0);
    assert_decodes(&writer, RECORD_TRADE, &trade);
    assert_int_equal(trade.extra.count, 2);
    assert_string_equal(extra_fields_find(&trade.extra, "b"), "2");
    trade_clear(&trade);

    writer_init(&writer, RESULT_HEAD MISSING);
    put_result_head(&writer);
    for (int i = 0; i < 3; i++) {
        put_long(&writer, 1);
        put_text(&writer, "delisted");
        put_long(&writer, 10 * i + 5);
        put_long(&writer, 10 * i);
    }
    put_long(&writer, 0);
    assert_decodes(&writer, RECORD_FETCH_RESULT, &result);
    assert_int_equal(result.missing_count, 3);
    assert_int_equal(result.missing[2].from, 20);
    assert_int_equal(result.missing[2].to, 25);
    fetch_result_clear(&result);
}

static void collections_have_a_cap(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, TRADE_HEAD(DECIMAL("0")) "," EXTRA);
    put_trade_head(&writer, "buy");
    put_long(&writer, EXTRA_FIELDS_MAX + 1);
    for (int i = 0; i <= EXTRA_FIELDS_MAX; i++) {
        put_text(&writer, (char[]){(char)('0' + i), '\0'});
        put_text(&writer, "");
    }
    put_long(&writer, 0);
    assert_fails(&writer, RECORD_TRADE, ERR_LIMIT, "field extra: more than 64");
    writer_init(&writer, RESULT_HEAD MISSING);
    put_result_head(&writer);
    put_long(&writer, FETCH_MISSING_MAX + 1);
    for (int i = 0; i <= FETCH_MISSING_MAX; i++)
        put_raw(&writer, "\0\0\0", 3);
    put_long(&writer, 0);
    assert_fails(&writer, RECORD_FETCH_RESULT, ERR_LIMIT, "field missing: more than 1000");
}

static void hostile_lengths_and_counts_are_refused(void **state)
{
    static const struct {
        const char *name;
        const char *fields;
        int64_t first, second; /* what stands where a length or count is expected */
        enum err_code code;
    } cases[] = {
        {"negative text length", INST_ID, -1, 0, ERR_PROTOCOL},
        {"huge text length", INST_ID, INT64_MAX, 0, ERR_PROTOCOL},
        {"least text length", INST_ID, INT64_MIN, 0, ERR_PROTOCOL},
        {"huge map", EXTRA "," INST_ID, INT64_MAX, 0, ERR_PROTOCOL},
        {"block larger than the value", EXTRA "," INST_ID, -1, INT64_MAX, ERR_PROTOCOL},
        {"block of negative size", EXTRA "," INST_ID, -1, -1, ERR_PROTOCOL},
        {"least block count", EXTRA "," INST_ID, INT64_MIN, 0, ERR_PROTOCOL},
        {"array of nothing, very often",
         "{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}," INST_ID, INT64_MAX, 0,
         ERR_LIMIT},
        {"a union's branch that is not there", "{\"name\":\"x\",\"type\":[\"null\"]}," INST_ID, 1,
         0, ERR_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trade_position position;
        struct avro_decoder *decoder = NULL;
        struct writer writer;
        struct err err = {0};

        print_message("%s\n", cases[i].name);
        writer_init(&writer, cases[i].fields);
        put_long(&writer, cases[i].first);
        put_long(&writer, cases[i].second);
        decoder = avro_decoder_create(RECORD_TRADE_POSITION, text_view_of(writer.schema), &err);
        assert_non_null(decoder);
        assert_int_equal(avro_decode(decoder, (const uint8_t *)writer.out.data, writer.out.length,
                                     &position, &err),
                         -1);
        assert_int_equal(err.code, cases[i].code);
        avro_decoder_destroy(decoder);
        buf_clear(&writer.out);
    }
}

static void endless_nesting_ends_at_a_limit(void **state)
{
    struct writer writer;

    (void)state;
    writer_init(&writer, "{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"N\",\"fields\":["
                         "{\"name\":\"n\",\"type\":[\"null\",\"N\"]}]}}," INST_ID);
    for (int i = 0; i < 10000; i++)
        put_long(&writer, 1);
    assert_fails(&writer, RECORD_TRADE_POSITION, ERR_LIMIT, "nested deeper");
}

static void schemas_that_cannot_be_read_are_refused_at_creation(void **state)
{
    static const struct {
        const char *name, *schema;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"no JSON", "{\"type\":", ERR_PROTOCOL, "no JSON"},
        {"no record", "\"string\"", ERR_UNSUPPORTED, "is a string"},
        {"the key is missing", "{\"type\":\"record\",\"name\":\"W\",\"fields\":[]}",
         ERR_UNSUPPORTED, "lacks the field instId"},
        {"a number that is a double",
         "{\"type\":\"record\",\"name\":\"W\",\"fields\":[" INST_ID
         ",{\"name\":\"offset\",\"type\":\"double\"}]}",
         ERR_UNSUPPORTED, "field offset of the writer's schema is a double"},
        {"one branch of a union is unreadable",
         "{\"type\":\"record\",\"name\":\"W\",\"fields\":[" INST_ID
         ",{\"name\":\"offset\",\"type\":[\"null\",\"long\",\"string\"]}]}",
         ERR_UNSUPPORTED, "field offset of the writer's schema is a string"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        print_message("%s\n", cases[i].name);
        assert_null(
            avro_decoder_create(RECORD_TRADE_POSITION, text_view_of(cases[i].schema), &err));
        assert_int_equal(err.code, cases[i].code);
        if (!strstr(err.message, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].says);
    }
}

static void bytes_without_a_decimal_type_are_no_price(void **state)
{
    struct writer writer;
    struct err err = {0};

    (void)state;
    writer_init(&writer, TRADE_HEAD("\"bytes\""));
    assert_null(avro_decoder_create(RECORD_TRADE, text_view_of(writer.schema), &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_we_do_not_know_are_skipped_whatever_their_type),
        cmocka_unit_test(fields_that_the_writer_lacks_are_absent),
        cmocka_unit_test(order_width_and_nullability_are_the_writers),
        cmocka_unit_test(times_come_in_our_unit),
        cmocka_unit_test(decimals_are_brought_to_our_scale),
        cmocka_unit_test(a_decimal_that_does_not_fit_is_refused_and_not_rounded),
        cmocka_unit_test(enums_are_read_by_name),
        cmocka_unit_test(texts_must_fit_and_be_text),
        cmocka_unit_test(a_key_that_is_null_is_an_error_other_nulls_are_defaults),
        cmocka_unit_test(bytes_behind_the_record_are_an_error),
        cmocka_unit_test(maps_and_arrays_may_come_in_any_blocks),
        cmocka_unit_test(collections_have_a_cap),
        cmocka_unit_test(hostile_lengths_and_counts_are_refused),
        cmocka_unit_test(endless_nesting_ends_at_a_limit),
        cmocka_unit_test(schemas_that_cannot_be_read_are_refused_at_creation),
        cmocka_unit_test(bytes_without_a_decimal_type_are_no_price),
    };
    return cmocka_run_group_tests_name("avro_decoder", tests, NULL, NULL);
}
