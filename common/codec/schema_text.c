#include "codec/schema_text.h"

#include <assert.h>

/* In schema_data.S. */
extern const char schema_trade[], schema_trade_end[];
extern const char schema_candle[], schema_candle_end[];
extern const char schema_currency_chain[], schema_currency_chain_end[];
extern const char schema_fetch_command[], schema_fetch_command_end[];
extern const char schema_fetch_result[], schema_fetch_result_end[];
extern const char schema_trade_position[], schema_trade_position_end[];

static const struct {
    enum topic topic;
    const char *begin, *end;
} kinds[RECORD_KIND_COUNT] = {
    [RECORD_TRADE] = {TOPIC_TRADES, schema_trade, schema_trade_end},
    [RECORD_CANDLE] = {TOPIC_CANDLES, schema_candle, schema_candle_end},
    [RECORD_CURRENCY_CHAIN] = {TOPIC_CURRENCIES, schema_currency_chain, schema_currency_chain_end},
    [RECORD_FETCH_COMMAND] = {TOPIC_CONTROL, schema_fetch_command, schema_fetch_command_end},
    [RECORD_FETCH_RESULT] = {TOPIC_FETCH_RESULTS, schema_fetch_result, schema_fetch_result_end},
    [RECORD_TRADE_POSITION] = {TOPIC_POSITIONS, schema_trade_position, schema_trade_position_end},
};

struct text_view schema_text(enum record_kind kind)
{
    assert(kind < RECORD_KIND_COUNT);
    return (struct text_view){
        .data = kinds[kind].begin,
        .length = (size_t)(kinds[kind].end - kinds[kind].begin),
    };
}

enum topic record_kind_topic(enum record_kind kind)
{
    assert(kind < RECORD_KIND_COUNT);
    return kinds[kind].topic;
}

enum record_kind topic_record_kind(enum topic topic)
{
    enum record_kind kind = 0;

    while (kind < RECORD_KIND_COUNT && kinds[kind].topic != topic)
        kind++;
    return kind;
}
