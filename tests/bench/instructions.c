/*
 * Runs one operation of the data path many times over, so that its instructions can be counted.
 *   instructions OPERATION TIMES     does it so often
 *   instructions --list              the operations, a line each
 *   instructions --build             what the counts depend on: compiler, C library, processor
 * Counts of two runs are subtracted by instructions.py, so what happens once does not count.
 */
#include <gnu/libc-version.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/avro_codec.h"
#include "domain/candle.h"
#include "domain/trade.h"
#include "ingestor/okx_message.h"
#include "ingestor/trade_frame.h"
#include "persister/table_store.h"

static const char frame_text[] =
    "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\"},\"data\":[{"
    "\"instId\":\"BTC-USDT\",\"tradeId\":\"730639474\",\"px\":\"68208.5\",\"sz\":\"0.00120306\","
    "\"side\":\"sell\",\"source\":\"0\",\"ts\":\"1731048897897\"}]}";

/* What operations work on, filled once. */
static struct trade trade;
static struct candle candle;
static struct buf encoded_trade, out;
static struct avro_decoder *trade_decoder;

static void fail(const char *what)
{
    fprintf(stderr, "instructions: %s\n", what);
    exit(1);
}

static void read_trade(void)
{
    struct trade read;

    if (!trade_frame_read(frame_text, sizeof frame_text - 1, "trades-all", &read))
        fail("the frame is not taken");
}

static void read_trade_as_json(void)
{
    struct okx_frame frame;
    struct trade read;
    struct err err;

    if (okx_frame_read(frame_text, sizeof frame_text - 1, &frame, &err) != 0 ||
        okx_rows_read_trade(frame.rows, 0, &read, &err) != 0)
        fail("the frame is not understood");
    trade_clear(&read);
    okx_frame_clear(&frame);
}

static void encode(enum record_kind kind, const void *record)
{
    struct err err;

    buf_reset(&out);
    if (avro_encode(kind, record, &out, &err) != 0)
        fail("a record cannot be encoded");
}

static void encode_trade(void)
{
    encode(RECORD_TRADE, &trade);
}

static void encode_candle(void)
{
    encode(RECORD_CANDLE, &candle);
}

static void decode_trade(void)
{
    struct trade decoded;
    struct err err;

    if (avro_decode(trade_decoder, (const uint8_t *)encoded_trade.data, encoded_trade.length,
                    &decoded, &err) != 0)
        fail("the trade cannot be decoded");
    trade_clear(&decoded);
}

static void format_trade_row(void)
{
    buf_reset(&out);
    trade_store.append_row(&trade, &out);
}

static const struct operation {
    const char *name;
    void (*run)(void);
} operations[] = {
    {"read-trade", read_trade},     {"read-trade-as-json", read_trade_as_json},
    {"encode-trade", encode_trade}, {"encode-candle", encode_candle},
    {"decode-trade", decode_trade}, {"format-trade-row", format_trade_row},
};

static struct decimal number(const char *text)
{
    struct decimal value;
    struct err err;

    if (decimal_parse(text_view_of(text), &value, &err) != 0)
        fail(err.message);
    return value;
}

static void prepare(void)
{
    enum { BYTES_MAX = 64 * 1024 };
    struct err err;

    buf_init(&out, BYTES_MAX);
    buf_init(&encoded_trade, BYTES_MAX);
    if (!trade_frame_read(frame_text, sizeof frame_text - 1, "trades-all", &trade))
        fail("the frame is not taken");
    trade.received_at_us = INT64_C(1731048897901234);
    candle = (struct candle){
        .inst_id = "BTC-USDT",
        .bar = "1H",
        .open_time_ms = INT64_C(1731048000000),
        .open = number("68208.5"),
        .high = number("68300"),
        .low = number("68101.1"),
        .close = number("68250.9"),
        .volume = number("120.38475629"),
        .volume_currency = {true, number("8216373.184756")},
        .volume_currency_quote = {true, number("8216373.184756")},
        .is_confirmed = true,
        .origin = ORIGIN_REST,
        .received_at_us = INT64_C(1731048897901234),
    };
    trade_decoder = avro_decoder_create(RECORD_TRADE, schema_text(RECORD_TRADE), &err);
    if (!trade_decoder || avro_encode(RECORD_TRADE, &trade, &encoded_trade, &err) != 0)
        fail(err.message);
}

static void clean_up(void)
{
    avro_decoder_destroy(trade_decoder);
    buf_clear(&out);
    buf_clear(&encoded_trade);
}

static int run(const char *name, long times)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, name) != 0)
            continue;
        prepare();
        while (times-- > 0)
            operations[i].run();
        clean_up();
        return 0;
    }
    return 2;
}

static void print_build(void)
{
#if defined(__clang__)
    printf("clang %d.%d", __clang_major__, __clang_minor__);
#else
    printf("gcc %d.%d", __GNUC__, __GNUC_MINOR__);
#endif
#if defined(__x86_64__)
    printf(", glibc %s, x86_64\n", gnu_get_libc_version());
#elif defined(__aarch64__)
    printf(", glibc %s, aarch64\n", gnu_get_libc_version());
#else
    printf(", glibc %s, another processor\n", gnu_get_libc_version());
#endif
}

int main(int argc, char **argv)
{
    json_object_seed(1); /* else jansson draws one, and each run has other collisions */
    if (argc == 3)
        return run(argv[1], strtol(argv[2], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "--build") == 0) {
        print_build();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
            puts(operations[i].name);
        return 0;
    }
    return 2;
}
