#include "codec/avro_layout.h"

#include <assert.h>
#include <string.h>

#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/fetch_command.h"
#include "domain/fetch_result.h"
#include "domain/trade.h"
#include "domain/trade_position.h"

#define LENGTH_OF(array)      ((sizeof(array)) / sizeof((array)[0]))
#define ROOM_OF(type, member) (sizeof(((type *)NULL)->member))
#define FIELD(kind_, name_, type, member)                                                          \
    .name = (name_), .kind = AVRO_FIELD_##kind_, .offset = offsetof(type, member)
#define TEXT_FIELD(kind_, name_, type, member)                                                     \
    FIELD(kind_, name_, type, member), .bytes = ROOM_OF(type, member)
#define SYMBOL_FIELD(kind_, name_, type, member, symbols_)                                         \
    FIELD(kind_, name_, type, member), .symbols = (symbols_), .symbol_count = LENGTH_OF(symbols_)
#define REQUIRED .is_required = true
#define MILLIS   .unit = AVRO_TIME_MILLIS
#define MICROS   .unit = AVRO_TIME_MICROS

/* An enum is read and written as an int at its offset. */
static_assert(sizeof(enum trade_side) == sizeof(int) && sizeof(enum origin) == sizeof(int), "enum");
static_assert(sizeof(enum fetch_kind) == sizeof(int) && sizeof(enum fetch_reason) == sizeof(int) &&
                  sizeof(enum fetch_status) == sizeof(int),
              "enum");

static const char *const sides[] = {[TRADE_SIDE_BUY] = "buy", [TRADE_SIDE_SELL] = "sell"};
static const char *const origins[] = {[ORIGIN_STREAM] = "STREAM", [ORIGIN_REST] = "REST"};
static const char *const fetch_kinds[] = {
    [FETCH_KIND_TRADES] = "TRADES",
    [FETCH_KIND_CANDLES] = "CANDLES",
    [FETCH_KIND_CURRENCIES] = "CURRENCIES",
};
static const char *const fetch_reasons[] = {
    [FETCH_REASON_SCHEDULE] = "SCHEDULE",
    [FETCH_REASON_BACKFILL] = "BACKFILL",
    [FETCH_REASON_GAP] = "GAP",
};
static const char *const fetch_statuses[] = {
    [FETCH_STATUS_DONE] = "DONE",
    [FETCH_STATUS_INCOMPLETE] = "INCOMPLETE",
    [FETCH_STATUS_FAILED] = "FAILED",
    [FETCH_STATUS_SKIPPED] = "SKIPPED",
};

static const struct avro_field trade_fields[] = {
    {TEXT_FIELD(TEXT, "instId", struct trade, inst_id), REQUIRED},
    {FIELD(INT64, "tradeId", struct trade, trade_id), REQUIRED},
    {FIELD(DECIMAL, "px", struct trade, price), REQUIRED},
    {FIELD(DECIMAL, "sz", struct trade, size), REQUIRED},
    {SYMBOL_FIELD(SYMBOL_TEXT, "side", struct trade, side, sides), REQUIRED},
    {FIELD(INT64, "ts", struct trade, event_time_ms), MILLIS, REQUIRED},
    {FIELD(OPTIONAL_INT64, "count", struct trade, count)},
    {TEXT_FIELD(OPTIONAL_TEXT, "source", struct trade, source)},
    {FIELD(OPTIONAL_INT64, "seqId", struct trade, sequence_id)},
    {SYMBOL_FIELD(ENUM, "origin", struct trade, origin, origins)},
    {FIELD(INT64, "receivedAt", struct trade, received_at_us), MICROS},
    {FIELD(EXTRA, "extra", struct trade, extra)},
};

static const struct avro_field candle_fields[] = {
    {TEXT_FIELD(TEXT, "instId", struct candle, inst_id), REQUIRED},
    {TEXT_FIELD(TEXT, "bar", struct candle, bar), REQUIRED},
    {FIELD(INT64, "ts", struct candle, open_time_ms), MILLIS, REQUIRED},
    {FIELD(DECIMAL, "o", struct candle, open), REQUIRED},
    {FIELD(DECIMAL, "h", struct candle, high), REQUIRED},
    {FIELD(DECIMAL, "l", struct candle, low), REQUIRED},
    {FIELD(DECIMAL, "c", struct candle, close), REQUIRED},
    {FIELD(DECIMAL, "vol", struct candle, volume), REQUIRED},
    {FIELD(OPTIONAL_DECIMAL, "volCcy", struct candle, volume_currency)},
    {FIELD(OPTIONAL_DECIMAL, "volCcyQuote", struct candle, volume_currency_quote)},
    {FIELD(BOOL, "confirm", struct candle, is_confirmed), REQUIRED},
    {SYMBOL_FIELD(ENUM, "origin", struct candle, origin, origins)},
    {FIELD(INT64, "receivedAt", struct candle, received_at_us), MICROS},
    {FIELD(EXTRA, "extra", struct candle, extra)},
};

#define CURRENCY(kind_, name_, member) FIELD(kind_, name_, struct currency_chain, member)
static const struct avro_field currency_chain_fields[] = {
    {TEXT_FIELD(TEXT, "ccy", struct currency_chain, currency), REQUIRED},
    {TEXT_FIELD(TEXT, "chain", struct currency_chain, chain), REQUIRED},
    {CURRENCY(OWNED_TEXT, "name", name)},
    {CURRENCY(OWNED_TEXT, "logoLink", logo_link)},
    {CURRENCY(OWNED_TEXT, "ctAddr", contract_address)},
    {CURRENCY(OPTIONAL_BOOL, "canDep", can_deposit)},
    {CURRENCY(OPTIONAL_BOOL, "canWd", can_withdraw)},
    {CURRENCY(OPTIONAL_BOOL, "canInternal", can_internal)},
    {CURRENCY(OPTIONAL_INT64, "depEstOpenTime", deposit_open_time_ms), MILLIS},
    {CURRENCY(OPTIONAL_INT64, "wdEstOpenTime", withdrawal_open_time_ms), MILLIS},
    {CURRENCY(OPTIONAL_DECIMAL, "minDep", min_deposit)},
    {CURRENCY(OPTIONAL_DECIMAL, "minWd", min_withdrawal)},
    {CURRENCY(OPTIONAL_DECIMAL, "minInternal", min_internal)},
    {CURRENCY(OPTIONAL_DECIMAL, "maxWd", max_withdrawal)},
    {CURRENCY(OPTIONAL_DECIMAL, "wdTickSz", withdrawal_tick_size)},
    {CURRENCY(OPTIONAL_DECIMAL, "wdQuota", withdrawal_quota)},
    {CURRENCY(OPTIONAL_DECIMAL, "usedWdQuota", used_withdrawal_quota)},
    {CURRENCY(OPTIONAL_DECIMAL, "fee", fee)},
    {CURRENCY(OPTIONAL_DECIMAL, "minFee", min_fee)},
    {CURRENCY(OPTIONAL_DECIMAL, "maxFee", max_fee)},
    {CURRENCY(OPTIONAL_DECIMAL, "minFeeForCtAddr", min_fee_contract)},
    {CURRENCY(OPTIONAL_DECIMAL, "maxFeeForCtAddr", max_fee_contract)},
    {CURRENCY(OPTIONAL_DECIMAL, "burningFeeRate", burning_fee_rate)},
    {CURRENCY(OPTIONAL_BOOL, "mainNet", is_main_net)},
    {CURRENCY(OPTIONAL_BOOL, "needTag", needs_tag)},
    {CURRENCY(OPTIONAL_INT64, "minDepArrivalConfirm", min_deposit_confirmations)},
    {CURRENCY(OPTIONAL_INT64, "minWdUnlockConfirm", min_withdrawal_confirmations)},
    {CURRENCY(OPTIONAL_DECIMAL, "depQuotaFixed", deposit_quota_fixed)},
    {CURRENCY(OPTIONAL_DECIMAL, "usedDepQuotaFixed", used_deposit_quota_fixed)},
    {CURRENCY(OPTIONAL_DECIMAL, "depQuoteDailyLayer2", deposit_quota_layer2)},
    {CURRENCY(INT64, "snapshotAt", snapshot_time_ms), MILLIS, REQUIRED},
    {CURRENCY(INT64, "snapshotRows", snapshot_rows), REQUIRED},
    {CURRENCY(INT64, "receivedAt", received_at_us), MICROS},
    {CURRENCY(EXTRA, "extra", extra)},
};

/* A command stands alone in FetchCommand and as the first member in FetchResult. */
static_assert(offsetof(struct fetch_result, command) == 0, "offsets of the command's fields");
#define COMMAND_FIELDS                                                                             \
    {TEXT_FIELD(TEXT, "id", struct fetch_command, id), REQUIRED},                                  \
        {SYMBOL_FIELD(ENUM, "kind", struct fetch_command, kind, fetch_kinds), REQUIRED},           \
        {TEXT_FIELD(OPTIONAL_TEXT, "instId", struct fetch_command, inst_id)},                      \
        {TEXT_FIELD(OPTIONAL_TEXT, "bar", struct fetch_command, bar)},                             \
        {FIELD(OPTIONAL_INT64, "fromId", struct fetch_command, from_id)},                          \
        {FIELD(OPTIONAL_INT64, "toId", struct fetch_command, to_id)},                              \
        {FIELD(OPTIONAL_INT64, "fromTs", struct fetch_command, from_time_ms), MILLIS},             \
        {FIELD(OPTIONAL_INT64, "toTs", struct fetch_command, to_time_ms), MILLIS},                 \
        {SYMBOL_FIELD(ENUM, "reason", struct fetch_command, reason, fetch_reasons)},               \
        {FIELD(INT64, "attempt", struct fetch_command, attempt)},                                  \
    {                                                                                              \
        FIELD(INT64, "createdAt", struct fetch_command, created_at_ms), MILLIS                     \
    }

static const struct avro_field fetch_command_fields[] = {COMMAND_FIELDS};

static const struct avro_field fetch_result_fields[] = {
    COMMAND_FIELDS,
    {SYMBOL_FIELD(ENUM, "status", struct fetch_result, status, fetch_statuses), REQUIRED},
    {FIELD(INT64, "records", struct fetch_result, records)},
    {FIELD(INT64, "requests", struct fetch_result, requests)},
    {FIELD(RANGES, "missing", struct fetch_result, missing),
     .count_offset = offsetof(struct fetch_result, missing_count)},
    {FIELD(BOOL, "retriable", struct fetch_result, retriable)},
    {TEXT_FIELD(OPTIONAL_TEXT, "error", struct fetch_result, error)},
    {FIELD(INT64, "finishedAt", struct fetch_result, finished_at_ms), MILLIS},
};

static const struct avro_field trade_position_fields[] = {
    {TEXT_FIELD(TEXT, "instId", struct trade_position, inst_id), REQUIRED},
    {FIELD(OPTIONAL_INT64, "tradeId", struct trade_position, trade_id)},
    {FIELD(OPTIONAL_INT64, "ts", struct trade_position, event_time_ms), MILLIS},
    {FIELD(OPTIONAL_INT64, "offset", struct trade_position, offset)},
    {FIELD(INT64, "updatedAt", struct trade_position, updated_at_ms), MILLIS},
};

static void clear_trade(void *record)
{
    trade_clear(record);
}

static void clear_candle(void *record)
{
    candle_clear(record);
}

static void clear_currency_chain(void *record)
{
    currency_chain_clear(record);
}

static void clear_fetch_result(void *record)
{
    fetch_result_clear(record);
}

#define LAYOUT(fields_, type, clear_)                                                              \
    {                                                                                              \
        .fields = (fields_), .field_count = LENGTH_OF(fields_), .record_bytes = sizeof(type),      \
        .clear = (clear_)                                                                          \
    }
static const struct avro_layout layouts[RECORD_KIND_COUNT] = {
    [RECORD_TRADE] = LAYOUT(trade_fields, struct trade, clear_trade),
    [RECORD_CANDLE] = LAYOUT(candle_fields, struct candle, clear_candle),
    [RECORD_CURRENCY_CHAIN] =
        LAYOUT(currency_chain_fields, struct currency_chain, clear_currency_chain),
    [RECORD_FETCH_COMMAND] = LAYOUT(fetch_command_fields, struct fetch_command, NULL),
    [RECORD_FETCH_RESULT] = LAYOUT(fetch_result_fields, struct fetch_result, clear_fetch_result),
    [RECORD_TRADE_POSITION] = LAYOUT(trade_position_fields, struct trade_position, NULL),
};

const struct avro_layout *avro_layout(enum record_kind kind)
{
    assert(kind < RECORD_KIND_COUNT);
    return &layouts[kind];
}

const struct avro_field *avro_layout_find(const struct avro_layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->field_count; i++)
        if (strcmp(layout->fields[i].name, name) == 0)
            return &layout->fields[i];
    return NULL;
}
