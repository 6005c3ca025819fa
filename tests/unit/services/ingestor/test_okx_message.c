#include "tests/support/unit_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ingestor/okx_message.h"

/* --- helpers ------------------------------------------------------------------------------------
 */

static struct okx_frame read_frame(const char *text)
{
    struct okx_frame frame = {0};
    struct err err = {0};

    if (okx_frame_read(text, strlen(text), &frame, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    return frame;
}

static struct okx_rows *read_rows(const char *data)
{
    char *text = mem_sprintf("{\"code\":\"0\",\"msg\":\"\",\"data\":%s}", data);
    struct err err = {0};
    struct okx_rows *rows = okx_answer_read(200, text, strlen(text), &err);

    if (!rows)
        fail_msg("%s: %s", text, err.message);
    free(text);
    return rows;
}

static void assert_decimal(struct decimal value, const char *expected)
{
    char text[DECIMAL_TEXT_BYTES];

    decimal_format(value, text);
    assert_string_equal(text, expected);
}

static char *read_whole_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = mem_alloc(4 * 1024 * 1024);

    if (!file)
        fail_msg("cannot open %s", path);
    *length = fread(text, 1, 4 * 1024 * 1024, file);
    fclose(file);
    while (*length > 0 && text[*length - 1] == '\n')
        --*length;
    return text;
}

/* --- frames -------------------------------------------------------------------------------------
 */

struct frame_case {
    const char *text;
    enum okx_frame_kind kind;
    const char *channel, *inst_id, *code, *request_id;
};

static const struct frame_case frame_cases[] = {
    {"pong", OKX_FRAME_PONG, "", "", "", ""},
    {"{\"id\":\"1512\",\"event\":\"subscribe\",\"arg\":{\"channel\":\"trades\",\"instId\":\"BTC-"
     "USDT\"},\"connId\":\"a4d3ae55\"}",
     OKX_FRAME_SUBSCRIBED, "trades", "BTC-USDT", "", "1512"},
    {"{\"event\":\"unsubscribe\",\"arg\":{\"channel\":\"trades\",\"instId\":\"BTC-USDT\"}}",
     OKX_FRAME_UNSUBSCRIBED, "trades", "BTC-USDT", "", ""},
    {"{\"event\":\"error\",\"msg\":\"Wrong URL\",\"code\":\"60018\",\"connId\":\"2b5dc6ac\"}",
     OKX_FRAME_ERROR, "", "", "60018", ""},
    {"{\"event\":\"notice\",\"code\":\"64008\",\"msg\":\"The connection will soon be closed\"}",
     OKX_FRAME_NOTICE, "", "", "64008", ""},
    {"{\"event\":\"channel-conn-count\",\"channel\":\"orders\",\"connCount\":\"2\"}",
     OKX_FRAME_OTHER_EVENT, "", "", "", ""},
    {"{\"event\":\"something new\"}", OKX_FRAME_OTHER_EVENT, "", "", "", ""},
    {"{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\"},\"data\":[]}", OKX_FRAME_DATA,
     "trades-all", "BTC-USDT", "", ""},
    {"{\"arg\":{\"channel\":\"status\"},\"data\":[{}]}", OKX_FRAME_DATA, "status", "", "", ""},
};

static void frames_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof frame_cases / sizeof *frame_cases; i++) {
        const struct frame_case *row = &frame_cases[i];
        struct okx_frame frame = read_frame(row->text);

        assert_int_equal(frame.kind, row->kind);
        assert_string_equal(frame.channel, row->channel);
        assert_string_equal(frame.inst_id, row->inst_id);
        assert_string_equal(frame.code, row->code);
        assert_string_equal(frame.request_id, row->request_id);
        assert_int_equal(frame.rows != NULL, row->kind == OKX_FRAME_DATA);
        okx_frame_clear(&frame);
    }
}

static void frames_that_are_no_frames_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "ping",
        "pong!",
        "{",
        "[]",
        "\"pong\"",
        "{}",
        "null",
        "{\"data\":[]}",
        "{\"arg\":{\"channel\":\"trades\"}}",
        "{\"arg\":{\"channel\":\"trades\"},\"data\":{}}",
        "{\"arg\":\"trades\",\"data\":[]}",
        "{\"arg\":{\"channel\":\"trades\",\"instId\":\"BTC-U",
        "\xff\xfe",
        "{\"event\":7}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct okx_frame frame = {.kind = OKX_FRAME_NOTICE};
        struct err err = {0};

        if (okx_frame_read(texts[i], strlen(texts[i]), &frame, &err) != -1)
            fail_msg("'%s' was taken", texts[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
        assert_int_equal(frame.kind, OKX_FRAME_NOTICE); /* untouched */
    }
}

static void a_frame_need_not_end_in_nul(void **state)
{
    static const char text[] = "{\"event\":\"notice\",\"code\":\"64008\"}garbage behind it";
    struct okx_frame frame = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_frame_read(text, strlen(text) - strlen("garbage behind it"), &frame, &err),
                     0);
    assert_string_equal(frame.code, "64008");
    okx_frame_clear(&frame);
}

static void long_texts_are_cut_between_characters(void **state)
{
    char *text = mem_alloc(4096);
    struct okx_frame frame;

    (void)state;
    snprintf(text, 4096, "{\"event\":\"error\",\"code\":\"1\",\"msg\":\"x%0*d\"}", 10, 0);
    frame = read_frame(text);
    okx_frame_clear(&frame);
    size_t length = (size_t)snprintf(text, 4096, "{\"event\":\"error\",\"code\":\"1\",\"msg\":\"x");
    for (int i = 0; i < 500; i++)
        length += (size_t)snprintf(text + length, 4096 - length, "\xc3\xa9"); /* two bytes each */
    snprintf(text + length, 4096 - length, "\"}");
    frame = read_frame(text);
    assert_true(strlen(frame.text) < OKX_ERROR_TEXT_BYTES);
    assert_int_equal(strlen(frame.text) % 2, 1); /* the x, then whole characters */
    okx_frame_clear(&frame);
    free(text);
}

static void only_the_two_trade_channels_have_trades(void **state)
{
    (void)state;
    assert_true(okx_channel_has_trades("trades"));
    assert_true(okx_channel_has_trades("trades-all"));
    assert_false(okx_channel_has_trades("trade"));
    assert_false(okx_channel_has_trades("tickers"));
    assert_false(okx_channel_has_trades(""));
}

/* --- trades -------------------------------------------------------------------------------------
 */

static void an_aggregated_trade_is_read_digit_by_digit(void **state)
{
    struct okx_rows *rows = read_rows(
        "[{\"instId\":\"BTC-USDT\",\"tradeId\":\"1040968613\",\"px\":\"64040.2\",\"sz\":\"0."
        "00240857\",\"side\":\"buy\",\"ts\":\"1786538760218\",\"count\":\"2\",\"source\":\"0\","
        "\"seqId\":79706765242}]");
    struct trade trade;
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_rows_count(rows), 1);
    assert_int_equal(okx_rows_read_trade(rows, 0, &trade, &err), 0);
    assert_string_equal(trade.inst_id, "BTC-USDT");
    assert_int_equal(trade.trade_id, 1040968613);
    assert_decimal(trade.price, "64040.2");
    assert_decimal(trade.size, "0.00240857");
    assert_int_equal(trade.side, TRADE_SIDE_BUY);
    assert_int_equal(trade.event_time_ms, 1786538760218);
    assert_true(trade.count.present);
    assert_int_equal(trade.count.value, 2);
    assert_int_equal(trade_first_id(&trade), 1040968612);
    assert_string_equal(trade.source, "0");
    assert_int_equal(trade.sequence_id.value, 79706765242);
    assert_int_equal(trade.extra.count, 0);
    trade_clear(&trade);
    okx_rows_destroy(rows);
}

static void optional_members_may_be_absent_empty_or_null(void **state)
{
    struct okx_rows *rows = read_rows(
        "[{\"instId\":\"A-B\",\"tradeId\":\"1\",\"px\":\"1e-12\",\"sz\":\"3\",\"side\":\"sell\","
        "\"ts\":\"5\"},"
        "{\"instId\":\"A-B\",\"tradeId\":2,\"px\":\"0.000000000001\",\"sz\":3,\"side\":\"sell\","
        "\"ts\":5,\"count\":\"\",\"source\":null,\"seqId\":null}]");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct trade trade;
        struct err err = {0};

        if (okx_rows_read_trade(rows, i, &trade, &err) != 0)
            fail_msg("%s", err.message);
        assert_int_equal(trade.trade_id, i + 1);
        assert_decimal(trade.price, "0.000000000001");
        assert_decimal(trade.size, "3");
        assert_false(trade.count.present);
        assert_false(trade.sequence_id.present);
        assert_string_equal(trade.source, "");
        assert_int_equal(trade.side, TRADE_SIDE_SELL);
        trade_clear(&trade);
    }
    okx_rows_destroy(rows);
}

static void unknown_members_are_kept(void **state)
{
    struct okx_rows *rows = read_rows(
        "[{\"instId\":\"A-B\",\"tradeId\":\"1\",\"px\":\"1\",\"sz\":\"3\",\"side\":\"buy\",\"ts\":"
        "\"5\",\"venue\":\"x \\\"y\\\"\",\"flag\":true,\"list\":[1,\"2\"],\"none\":null}]");
    struct trade trade;
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_rows_read_trade(rows, 0, &trade, &err), 0);
    assert_int_equal(trade.extra.count, 4);
    assert_string_equal(extra_fields_find(&trade.extra, "venue"), "x \"y\"");
    assert_string_equal(extra_fields_find(&trade.extra, "flag"), "true");
    assert_string_equal(extra_fields_find(&trade.extra, "list"), "[1,\"2\"]");
    assert_string_equal(extra_fields_find(&trade.extra, "none"), "null");
    trade_clear(&trade);
    okx_rows_destroy(rows);
}

static void numbers_keep_their_digits_however_many(void **state)
{
    static const char row[] =
        "{\"instId\":\"A-B\",\"tradeId\":1234567890123456789,\"px\":64040.20000000000000001,"
        "\"sz\":1.5e-3,\"side\":\"buy\",\"ts\":5,\"big\":123456789012345678901234567890,"
        "\"real\":0.10,\"huge\":1E+400,\"small\":-0.0,\"list\":[1.10,{\"a\":-1e5,\"b\":\"1.10\"}],"
        "\"text\":\"\\\"1.10, \\\\\",\"int\":-7}";
    char data[1024];
    struct okx_rows *rows;
    struct trade trade;
    struct err err = {0};

    (void)state;
    snprintf(data, sizeof data, "[%s]", row);
    rows = read_rows(data);
    assert_int_equal(okx_rows_read_trade(rows, 0, &trade, &err), 0);
    assert_int_equal(trade.trade_id, INT64_C(1234567890123456789));
    assert_decimal(trade.price, "64040.20000000000000001");
    assert_decimal(trade.size, "0.0015");
    assert_string_equal(extra_fields_find(&trade.extra, "big"), "123456789012345678901234567890");
    assert_string_equal(extra_fields_find(&trade.extra, "real"), "0.10");
    assert_string_equal(extra_fields_find(&trade.extra, "huge"), "1E+400");
    assert_string_equal(extra_fields_find(&trade.extra, "small"), "-0.0");
    assert_string_equal(extra_fields_find(&trade.extra, "list"),
                        "[1.10,{\"a\":-1e5,\"b\":\"1.10\"}]");
    assert_string_equal(extra_fields_find(&trade.extra, "text"), "\"1.10, \\");
    assert_string_equal(extra_fields_find(&trade.extra, "int"), "-7");
    char *text = okx_rows_text(rows, 0);
    assert_string_equal(text, row);
    free(text);
    trade_clear(&trade);
    okx_rows_destroy(rows);
}

struct bad_trade_case {
    const char *name, *row;
    enum err_code code;
};

#define TRADE_ROW_WITH(inst_id, id, px, sz, side, ts, more)                                        \
    "{\"instId\":" inst_id ",\"tradeId\":" id ",\"px\":" px ",\"sz\":" sz ",\"side\":" side        \
    ",\"ts\":" ts more "}"

static const struct bad_trade_case bad_trade_cases[] = {
    {"no object", "7", ERR_PROTOCOL},
    {"empty", "{}", ERR_PROTOCOL},
    {"no instrument", TRADE_ROW_WITH("\"\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_PROTOCOL},
    {"an instrument too long",
     TRADE_ROW_WITH("\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
                    "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_LIMIT},
    {"no id", TRADE_ROW_WITH("\"A-B\"", "\"\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_PROTOCOL},
    {"an id that is no number",
     TRADE_ROW_WITH("\"A-B\"", "\"12x\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""), ERR_PROTOCOL},
    {"a negative id", TRADE_ROW_WITH("\"A-B\"", "\"-4\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_OUT_OF_RANGE},
    {"an id of 20 digits",
     TRADE_ROW_WITH("\"A-B\"", "\"10000000000000000000\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"",
                    ""),
     ERR_OUT_OF_RANGE},
    {"no price", TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"\"", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_PROTOCOL},
    {"a price that is no number",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1,5\"", "\"1\"", "\"buy\"", "\"1\"", ""), ERR_PROTOCOL},
    {"a price as a number of 19 decimals",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "0.0000000000000000001", "\"1\"", "\"buy\"", "\"1\"", ""),
     ERR_OUT_OF_RANGE},
    {"an id that is a fraction",
     TRADE_ROW_WITH("\"A-B\"", "1.0", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ""), ERR_PROTOCOL},
    {"a price of 19 decimals",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"0.0000000000000000001\"", "\"1\"", "\"buy\"", "\"1\"",
                    ""),
     ERR_OUT_OF_RANGE},
    {"no size", TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "null", "\"buy\"", "\"1\"", ""),
     ERR_PROTOCOL},
    {"an unknown side",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"hold\"", "\"1\"", ""), ERR_PROTOCOL},
    {"a side in capitals",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"BUY\"", "\"1\"", ""), ERR_PROTOCOL},
    {"no time", TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"\"", ""),
     ERR_PROTOCOL},
    {"a time before 1970",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"-1\"", ""),
     ERR_OUT_OF_RANGE},
    {"a time beyond the year 9999",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"253402300800000\"", ""),
     ERR_OUT_OF_RANGE},
    {"a count of 0",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ",\"count\":\"0\""),
     ERR_PROTOCOL},
    {"a count beyond the id",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ",\"count\":\"3\""),
     ERR_PROTOCOL},
    {"a source that is an object",
     TRADE_ROW_WITH("\"A-B\"", "\"1\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", ",\"source\":{}"),
     ERR_PROTOCOL},
};

static void bad_trades_are_refused_by_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_trade_cases / sizeof *bad_trade_cases; i++) {
        const struct bad_trade_case *row = &bad_trade_cases[i];
        char *data = mem_sprintf(
            "[%s," TRADE_ROW_WITH("\"A-B\"", "\"9\"", "\"1\"", "\"1\"", "\"buy\"", "\"1\"", "") "]",
            row->row);
        struct okx_rows *rows = read_rows(data);
        struct trade trade = {.trade_id = -77};
        struct err err = {0};

        if (okx_rows_read_trade(rows, 0, &trade, &err) != -1 || err.code != row->code)
            fail_msg("%s: %s", row->name, err_code_name(err.code));
        assert_int_equal(trade.trade_id, -77); /* untouched */
        assert_int_equal(okx_rows_read_trade(rows, 1, &trade, &err), 0);
        assert_int_equal(trade.trade_id, 9);
        trade_clear(&trade);
        okx_rows_destroy(rows);
        free(data);
    }
}

static void too_many_or_too_long_unknown_members_are_refused(void **state)
{
    struct buf many, large;
    struct trade trade;
    struct err err = {0};

    (void)state;
    buf_init(&many, 1 << 20);
    buf_append_text(&many, "[{\"instId\":\"A-B\",\"tradeId\":\"1\",\"px\":\"1\",\"sz\":\"1\","
                           "\"side\":\"buy\",\"ts\":\"1\"");
    buf_init(&large, 1 << 20);
    buf_append(&large, many.data, many.length);
    for (int i = 0; i <= EXTRA_FIELDS_MAX; i++)
        buf_append_format(&many, ",\"member%d\":\"\"", i);
    buf_append_text(&many, "}]");
    buf_append_format(&large, ",\"large\":\"%0*d\"}]", 20000, 0);

    struct okx_rows *rows = read_rows(many.data);
    assert_int_equal(okx_rows_read_trade(rows, 0, &trade, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    okx_rows_destroy(rows);
    rows = read_rows(large.data);
    assert_int_equal(okx_rows_read_trade(rows, 0, &trade, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    okx_rows_destroy(rows);
    buf_clear(&many);
    buf_clear(&large);
}

/* --- candles, currencies, instruments, time -----------------------------------------------------
 */

static void candle_columns_are_read_and_more_of_them_kept(void **state)
{
    struct okx_rows *rows = read_rows(
        "[[\"1786538760000\",\"64036\",\"64040.2\",\"64036\",\"64040.2\",\"0.06922753\","
        "\"4433.308875066\",\"4433.308875066\",\"0\"],"
        "[\"1786538700000\",\"1\",\"2\",\"0.5\",\"1.5\",\"0\",\"\",\"\",\"1\",\"new\",7]]");
    struct candle candle;
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_rows_read_candle(rows, 0, "BTC-USDT", "1m", &candle, &err), 0);
    assert_string_equal(candle.inst_id, "BTC-USDT");
    assert_string_equal(candle.bar, "1m");
    assert_int_equal(candle.open_time_ms, 1786538760000);
    assert_decimal(candle.open, "64036");
    assert_decimal(candle.high, "64040.2");
    assert_decimal(candle.low, "64036");
    assert_decimal(candle.close, "64040.2");
    assert_decimal(candle.volume, "0.06922753");
    assert_decimal(candle.volume_currency.value, "4433.308875066");
    assert_false(candle.is_confirmed);
    candle_clear(&candle);
    assert_int_equal(okx_rows_read_candle(rows, 1, "BTC-USDT", "1m", &candle, &err), 0);
    assert_true(candle.is_confirmed);
    assert_false(candle.volume_currency.present);
    assert_false(candle.volume_currency_quote.present);
    assert_string_equal(extra_fields_find(&candle.extra, "9"), "new");
    assert_string_equal(extra_fields_find(&candle.extra, "10"), "7");
    candle_clear(&candle);
    okx_rows_destroy(rows);
}

static void bad_candles_are_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
        "[\"\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
        "[\"1\",\"\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
        "[\"1\",\"1\",\"x\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
        "[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"\"]",
        "[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"2\"]",
        "[1.5,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *data = mem_sprintf("[%s]", bad[i]);
        struct okx_rows *rows = read_rows(data);
        struct candle candle;
        struct err err = {0};

        if (okx_rows_read_candle(rows, 0, "A-B", "1H", &candle, &err) != -1)
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(err.code, ERR_PROTOCOL);
        okx_rows_destroy(rows);
        free(data);
    }
}

static void a_currency_on_its_chain_is_read(void **state)
{
    struct okx_rows *rows = read_rows(
        "[{\"ccy\":\"BTC\",\"chain\":\"BTC-Bitcoin\",\"name\":\"Bitcoin\",\"logoLink\":\"\","
        "\"canDep\":true,\"canWd\":false,\"depEstOpenTime\":\"\",\"wdEstOpenTime\":"
        "\"1786538760000\",\"minDep\":\"0.0001\",\"maxWd\":\"\",\"mainNet\":\"true\","
        "\"minDepArrivalConfirm\":1,\"minWdUnlockConfirm\":\"2\",\"burningFeeRate\":\"\","
        "\"novel\":\"x\"}]");
    struct currency_chain chain;
    struct err err = {0};

    (void)state;
    if (okx_rows_read_currency_chain(rows, 0, &chain, &err) != 0)
        fail_msg("%s", err.message);
    assert_string_equal(chain.currency, "BTC");
    assert_string_equal(chain.chain, "BTC-Bitcoin");
    assert_string_equal(chain.name, "Bitcoin");
    assert_null(chain.logo_link);
    assert_true(chain.can_deposit.present && chain.can_deposit.value);
    assert_true(chain.can_withdraw.present && !chain.can_withdraw.value);
    assert_false(chain.can_internal.present);
    assert_false(chain.deposit_open_time_ms.present);
    assert_int_equal(chain.withdrawal_open_time_ms.value, 1786538760000);
    assert_decimal(chain.min_deposit.value, "0.0001");
    assert_false(chain.max_withdrawal.present);
    assert_true(chain.is_main_net.value);
    assert_int_equal(chain.min_deposit_confirmations.value, 1);
    assert_int_equal(chain.min_withdrawal_confirmations.value, 2);
    assert_string_equal(extra_fields_find(&chain.extra, "novel"), "x");
    currency_chain_clear(&chain);
    okx_rows_destroy(rows);
}

static void a_preopen_instrument_with_empty_members_is_read(void **state)
{
    struct okx_rows *rows =
        read_rows("[{\"instType\":\"SPOT\",\"instId\":\"NEW-USDT\",\"quoteCcy\":"
                  "\"\",\"state\":\"preopen\",\"instIdCode\":null},{}]");
    struct okx_instrument instrument;
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_rows_read_instrument(rows, 0, &instrument, &err), 0);
    assert_string_equal(instrument.inst_id, "NEW-USDT");
    assert_string_equal(instrument.quote_currency, "");
    assert_string_equal(instrument.state, "preopen");
    assert_int_equal(okx_rows_read_instrument(rows, 1, &instrument, &err), -1);
    okx_rows_destroy(rows);
}

static void the_time_of_okx_is_read(void **state)
{
    struct okx_rows *rows = read_rows("[{\"ts\":\"1597026383085\"}]");
    struct okx_rows *empty = read_rows("[]");
    int64_t unix_ms = 0;
    struct err err = {0};

    (void)state;
    assert_int_equal(okx_rows_read_time(rows, &unix_ms, &err), 0);
    assert_int_equal(unix_ms, 1597026383085);
    assert_int_equal(okx_rows_read_time(empty, &unix_ms, &err), -1);
    okx_rows_destroy(rows);
    okx_rows_destroy(empty);
}

/* --- answers ------------------------------------------------------------------------------------
 */

struct answer_case {
    const char *name;
    long status;
    const char *body;
    enum err_code code;
    bool is_retriable;
};

static const struct answer_case answer_cases[] = {
    {"busy, with an empty list", 503, "{\"code\":\"50001\",\"data\":[],\"msg\":\"busy\"}",
     ERR_REMOTE, true},
    {"endpoint timeout", 400, "{\"code\":\"50004\",\"msg\":\"\"}", ERR_REMOTE, true},
    {"inactive endpoint", 410, "{\"code\":\"50005\",\"msg\":\"\"}", ERR_REMOTE, false},
    {"too many requests, without data", 429, "{\"msg\":\"Too Many Requests\",\"code\":\"50011\"}",
     ERR_RATE_LIMIT, true},
    {"too many requests under status 200", 200, "{\"code\":\"50011\",\"msg\":\"\",\"data\":[]}",
     ERR_RATE_LIMIT, true},
    {"systems are busy", 429, "{\"code\":\"50013\",\"msg\":\"\"}", ERR_REMOTE, true},
    {"system error", 500, "{\"code\":\"50026\",\"msg\":\"\"}", ERR_REMOTE, true},
    {"too frequent", 200, "{\"code\":\"50040\",\"msg\":\"\"}", ERR_RATE_LIMIT, true},
    {"wrong parameter", 400, "{\"code\":\"51000\",\"msg\":\"instId\"}", ERR_REMOTE, false},
    {"unknown instrument", 200, "{\"code\":\"51001\",\"msg\":\"\"}", ERR_NOT_FOUND, false},
    {"timestamp expired: once more with the right clock", 401,
     "{\"msg\":\"Timestamp request expired\",\"code\":\"50102\"}", ERR_UNAUTHORIZED, true},
    {"wrong key", 401, "{\"code\":\"50111\",\"msg\":\"\"}", ERR_UNAUTHORIZED, false},
    {"wrong passphrase", 401, "{\"code\":\"50105\",\"msg\":\"\"}", ERR_UNAUTHORIZED, false},
    {"wrong signature", 401, "{\"code\":\"50113\",\"msg\":\"\"}", ERR_UNAUTHORIZED, false},
    {"key does not exist", 200, "{\"code\":\"50119\",\"msg\":\"\"}", ERR_UNAUTHORIZED, false},
    {"a code that is no number", 400, "{\"code\":\"51004_1101\",\"msg\":\"\"}", ERR_REMOTE, false},
    {"an unknown code with 5xx", 502, "{\"code\":\"59999\",\"msg\":\"\"}", ERR_REMOTE, true},
    {"an unknown code with 4xx", 400, "{\"code\":\"59999\",\"msg\":\"\"}", ERR_REMOTE, false},
    {"HTML of a CDN", 403, "<html>denied</html>", ERR_REMOTE, true},
    {"HTML with 503", 503, "<html>", ERR_REMOTE, true},
    {"HTML with 429", 429, "<html>", ERR_RATE_LIMIT, true},
    {"a page that is not there", 404, "<html>", ERR_REMOTE, false},
    {"a cut answer", 200, "{\"code\":\"0\",\"msg\":\"\",\"data\":[{\"ts\":\"15", ERR_REMOTE, true},
    {"an empty body", 200, "", ERR_REMOTE, true},
    {"success without data", 200, "{\"code\":\"0\",\"msg\":\"\"}", ERR_REMOTE, true},
    {"data that is no list", 200, "{\"code\":\"0\",\"data\":{}}", ERR_REMOTE, true},
    {"success under a wrong status", 500, "{\"code\":\"0\",\"data\":[]}", ERR_REMOTE, true},
};

static void answers_are_judged_by_code_then_by_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof *answer_cases; i++) {
        const struct answer_case *row = &answer_cases[i];
        struct err err = {0};

        if (okx_answer_read(row->status, row->body, strlen(row->body), &err) != NULL ||
            err.code != row->code || err.retriable != row->is_retriable)
            fail_msg("%s: %s, retriable %d: %s", row->name, err_code_name(err.code), err.retriable,
                     err.message);
    }
}

static void an_error_tells_the_code_and_text_of_okx(void **state)
{
    static const char body[] = "{\"code\":\"50111\",\"msg\":\"Invalid OK-ACCESS-KEY\"}";
    struct err err = {0};

    (void)state;
    assert_null(okx_answer_read(401, body, strlen(body), &err));
    assert_non_null(strstr(err.message, "50111"));
    assert_non_null(strstr(err.message, "Invalid OK-ACCESS-KEY"));
}

static void a_row_gives_its_text_back(void **state)
{
    struct okx_rows *rows = read_rows("[{\"px\": \"1.10\", \"a\": [1, 2]}, \"bare\"]");
    char *object = okx_rows_text(rows, 0);
    char *bare = okx_rows_text(rows, 1);

    (void)state;
    assert_string_equal(object, "{\"px\":\"1.10\",\"a\":[1,2]}");
    assert_string_equal(bare, "\"bare\"");
    free(object);
    free(bare);
    okx_rows_destroy(rows);
}

/* --- recorded messages --------------------------------------------------------------------------
 */

static size_t read_trades_of(struct okx_rows *rows, const char *name)
{
    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        struct trade trade;
        struct err err = {0};

        if (okx_rows_read_trade(rows, i, &trade, &err) != 0)
            fail_msg("%s row %zu: %s", name, i, err.message);
        trade_clear(&trade);
    }
    return okx_rows_count(rows);
}

static size_t read_answer_rows(struct okx_rows *rows, const char *name)
{
    struct err err = {0};

    if (strstr(name, "trades"))
        return read_trades_of(rows, name);
    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        struct candle candle = {0};
        struct currency_chain chain = {0};
        struct okx_instrument instrument;
        int status = 0;

        if (strstr(name, "candles"))
            status = okx_rows_read_candle(rows, i, "BTC-USDT", "1m", &candle, &err);
        else if (strstr(name, "currencies"))
            status = okx_rows_read_currency_chain(rows, i, &chain, &err);
        else if (strstr(name, "instruments"))
            status = okx_rows_read_instrument(rows, i, &instrument, &err);
        if (status != 0)
            fail_msg("%s row %zu: %s", name, i, err.message);
        candle_clear(&candle);
        currency_chain_clear(&chain);
    }
    return okx_rows_count(rows);
}

static void read_capture(const char *folder, const char *name)
{
    char *path = mem_sprintf("%s/%s", folder, name);
    size_t length = 0;
    char *text = read_whole_file(path, &length);
    struct err err = {0};

    if (strncmp(name, "ws-", 3) == 0) {
        struct okx_frame frame = {0};

        if (okx_frame_read(text, length, &frame, &err) != 0)
            fail_msg("%s: %s", name, err.message);
        assert_int_equal(frame.kind == OKX_FRAME_ERROR, strncmp(name, "ws-error", 8) == 0);
        assert_int_equal(frame.kind == OKX_FRAME_SUBSCRIBED, strncmp(name, "ws-ack", 6) == 0);
        if (strncmp(name, "ws-trades", 9) == 0)
            assert_true(read_trades_of(frame.rows, name) > 0);
        okx_frame_clear(&frame);
    } else {
        bool is_error = strncmp(name, "rest-error", 10) == 0;
        struct okx_rows *rows = okx_answer_read(is_error ? 401 : 200, text, length, &err);

        assert_int_equal(rows == NULL, is_error);
        if (rows)
            assert_true(read_answer_rows(rows, name) > 0);
        okx_rows_destroy(rows);
    }
    free(text);
    free(path);
}

static void every_recorded_message_is_understood(void **state)
{
    const char *folder = getenv("OKX_CAPTURES");
    DIR *directory = opendir(folder ? folder : "../shared/data/okx");
    const struct dirent *entry;
    size_t read = 0;

    (void)state;
    if (!directory) {
        print_message("no recorded messages: OKX_CAPTURES is not set and ../shared/data/okx is not "
                      "there\n");
        skip();
    }
    while ((entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);

        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0) {
            read_capture(folder ? folder : "../shared/data/okx", entry->d_name);
            read++;
        }
    }
    closedir(directory);
    assert_true(read > 0);
}

/* Of the smallest objects a parser makes more than a hundred times their text. */
static void more_values_than_okx_ever_sends_are_refused_unread(void **state)
{
    const char *head = "{\"code\":\"0\",\"data\":[{}";
    size_t rows = 300000;
    size_t length = strlen(head) + 3 * rows + 2;
    char *text = mem_alloc(length + 1);
    struct okx_frame frame = {0};
    struct err err = {0};
    char *at = text + strlen(head);

    (void)state;
    memcpy(text, head, strlen(head));
    for (size_t i = 0; i < rows; i++, at += 3)
        memcpy(at, ",{}", 3);
    memcpy(at, "]}", 3);
    assert_null(okx_answer_read(200, text, length, &err));
    assert_true(err.retriable); /* the next answer may be a good one */
    assert_non_null(strstr(err.message, "more than"));
    assert_int_equal(okx_frame_read(text, length, &frame, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    free(text);
}

static void deep_nesting_and_endless_numbers_are_refused(void **state)
{
    static const char *const heads[] = {"{\"data\":[", "{\"data\":[1"};
    static const char fill[] = {'[', '1'};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(heads[i]) + 10000;
        char *text = mem_alloc(length + 1);
        struct okx_frame frame = {0};
        struct err err = {0};

        memset(text, fill[i], length);
        memcpy(text, heads[i], strlen(heads[i]));
        assert_int_equal(okx_frame_read(text, length, &frame, &err), -1);
        assert_int_equal(err.code, ERR_PROTOCOL);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_told_apart),
        cmocka_unit_test(frames_that_are_no_frames_are_refused),
        cmocka_unit_test(a_frame_need_not_end_in_nul),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(only_the_two_trade_channels_have_trades),
        cmocka_unit_test(an_aggregated_trade_is_read_digit_by_digit),
        cmocka_unit_test(optional_members_may_be_absent_empty_or_null),
        cmocka_unit_test(unknown_members_are_kept),
        cmocka_unit_test(numbers_keep_their_digits_however_many),
        cmocka_unit_test(bad_trades_are_refused_by_themselves),
        cmocka_unit_test(too_many_or_too_long_unknown_members_are_refused),
        cmocka_unit_test(candle_columns_are_read_and_more_of_them_kept),
        cmocka_unit_test(bad_candles_are_refused),
        cmocka_unit_test(a_currency_on_its_chain_is_read),
        cmocka_unit_test(a_preopen_instrument_with_empty_members_is_read),
        cmocka_unit_test(the_time_of_okx_is_read),
        cmocka_unit_test(answers_are_judged_by_code_then_by_status),
        cmocka_unit_test(an_error_tells_the_code_and_text_of_okx),
        cmocka_unit_test(a_row_gives_its_text_back),
        cmocka_unit_test(every_recorded_message_is_understood),
        cmocka_unit_test(more_values_than_okx_ever_sends_are_refused_unread),
        cmocka_unit_test(deep_nesting_and_endless_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
