#include "okx_json.h"

#include <string.h>

#include "base/decimal.h"

void okx_json_int(struct buf *out, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    buf_append(out, at, (size_t)(digits + sizeof digits - at));
}

void okx_json_number(struct buf *out, int128 units, int decimals)
{
    char text[DECIMAL_TEXT_BYTES];
    struct decimal value = {.unscaled = units};

    for (int i = decimals; i < DECIMAL_SCALE; i++)
        value.unscaled *= 10;
    buf_append(out, text, decimal_format(value, text));
}

static void quoted_number(struct buf *out, int128 units, int decimals)
{
    buf_append_char(out, '"');
    okx_json_number(out, units, decimals);
    buf_append_char(out, '"');
}

static void append_price_and_size(struct buf *out, const struct instrument *instrument,
                                  const struct market_trade *trade)
{
    buf_append_text(out, "{\"instId\":\"");
    buf_append_text(out, instrument->inst_id);
    buf_append_text(out, "\",\"tradeId\":\"");
    okx_json_int(out, instrument->first_trade_id + trade->index);
    buf_append_text(out, "\",\"px\":");
    quoted_number(out, trade->price, instrument->tick_decimals);
    buf_append_text(out, ",\"sz\":");
    quoted_number(out, trade->size, instrument->lot_decimals);
    buf_append_text(out, trade->is_buy ? ",\"side\":\"buy\"" : ",\"side\":\"sell\"");
}

static void append_source(struct buf *out, const struct market_trade *trade)
{
    buf_append_text(out, trade->source == '1' ? ",\"source\":\"1\"" : ",\"source\":\"0\"");
}

static void append_time(struct buf *out, const struct market_trade *trade)
{
    buf_append_text(out, ",\"ts\":\"");
    okx_json_int(out, trade->time_ms);
    buf_append_char(out, '"');
}

void okx_json_trade(struct buf *out, const struct instrument *instrument,
                    const struct market_trade *trade)
{
    append_price_and_size(out, instrument, trade);
    append_source(out, trade);
    append_time(out, trade);
    buf_append_char(out, '}');
}

void okx_json_aggregate(struct buf *out, const struct instrument *instrument,
                        const struct trade_aggregate *aggregate)
{
    append_price_and_size(out, instrument, &aggregate->last);
    append_time(out, &aggregate->last);
    buf_append_text(out, ",\"count\":\"");
    okx_json_int(out, aggregate->count);
    buf_append_char(out, '"');
    append_source(out, &aggregate->last);
    buf_append_text(out, ",\"seqId\":");
    okx_json_int(out, aggregate->seq_id);
    buf_append_char(out, '}');
}

void okx_json_rest_trade(struct buf *out, const struct instrument *instrument,
                         const struct market_trade *trade)
{
    buf_append_text(out, "{\"instId\":\"");
    buf_append_text(out, instrument->inst_id);
    buf_append_text(out,
                    trade->is_buy ? "\",\"side\":\"buy\",\"sz\":" : "\",\"side\":\"sell\",\"sz\":");
    quoted_number(out, trade->size, instrument->lot_decimals);
    append_source(out, trade);
    buf_append_text(out, ",\"px\":");
    quoted_number(out, trade->price, instrument->tick_decimals);
    buf_append_text(out, ",\"tradeId\":\"");
    okx_json_int(out, instrument->first_trade_id + trade->index);
    buf_append_char(out, '"');
    append_time(out, trade);
    buf_append_char(out, '}');
}

void okx_json_candle(struct buf *out, const struct instrument *instrument,
                     const struct market_candle *candle, bool is_confirmed)
{
    const int64_t prices[] = {candle->open, candle->high, candle->low, candle->close};
    int turnover_decimals = instrument->tick_decimals + instrument->lot_decimals;

    buf_append_text(out, "[\"");
    okx_json_int(out, candle->open_time_ms);
    buf_append_char(out, '"');
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        buf_append_char(out, ',');
        quoted_number(out, prices[i], instrument->tick_decimals);
    }
    buf_append_char(out, ',');
    quoted_number(out, candle->volume, instrument->lot_decimals);
    for (int i = 0; i < 2; i++) { /* volCcy and volCcyQuote are the same for spot */
        buf_append_char(out, ',');
        quoted_number(out, candle->turnover, turnover_decimals);
    }
    buf_append_text(out, is_confirmed ? ",\"1\"]" : ",\"0\"]");
}

/* 10^-decimals */
static void append_step(struct buf *out, const char *member, int decimals)
{
    int128 units = 1;

    for (int i = decimals; i < 0; i++)
        units *= 10;
    buf_append_text(out, member);
    quoted_number(out, units, decimals < 0 ? 0 : decimals);
}

void okx_json_instrument(struct buf *out, const struct instrument *instrument)
{
    buf_append_format(
        out,
        "{\"alias\":\"\",\"auctionEndTime\":\"\",\"baseCcy\":\"%s\",\"category\":\"1\","
        "\"contTdSwTime\":\"\",\"ctMult\":\"\",\"ctType\":\"\",\"ctVal\":\"\",\"ctValCcy\":\"\","
        "\"expTime\":\"\",\"freq\":\"\",\"futureSettlement\":false,\"groupId\":\"12\","
        "\"instCategory\":\"1\",\"instFamily\":\"\",\"instId\":\"%s\",\"instIdCode\":",
        instrument->base_ccy, instrument->inst_id);
    okx_json_int(out, instrument->inst_id_code);
    buf_append_text(out, ",\"instType\":\"SPOT\",\"lever\":\"10\",\"listTime\":\"");
    okx_json_int(out, instrument->listed_ms);
    append_step(out, "\",\"longPosRemainingQuota\":\"\",\"lotSz\":", instrument->lot_decimals);
    buf_append_text(out, ",\"maxIcebergSz\":\"9999999999.0000000000000000\",\"maxLmtAmt\":"
                         "\"20000000\",\"maxLmtSz\":\"9999999999\",\"maxMktAmt\":\"1000000\","
                         "\"maxMktSz\":\"1000000\",\"maxPlatOILmt\":\"\",\"maxStopSz\":\"1000000\","
                         "\"maxTriggerSz\":\"9999999999.0000000000000000\",\"maxTwapSz\":"
                         "\"9999999999.0000000000000000\",\"method\":\"\"");
    append_step(out, ",\"minSz\":", instrument->min_size_decimals);
    buf_append_format(
        out,
        ",\"openType\":\"fix_price\",\"optType\":\"\",\"posLmtAmt\":\"\",\"posLmtPct\":\"\","
        "\"preMktSwTime\":\"\",\"quoteCcy\":\"%s\",\"ruleType\":\"normal\",\"seriesId\":\"\","
        "\"settleCcy\":\"\",\"shortPosRemainingQuota\":\"\",\"state\":\"live\",\"stk\":\"\"",
        instrument->quote_ccy);
    append_step(out, ",\"tickSz\":", instrument->tick_decimals);
    buf_append_format(out, ",\"tradeQuoteCcyList\":[\"%s\"],\"uly\":\"\",\"upcChg\":[]}",
                      instrument->quote_ccy);
}

void okx_json_preopen_instrument(struct buf *out)
{
    buf_append_text(
        out,
        "{\"alias\":\"\",\"auctionEndTime\":\"\",\"baseCcy\":\"\",\"category\":\"1\","
        "\"contTdSwTime\":\"\",\"ctMult\":\"\",\"ctType\":\"\",\"ctVal\":\"\",\"ctValCcy\":\"\","
        "\"expTime\":\"\",\"futureSettlement\":false,\"instCategory\":\"\",\"instFamily\":\"\","
        "\"instId\":\"TESTING4-USDT\",\"instIdCode\":null,\"instType\":\"SPOT\",\"lever\":\"\","
        "\"listTime\":\"1747897384000\",\"lotSz\":\"\",\"maxIcebergSz\":\"\",\"maxLmtAmt\":\"\","
        "\"maxLmtSz\":\"\",\"maxMktAmt\":\"\",\"maxMktSz\":\"\",\"maxStopSz\":\"\","
        "\"maxTriggerSz\":\"\",\"maxTwapSz\":\"\",\"minSz\":\"\",\"openType\":\"\",\"optType\":"
        "\"\",\"preMktSwTime\":\"\",\"quoteCcy\":\"\",\"ruleType\":\"\",\"settleCcy\":\"\","
        "\"state\":\"preopen\",\"stk\":\"\",\"tickSz\":\"\",\"uly\":\"\",\"upcChg\":[]}");
}
