/* The body of a REST answer: judged under several HTTP statuses, every row read as every kind. */
#include "fuzz.h"
#include "ingestor/okx_message.h"
#include "record_check.h"

#include <stdlib.h>

enum { AVRO_BYTES_MAX = 8 << 20 };

static const long statuses[] = {200, 400, 401, 403, 404, 408, 429, 500, 503};

/* Each reader's record is painted before; a failed read must have left it so. */
static bool check_read(int status, const void *record, size_t bytes, const struct err *err)
{
    fuzz_check_outcome(status == 0, err);
    if (status != 0)
        FUZZ_CHECK(fuzz_is_painted(record, bytes));
    return status == 0;
}

static void check_trade(const struct okx_rows *rows, size_t index, struct buf *avro)
{
    struct trade trade;
    struct err err = {0};

    fuzz_paint(&trade, sizeof trade);
    if (!check_read(okx_rows_read_trade(rows, index, &trade, &err), &trade, sizeof trade, &err))
        return;
    FUZZ_CHECK(trade_first_id(&trade) >= 0 && trade_first_id(&trade) <= trade.trade_id);
    trade.origin = ORIGIN_REST;
    trade.received_at_us = 0;
    record_check_round_trip(RECORD_TRADE, &trade, avro);
    trade_clear(&trade);
}

static void check_candle(const struct okx_rows *rows, size_t index, struct buf *avro)
{
    struct candle candle;
    struct err err = {0};

    fuzz_paint(&candle, sizeof candle);
    if (!check_read(okx_rows_read_candle(rows, index, "BTC-USDT", "1H", &candle, &err), &candle,
                    sizeof candle, &err))
        return;
    FUZZ_CHECK(strcmp(candle.inst_id, "BTC-USDT") == 0 && strcmp(candle.bar, "1H") == 0);
    candle.origin = ORIGIN_REST;
    candle.received_at_us = 0;
    record_check_round_trip(RECORD_CANDLE, &candle, avro);
    candle_clear(&candle);
}

static void check_currency_chain(const struct okx_rows *rows, size_t index, struct buf *avro)
{
    struct currency_chain chain;
    struct err err = {0};

    fuzz_paint(&chain, sizeof chain);
    if (!check_read(okx_rows_read_currency_chain(rows, index, &chain, &err), &chain, sizeof chain,
                    &err))
        return;
    chain.snapshot_time_ms = chain.snapshot_rows = chain.received_at_us = 0;
    record_check_round_trip(RECORD_CURRENCY_CHAIN, &chain, avro);
    currency_chain_clear(&chain);
}

static void check_instrument(const struct okx_rows *rows, size_t index)
{
    struct okx_instrument instrument;
    struct err err = {0};

    fuzz_paint(&instrument, sizeof instrument);
    if (!check_read(okx_rows_read_instrument(rows, index, &instrument, &err), &instrument,
                    sizeof instrument, &err))
        return;
    FUZZ_CHECK(instrument.inst_id[0] != '\0');
    FUZZ_CHECK(memchr(instrument.inst_id, '\0', sizeof instrument.inst_id));
    FUZZ_CHECK(memchr(instrument.quote_currency, '\0', sizeof instrument.quote_currency));
    FUZZ_CHECK(memchr(instrument.state, '\0', sizeof instrument.state));
}

static void check_time(const struct okx_rows *rows)
{
    int64_t unix_ms;
    struct err err = {0};

    fuzz_paint(&unix_ms, sizeof unix_ms);
    if (check_read(okx_rows_read_time(rows, &unix_ms, &err), &unix_ms, sizeof unix_ms, &err))
        FUZZ_CHECK(unix_ms >= 0);
}

static void check_rows(const struct okx_rows *rows)
{
    struct buf avro;

    buf_init(&avro, AVRO_BYTES_MAX);
    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        char *text = okx_rows_text(rows, i);

        FUZZ_CHECK(fuzz_is_utf8(text, strlen(text)));
        free(text);
        check_trade(rows, i, &avro);
        check_candle(rows, i, &avro);
        check_currency_chain(rows, i, &avro);
        check_instrument(rows, i);
    }
    check_time(rows);
    buf_clear(&avro);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_utf8 = fuzz_is_utf8((const char *)data, size);
    /* A success under 200, and one of the others by the input's length. */
    const long chosen[] = {200, statuses[1 + size % (sizeof statuses / sizeof *statuses - 1)]};

    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct okx_rows *rows = okx_answer_read(chosen[i], (const char *)data, size, &err);

        FUZZ_CHECK(!rows || chosen[i] == 200);
        if (rows || is_utf8)
            fuzz_check_outcome(rows != NULL, &err);
        if (rows)
            check_rows(rows);
        okx_rows_destroy(rows);
    }
    return 0;
}
