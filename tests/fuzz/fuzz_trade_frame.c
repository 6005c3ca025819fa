/* Two readers of the same frame: what the short way takes, the long way through JSON reads alike.
 */
#include "ingestor/trade_frame.h"

#include "fuzz.h"
#include "ingestor/okx_message.h"
#include "record_check.h"

enum { AVRO_BYTES_MAX = 1 << 20 };

static void check_same(struct trade *left, struct trade *right)
{
    struct buf left_avro, right_avro;

    left->origin = right->origin = ORIGIN_STREAM;
    left->received_at_us = right->received_at_us = 0;
    buf_init(&left_avro, AVRO_BYTES_MAX);
    buf_init(&right_avro, AVRO_BYTES_MAX);
    record_check_round_trip(RECORD_TRADE, left, &left_avro);
    record_check_round_trip(RECORD_TRADE, right, &right_avro);
    FUZZ_CHECK(left_avro.length == right_avro.length);
    FUZZ_CHECK(memcmp(left_avro.data, right_avro.data, left_avro.length) == 0);
    buf_clear(&left_avro);
    buf_clear(&right_avro);
}

static void check_long_way(const char *text, size_t length, const char *channel,
                           struct trade *expected)
{
    struct okx_frame frame;
    struct trade trade;
    struct err err = {0};

    FUZZ_CHECK(okx_frame_read(text, length, &frame, &err) == 0);
    FUZZ_CHECK(frame.kind == OKX_FRAME_DATA && strcmp(frame.channel, channel) == 0);
    FUZZ_CHECK(okx_rows_count(frame.rows) == 1);
    FUZZ_CHECK(okx_rows_read_trade(frame.rows, 0, &trade, &err) == 0);
    FUZZ_CHECK(strcmp(frame.inst_id, trade.inst_id) == 0);
    check_same(&trade, expected);
    trade_clear(&trade);
    okx_frame_clear(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const channels[] = {"trades", "trades-all"};

    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        struct trade trade;

        fuzz_paint(&trade, sizeof trade);
        if (trade_frame_read((const char *)data, size, channels[i], &trade))
            check_long_way((const char *)data, size, channels[i], &trade);
        else
            FUZZ_CHECK(fuzz_is_painted(&trade, sizeof trade));
    }
    return 0;
}
