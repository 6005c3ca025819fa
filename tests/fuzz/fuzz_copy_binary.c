/*
 * The persister's rows: a record (its kind in the first byte, behind it its Avro binary) becomes a
 * row of PostgreSQL's binary COPY, and this small reader of that format finds the record's values
 * in it, column by column.
 */
#include "persister/copy_binary.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/trade.h"
#include "fuzz.h"
#include "persister/table_store.h"

enum { ROW_BYTES_MAX = 8 << 20, NUMERIC_SIGN_NEGATIVE = 0x4000 };

static const int64_t EPOCH_2000_US = INT64_C(946684800000000);

/* --- the reader: each call takes the next column, which must hold the value --------------------
 */

static uint64_t take_number(struct fuzz_input *row, int bytes)
{
    uint64_t number = 0;

    FUZZ_CHECK(row->left >= (size_t)bytes);
    for (int i = 0; i < bytes; i++)
        number = number << 8 | fuzz_take_byte(row);
    return number;
}

/* False for NULL. */
static bool take_column(struct fuzz_input *row, struct fuzz_input *column)
{
    uint32_t length = (uint32_t)take_number(row, 4);

    if (length == UINT32_MAX)
        return false;
    FUZZ_CHECK(length <= row->left);
    *column = (struct fuzz_input){row->at, length};
    row->at += length;
    row->left -= length;
    return true;
}

static void expect_null(struct fuzz_input *row)
{
    struct fuzz_input column;

    FUZZ_CHECK(!take_column(row, &column));
}

static void expect_text(struct fuzz_input *row, const char *text)
{
    struct fuzz_input column;

    if (!text || !*text) {
        expect_null(row);
        return;
    }
    FUZZ_CHECK(take_column(row, &column) && column.left == strlen(text));
    FUZZ_CHECK(memcmp(column.at, text, column.left) == 0);
}

/* A column that is NOT NULL: an empty text stays one. */
static void expect_key(struct fuzz_input *row, const char *text)
{
    struct fuzz_input column;

    FUZZ_CHECK(take_column(row, &column) && column.left == strlen(text));
    FUZZ_CHECK(memcmp(column.at, text, column.left) == 0);
}

static void expect_int64(struct fuzz_input *row, int64_t value)
{
    struct fuzz_input column;

    FUZZ_CHECK(take_column(row, &column) && column.left == 8);
    FUZZ_CHECK(fuzz_take_int64(&column) == value);
}

static void expect_bool(struct fuzz_input *row, bool value)
{
    struct fuzz_input column;

    FUZZ_CHECK(take_column(row, &column) && column.left == 1 && *column.at == value);
}

/* A time that PostgreSQL's 64 bits cannot hold must be one that it refuses, not 'infinity'. */
static void expect_time(struct fuzz_input *row, int64_t unix_time, int64_t microseconds)
{
    int128 expected = (int128)unix_time * microseconds;
    struct fuzz_input column;

    expected -= EPOCH_2000_US;
    if (expected >= INT64_MAX)
        expected = INT64_MAX - 1;
    if (expected <= INT64_MIN)
        expected = INT64_MIN + 1;
    FUZZ_CHECK(take_column(row, &column) && column.left == 8);
    FUZZ_CHECK(fuzz_take_int64(&column) == (int64_t)expected);
}

/* numeric: groups of four digits, the first one's weight in powers of 10000, sign, decimals. */
static void expect_decimal(struct fuzz_input *row, struct decimal value)
{
    struct fuzz_input column;
    char digits[256] = "", plain[256], expected[DECIMAL_TEXT_BYTES];
    size_t length = 0;

    FUZZ_CHECK(take_column(row, &column));
    int groups = (int)take_number(&column, 2);
    int weight = (int16_t)take_number(&column, 2);
    unsigned sign = (unsigned)take_number(&column, 2);
    int decimals = (int)take_number(&column, 2);
    FUZZ_CHECK(sign == 0 || sign == NUMERIC_SIGN_NEGATIVE);
    FUZZ_CHECK(groups <= 10 && weight >= -5 && weight <= 4 && decimals <= DECIMAL_SCALE);
    length += (size_t)snprintf(digits, sizeof digits, "%s0", sign ? "-" : "");
    for (int i = 0; i < groups; i++) {
        unsigned group = (unsigned)take_number(&column, 2);

        FUZZ_CHECK(group < 10000 && (group > 0 || (i > 0 && i < groups - 1)));
        length += (size_t)snprintf(digits + length, sizeof digits - length, "%04u", group);
    }
    FUZZ_CHECK(column.left == 0);
    snprintf(digits + length, sizeof digits - length, "e%d", 4 * (weight - groups + 1));
    FUZZ_CHECK(fuzz_plain_decimal(text_view_of(digits), plain, sizeof plain));
    decimal_format(value, expected);
    FUZZ_CHECK(strcmp(plain, expected) == 0);
    const char *point = strchr(expected, '.');
    FUZZ_CHECK((size_t)decimals == (point ? strlen(point + 1) : 0));
}

static json_t *take_jsonb(struct fuzz_input *row)
{
    struct fuzz_input column;

    FUZZ_CHECK(take_column(row, &column) && fuzz_take_byte(&column) == 1);
    json_t *json = json_loadb((const char *)column.at, column.left, 0, NULL);
    FUZZ_CHECK(json);
    return json;
}

static void expect_extra(struct fuzz_input *row, const struct extra_fields *extra)
{
    if (extra->count == 0) {
        expect_null(row);
        return;
    }
    json_t *json = take_jsonb(row);
    for (size_t i = 0; i < extra->count; i++) {
        const char *value = NULL; /* of equal names, the last one stays */

        for (size_t j = 0; j < extra->count; j++)
            if (strcmp(extra->fields[j].name, extra->fields[i].name) == 0)
                value = extra->fields[j].value;
        const char *stored = json_string_value(json_object_get(json, extra->fields[i].name));
        FUZZ_CHECK(stored && strcmp(stored, value) == 0);
    }
    FUZZ_CHECK(json_object_size(json) <= extra->count);
    json_decref(json);
}

static void expect_optional_int64(struct fuzz_input *row, struct optional_int64 value)
{
    if (value.present)
        expect_int64(row, value.value);
    else
        expect_null(row);
}

static void expect_optional_time(struct fuzz_input *row, struct optional_int64 unix_ms)
{
    if (unix_ms.present)
        expect_time(row, unix_ms.value, 1000);
    else
        expect_null(row);
}

static void expect_optional_decimal(struct fuzz_input *row, struct optional_decimal value)
{
    if (value.present)
        expect_decimal(row, value.value);
    else
        expect_null(row);
}

static void expect_optional_bool(struct fuzz_input *row, struct optional_bool value)
{
    if (value.present)
        expect_bool(row, value.value);
    else
        expect_null(row);
}

/* --- the tables --------------------------------------------------------------------------------
 */

static void expect_trade(struct fuzz_input *row, const struct trade *trade)
{
    FUZZ_CHECK(take_number(row, 2) == 12);
    expect_key(row, trade->inst_id);
    expect_int64(row, trade->trade_id);
    expect_decimal(row, trade->price);
    expect_decimal(row, trade->size);
    expect_key(row, trade->side == TRADE_SIDE_SELL ? "sell" : "buy");
    expect_time(row, trade->event_time_ms, 1000);
    expect_optional_int64(row, trade->count);
    expect_text(row, trade->source);
    expect_optional_int64(row, trade->sequence_id);
    expect_key(row, trade->origin == ORIGIN_REST ? "rest" : "stream");
    expect_time(row, trade->received_at_us, 1);
    expect_extra(row, &trade->extra);
}

static void expect_candle(struct fuzz_input *row, const struct candle *candle)
{
    FUZZ_CHECK(take_number(row, 2) == 14);
    expect_key(row, candle->inst_id);
    expect_key(row, candle->bar);
    expect_time(row, candle->open_time_ms, 1000);
    expect_decimal(row, candle->open);
    expect_decimal(row, candle->high);
    expect_decimal(row, candle->low);
    expect_decimal(row, candle->close);
    expect_decimal(row, candle->volume);
    expect_optional_decimal(row, candle->volume_currency);
    expect_optional_decimal(row, candle->volume_currency_quote);
    expect_bool(row, candle->is_confirmed);
    expect_key(row, candle->origin == ORIGIN_REST ? "rest" : "stream");
    expect_time(row, candle->received_at_us, 1);
    expect_extra(row, &candle->extra);
}

static void expect_currency_chain(struct fuzz_input *row, const struct currency_chain *chain)
{
    const struct optional_decimal limits[] = {
        chain->min_deposit,
        chain->min_withdrawal,
        chain->min_internal,
        chain->max_withdrawal,
        chain->withdrawal_tick_size,
        chain->withdrawal_quota,
        chain->used_withdrawal_quota,
        chain->fee,
        chain->min_fee,
        chain->max_fee,
        chain->min_fee_contract,
        chain->max_fee_contract,
        chain->burning_fee_rate,
    };

    FUZZ_CHECK(take_number(row, 2) == 34);
    expect_key(row, chain->currency);
    expect_key(row, chain->chain);
    expect_text(row, chain->name);
    expect_text(row, chain->logo_link);
    expect_text(row, chain->contract_address);
    expect_optional_bool(row, chain->can_deposit);
    expect_optional_bool(row, chain->can_withdraw);
    expect_optional_bool(row, chain->can_internal);
    expect_optional_time(row, chain->deposit_open_time_ms);
    expect_optional_time(row, chain->withdrawal_open_time_ms);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        expect_optional_decimal(row, limits[i]);
    expect_optional_bool(row, chain->is_main_net);
    expect_optional_bool(row, chain->needs_tag);
    expect_optional_int64(row, chain->min_deposit_confirmations);
    expect_optional_int64(row, chain->min_withdrawal_confirmations);
    expect_optional_decimal(row, chain->deposit_quota_fixed);
    expect_optional_decimal(row, chain->used_deposit_quota_fixed);
    expect_optional_decimal(row, chain->deposit_quota_layer2);
    expect_time(row, chain->snapshot_time_ms, 1000);
    expect_int64(row, chain->snapshot_rows);
    expect_time(row, chain->received_at_us, 1);
    expect_extra(row, &chain->extra);
}

static void expect_missing(struct fuzz_input *row, const struct fetch_result *result)
{
    if (result->missing_count == 0) {
        expect_null(row);
        return;
    }
    json_t *json = take_jsonb(row);
    FUZZ_CHECK(json_array_size(json) == result->missing_count);
    for (size_t i = 0; i < result->missing_count; i++) {
        const json_t *range = json_array_get(json, i);

        FUZZ_CHECK(json_integer_value(json_object_get(range, "from")) == result->missing[i].from);
        FUZZ_CHECK(json_integer_value(json_object_get(range, "to")) == result->missing[i].to);
    }
    json_decref(json);
}

static void expect_fetch(struct fuzz_input *row, const struct fetch_row *fetch)
{
    static const char *const reasons[] = {"schedule", "backfill", "gap"};
    const struct fetch_result *result = &fetch->result;
    const struct fetch_command *command = &result->command;

    FUZZ_CHECK(take_number(row, 2) == 18);
    expect_key(row, command->id);
    expect_key(row, fetch_kind_name(command->kind));
    expect_text(row, command->inst_id);
    expect_text(row, command->bar);
    expect_optional_int64(row, command->from_id);
    expect_optional_int64(row, command->to_id);
    expect_optional_time(row, command->from_time_ms);
    expect_optional_time(row, command->to_time_ms);
    expect_key(row, reasons[command->reason]);
    expect_key(row, fetch->is_finished ? fetch_status_name(result->status) : "requested");
    expect_int64(row, command->attempt);
    if (fetch->is_finished) {
        expect_int64(row, result->records);
        expect_int64(row, result->requests);
        expect_missing(row, result);
        expect_optional_bool(
            row, (struct optional_bool){result->status == FETCH_STATUS_FAILED, result->retriable});
        expect_text(row, result->error);
    } else {
        for (int i = 0; i < 5; i++)
            expect_null(row);
    }
    expect_time(row, command->created_at_ms, 1000);
    expect_optional_time(
        row, (struct optional_int64){.present = fetch->is_finished, result->finished_at_ms});
}

static void check_row(enum record_kind kind, const void *record, struct buf *rows)
{
    const enum table tables[RECORD_KIND_COUNT] = {
        [RECORD_TRADE] = TABLE_TRADES,
        [RECORD_CANDLE] = TABLE_CANDLES,
        [RECORD_CURRENCY_CHAIN] = TABLE_CURRENCIES,
        [RECORD_FETCH_COMMAND] = TABLE_FETCHES,
        [RECORD_FETCH_RESULT] = TABLE_FETCHES,
    };
    const struct table_store *store = table_store_of(tables[kind]);
    struct fetch_row fetch = {.is_finished = kind == RECORD_FETCH_RESULT};

    if (kind == RECORD_FETCH_RESULT)
        fetch.result = *(const struct fetch_result *)record;
    if (kind == RECORD_FETCH_COMMAND)
        fetch.result.command = *(const struct fetch_command *)record;
    if (tables[kind] == TABLE_FETCHES)
        record = &fetch;
    store->append_row(record, rows);
    FUZZ_CHECK(!rows->overflowed);
    FUZZ_CHECK(store->compare_keys(record, record) == 0);
    FUZZ_CHECK(store->compare_states(record, record) == 0);

    struct fuzz_input row = {(const uint8_t *)rows->data, rows->length};
    if (kind == RECORD_TRADE)
        expect_trade(&row, record);
    else if (kind == RECORD_CANDLE)
        expect_candle(&row, record);
    else if (kind == RECORD_CURRENCY_CHAIN)
        expect_currency_chain(&row, record);
    else
        expect_fetch(&row, record);
    FUZZ_CHECK(row.left == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct avro_decoder *decoders[RECORD_KIND_COUNT];
    struct fuzz_input input = {data, size};
    enum record_kind kind =
        fuzz_take_byte(&input) % RECORD_TRADE_POSITION; /* no table of its own */
    void *record = mem_calloc(1, avro_record_bytes(kind));
    struct err err = {0};
    struct buf rows;

    if (!decoders[kind])
        decoders[kind] = avro_decoder_create(kind, schema_text(kind), &err);
    buf_init(&rows, ROW_BYTES_MAX);
    if (avro_decode(decoders[kind], input.at, input.left, record, &err) == 0) {
        check_row(kind, record, &rows);
        avro_record_clear(kind, record);
    }
    buf_clear(&rows);
    free(record);
    return 0;
}
