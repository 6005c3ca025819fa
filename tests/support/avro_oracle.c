#include "tests/support/avro_oracle.h"

#include <avro.h>
#include <stdio.h>
#include <string.h>

#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/fetch_result.h"
#include "domain/trade_position.h"

/* Sets fields of one record value and remembers whether any of it was refused. */
struct filler {
    avro_value_t record;
    int failures;
};

static void check(struct filler *filler, const char *name, int status)
{
    if (status == 0)
        return;
    filler->failures++;
    fprintf(stderr, "avro-c refuses %s: %s\n", name, avro_strerror());
}

static avro_value_t field_of(struct filler *filler, const char *name)
{
    avro_value_t field = {0};

    check(filler, name, avro_value_get_by_name(&filler->record, name, &field, NULL));
    return field;
}

/* The value of a nullable field, or null. */
static avro_value_t branch_of(struct filler *filler, const char *name, bool present)
{
    avro_value_t field = field_of(filler, name);
    avro_value_t branch = {0};

    check(filler, name, avro_value_set_branch(&field, present ? 1 : 0, &branch));
    if (!present)
        check(filler, name, avro_value_set_null(&branch));
    return branch;
}

static void put_text(struct filler *filler, const char *name, const char *text)
{
    avro_value_t field = field_of(filler, name);

    check(filler, name, avro_value_set_string(&field, text));
}

static void put_optional_text(struct filler *filler, const char *name, const char *text)
{
    avro_value_t branch = branch_of(filler, name, text && *text);

    if (text && *text)
        check(filler, name, avro_value_set_string(&branch, text));
}

static void put_long(struct filler *filler, const char *name, int64_t value)
{
    avro_value_t field = field_of(filler, name);

    check(filler, name, avro_value_set_long(&field, value));
}

static void put_optional_long(struct filler *filler, const char *name, struct optional_int64 value)
{
    avro_value_t branch = branch_of(filler, name, value.present);

    if (value.present)
        check(filler, name, avro_value_set_long(&branch, value.value));
}

static void put_boolean(struct filler *filler, const char *name, bool value)
{
    avro_value_t field = field_of(filler, name);

    check(filler, name, avro_value_set_boolean(&field, value));
}

static void put_optional_boolean(struct filler *filler, const char *name,
                                 struct optional_bool value)
{
    avro_value_t branch = branch_of(filler, name, value.present);

    if (value.present)
        check(filler, name, avro_value_set_boolean(&branch, value.value));
}

static void put_enum(struct filler *filler, const char *name, int value)
{
    avro_value_t field = field_of(filler, name);

    check(filler, name, avro_value_set_enum(&field, value));
}

/* All sixteen bytes first, then leading ones dropped while the sign stays the same. */
static void set_decimal(struct filler *filler, const char *name, avro_value_t *field,
                        struct decimal value)
{
    uint8_t bytes[16];
    size_t skip = 0;

    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)((uint128)value.unscaled >> (120 - 8 * i));
    while (skip < 15 && ((bytes[skip] == 0x00 && bytes[skip + 1] < 0x80) ||
                         (bytes[skip] == 0xFF && bytes[skip + 1] >= 0x80)))
        skip++;
    check(filler, name, avro_value_set_bytes(field, bytes + skip, sizeof bytes - skip));
}

static void put_decimal(struct filler *filler, const char *name, struct decimal value)
{
    avro_value_t field = field_of(filler, name);

    set_decimal(filler, name, &field, value);
}

static void put_optional_decimal(struct filler *filler, const char *name,
                                 struct optional_decimal value)
{
    avro_value_t branch = branch_of(filler, name, value.present);

    if (value.present)
        set_decimal(filler, name, &branch, value.value);
}

static void put_extra(struct filler *filler, const struct extra_fields *extra)
{
    avro_value_t map = field_of(filler, "extra");

    for (size_t i = 0; i < extra->count; i++) {
        avro_value_t entry = {0};

        check(filler, "extra", avro_value_add(&map, extra->fields[i].name, &entry, NULL, NULL));
        check(filler, "extra", avro_value_set_string(&entry, extra->fields[i].value));
    }
}

static void put_missing(struct filler *filler, const struct fetch_result *result)
{
    avro_value_t array = field_of(filler, "missing");

    for (size_t i = 0; i < result->missing_count; i++) {
        struct filler item = {0};

        check(filler, "missing", avro_value_append(&array, &item.record, NULL));
        put_long(&item, "from", result->missing[i].from);
        put_long(&item, "to", result->missing[i].to);
        filler->failures += item.failures;
    }
}

static void put_trade(struct filler *filler, const struct trade *trade)
{
    put_text(filler, "instId", trade->inst_id);
    put_long(filler, "tradeId", trade->trade_id);
    put_decimal(filler, "px", trade->price);
    put_decimal(filler, "sz", trade->size);
    put_text(filler, "side", trade->side == TRADE_SIDE_BUY ? "buy" : "sell");
    put_long(filler, "ts", trade->event_time_ms);
    put_optional_long(filler, "count", trade->count);
    put_optional_text(filler, "source", trade->source);
    put_optional_long(filler, "seqId", trade->sequence_id);
    put_enum(filler, "origin", trade->origin == ORIGIN_STREAM ? 0 : 1);
    put_long(filler, "receivedAt", trade->received_at_us);
    put_extra(filler, &trade->extra);
}

static void put_candle(struct filler *filler, const struct candle *candle)
{
    put_text(filler, "instId", candle->inst_id);
    put_text(filler, "bar", candle->bar);
    put_long(filler, "ts", candle->open_time_ms);
    put_decimal(filler, "o", candle->open);
    put_decimal(filler, "h", candle->high);
    put_decimal(filler, "l", candle->low);
    put_decimal(filler, "c", candle->close);
    put_decimal(filler, "vol", candle->volume);
    put_optional_decimal(filler, "volCcy", candle->volume_currency);
    put_optional_decimal(filler, "volCcyQuote", candle->volume_currency_quote);
    put_boolean(filler, "confirm", candle->is_confirmed);
    put_enum(filler, "origin", candle->origin == ORIGIN_STREAM ? 0 : 1);
    put_long(filler, "receivedAt", candle->received_at_us);
    put_extra(filler, &candle->extra);
}

static void put_currency_chain(struct filler *filler, const struct currency_chain *chain)
{
    put_text(filler, "ccy", chain->currency);
    put_text(filler, "chain", chain->chain);
    put_optional_text(filler, "name", chain->name);
    put_optional_text(filler, "logoLink", chain->logo_link);
    put_optional_text(filler, "ctAddr", chain->contract_address);
    put_optional_boolean(filler, "canDep", chain->can_deposit);
    put_optional_boolean(filler, "canWd", chain->can_withdraw);
    put_optional_boolean(filler, "canInternal", chain->can_internal);
    put_optional_long(filler, "depEstOpenTime", chain->deposit_open_time_ms);
    put_optional_long(filler, "wdEstOpenTime", chain->withdrawal_open_time_ms);
    put_optional_decimal(filler, "minDep", chain->min_deposit);
    put_optional_decimal(filler, "minWd", chain->min_withdrawal);
    put_optional_decimal(filler, "minInternal", chain->min_internal);
    put_optional_decimal(filler, "maxWd", chain->max_withdrawal);
    put_optional_decimal(filler, "wdTickSz", chain->withdrawal_tick_size);
    put_optional_decimal(filler, "wdQuota", chain->withdrawal_quota);
    put_optional_decimal(filler, "usedWdQuota", chain->used_withdrawal_quota);
    put_optional_decimal(filler, "fee", chain->fee);
    put_optional_decimal(filler, "minFee", chain->min_fee);
    put_optional_decimal(filler, "maxFee", chain->max_fee);
    put_optional_decimal(filler, "minFeeForCtAddr", chain->min_fee_contract);
    put_optional_decimal(filler, "maxFeeForCtAddr", chain->max_fee_contract);
    put_optional_decimal(filler, "burningFeeRate", chain->burning_fee_rate);
    put_optional_boolean(filler, "mainNet", chain->is_main_net);
    put_optional_boolean(filler, "needTag", chain->needs_tag);
    put_optional_long(filler, "minDepArrivalConfirm", chain->min_deposit_confirmations);
    put_optional_long(filler, "minWdUnlockConfirm", chain->min_withdrawal_confirmations);
    put_optional_decimal(filler, "depQuotaFixed", chain->deposit_quota_fixed);
    put_optional_decimal(filler, "usedDepQuotaFixed", chain->used_deposit_quota_fixed);
    put_optional_decimal(filler, "depQuoteDailyLayer2", chain->deposit_quota_layer2);
    put_long(filler, "snapshotAt", chain->snapshot_time_ms);
    put_long(filler, "snapshotRows", chain->snapshot_rows);
    put_long(filler, "receivedAt", chain->received_at_us);
    put_extra(filler, &chain->extra);
}

static void put_command(struct filler *filler, const struct fetch_command *command)
{
    put_text(filler, "id", command->id);
    put_enum(filler, "kind", (int)command->kind);
    put_optional_text(filler, "instId", command->inst_id);
    put_optional_text(filler, "bar", command->bar);
    put_optional_long(filler, "fromId", command->from_id);
    put_optional_long(filler, "toId", command->to_id);
    put_optional_long(filler, "fromTs", command->from_time_ms);
    put_optional_long(filler, "toTs", command->to_time_ms);
    put_enum(filler, "reason", (int)command->reason);
    put_long(filler, "attempt", command->attempt);
    put_long(filler, "createdAt", command->created_at_ms);
}

static void put_result(struct filler *filler, const struct fetch_result *result)
{
    put_command(filler, &result->command);
    put_enum(filler, "status", (int)result->status);
    put_long(filler, "records", result->records);
    put_long(filler, "requests", result->requests);
    put_missing(filler, result);
    put_boolean(filler, "retriable", result->retriable);
    put_optional_text(filler, "error", result->error);
    put_long(filler, "finishedAt", result->finished_at_ms);
}

static void put_position(struct filler *filler, const struct trade_position *position)
{
    put_text(filler, "instId", position->inst_id);
    put_optional_long(filler, "tradeId", position->trade_id);
    put_optional_long(filler, "ts", position->event_time_ms);
    put_optional_long(filler, "offset", position->offset);
    put_long(filler, "updatedAt", position->updated_at_ms);
}

static void put_record(struct filler *filler, enum record_kind kind, const void *record)
{
    switch (kind) {
    case RECORD_TRADE:
        put_trade(filler, record);
        break;
    case RECORD_CANDLE:
        put_candle(filler, record);
        break;
    case RECORD_CURRENCY_CHAIN:
        put_currency_chain(filler, record);
        break;
    case RECORD_FETCH_COMMAND:
        put_command(filler, record);
        break;
    case RECORD_FETCH_RESULT:
        put_result(filler, record);
        break;
    case RECORD_TRADE_POSITION:
        put_position(filler, record);
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}

size_t avro_oracle_encode(enum record_kind kind, const void *record, uint8_t *bytes,
                          size_t capacity)
{
    struct text_view text = schema_text(kind);
    struct filler filler = {0};
    avro_schema_t schema = NULL;
    avro_value_iface_t *class = NULL;
    avro_writer_t writer = NULL;
    size_t length = 0;

    if (avro_schema_from_json_length(text.data, text.length, &schema) != 0) {
        fprintf(stderr, "avro-c refuses the schema: %s\n", avro_strerror());
        return 0;
    }
    class = avro_generic_class_from_schema(schema);
    if (avro_generic_value_new(class, &filler.record) == 0) {
        put_record(&filler, kind, record);
        writer = avro_writer_memory((char *)bytes, (int64_t)capacity);
        check(&filler, "the record", avro_value_write(writer, &filler.record));
        length = filler.failures == 0 ? (size_t)avro_writer_tell(writer) : 0;
        avro_writer_free(writer);
        avro_value_decref(&filler.record);
    }
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    return length;
}
