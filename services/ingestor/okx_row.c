#include "okx_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "exact_numbers.h"

enum { EXTRA_VALUE_BYTES_MAX = 16 * 1024, CANDLE_COLUMNS = 9 };

/* --- scalars: a string, or a number as its digits; "" and null stand for "not available" ------
 */

struct scalar {
    bool is_present;
    struct text_view text;
    char digits[24];
};

static int read_scalar(const json_t *value, const char *name, struct scalar *scalar,
                       struct err *err)
{
    *scalar = (struct scalar){0};
    if (!value || json_is_null(value))
        return 0;
    if (json_is_string(value)) {
        struct text_view text = {json_string_value(value), json_string_length(value)};

        if (!exact_numbers_is_marked(text, &scalar->text))
            scalar->text = text;
    } else if (json_is_integer(value)) {
        int length = snprintf(scalar->digits, sizeof scalar->digits, "%" JSON_INTEGER_FORMAT,
                              json_integer_value(value));
        scalar->text = (struct text_view){scalar->digits, (size_t)length};
    } else {
        return err_set(err, ERR_PROTOCOL, "%s is neither a string nor a number", name);
    }
    scalar->is_present = scalar->text.length > 0;
    return 0;
}

static int read_int64(const json_t *value, const char *name, struct optional_int64 *number,
                      struct err *err)
{
    struct scalar scalar;

    if (read_scalar(value, name, &scalar, err) != 0)
        return -1;
    *number = (struct optional_int64){.present = scalar.is_present};
    if (scalar.is_present && text_view_read_int64(scalar.text, &number->value, err) != 0)
        return err_wrap(err, "%s", name);
    return 0;
}

static int read_decimal(const json_t *value, const char *name, struct optional_decimal *number,
                        struct err *err)
{
    struct scalar scalar;

    if (read_scalar(value, name, &scalar, err) != 0)
        return -1;
    *number = (struct optional_decimal){.present = scalar.is_present};
    if (scalar.is_present && decimal_parse(scalar.text, &number->value, err) != 0)
        return err_wrap(err, "%s", name);
    return 0;
}

static int read_text(const json_t *value, const char *name, char *text, size_t text_bytes,
                     struct err *err)
{
    struct scalar scalar;

    if (read_scalar(value, name, &scalar, err) != 0)
        return -1;
    if (scalar.text.length >= text_bytes)
        return err_set(err, ERR_LIMIT, "%s has %zu characters, more than %zu", name,
                       scalar.text.length, text_bytes - 1);
    if (scalar.is_present)
        memcpy(text, scalar.text.data, scalar.text.length);
    text[scalar.text.length] = '\0';
    return 0;
}

static int read_owned_text(const json_t *value, const char *name, char **text, struct err *err)
{
    struct scalar scalar;

    if (read_scalar(value, name, &scalar, err) != 0)
        return -1;
    if (scalar.text.length > EXTRA_VALUE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s has %zu characters", name, scalar.text.length);
    *text = scalar.is_present ? mem_strndup(scalar.text.data, scalar.text.length) : NULL;
    return 0;
}

static int read_bool(const json_t *value, const char *name, struct optional_bool *flag,
                     struct err *err)
{
    struct scalar scalar;

    if (json_is_boolean(value)) {
        *flag = (struct optional_bool){.present = true, .value = json_is_true(value)};
        return 0;
    }
    if (read_scalar(value, name, &scalar, err) != 0)
        return -1;
    *flag = (struct optional_bool){.present = scalar.is_present};
    if (scalar.is_present && text_view_equals(scalar.text, "true"))
        flag->value = true;
    else if (scalar.is_present && !text_view_equals(scalar.text, "false"))
        return err_set(err, ERR_PROTOCOL, "%s is no boolean", name);
    return 0;
}

static int check_time(int64_t unix_ms, const char *name, struct err *err)
{
    if (unix_ms < 0 || unix_ms > OKX_TIME_MS_MAX)
        return err_set(err, ERR_OUT_OF_RANGE, "%s %" PRId64 " is no time in milliseconds", name,
                       unix_ms);
    return 0;
}

/* --- objects by table ------------------------------------------------------------------------- */

enum field_kind {
    FIELD_INT64,         /* struct optional_int64 */
    FIELD_TIME,          /* struct optional_int64, within the calendar */
    FIELD_DECIMAL,       /* struct optional_decimal */
    FIELD_BOOL,          /* struct optional_bool */
    FIELD_TEXT,          /* char[bytes] */
    FIELD_OWNED_TEXT,    /* char * */
    FIELD_REQUIRED_TEXT, /* char[bytes], not empty */
};

struct field {
    const char *name; /* OKX's */
    enum field_kind kind;
    size_t offset;
    size_t bytes;
};

static int read_field(const json_t *value, const struct field *field, void *target, struct err *err)
{
    void *place = (char *)target + field->offset;

    switch (field->kind) {
    case FIELD_INT64:
        return read_int64(value, field->name, place, err);
    case FIELD_TIME:
        if (read_int64(value, field->name, place, err) != 0)
            return -1;
        return check_time(((struct optional_int64 *)place)->value, field->name, err);
    case FIELD_DECIMAL:
        return read_decimal(value, field->name, place, err);
    case FIELD_BOOL:
        return read_bool(value, field->name, place, err);
    case FIELD_OWNED_TEXT:
        return read_owned_text(value, field->name, place, err);
    case FIELD_REQUIRED_TEXT:
    case FIELD_TEXT:
        if (read_text(value, field->name, place, field->bytes, err) != 0)
            return -1;
        if (field->kind == FIELD_REQUIRED_TEXT && *(const char *)place == '\0')
            return err_set(err, ERR_PROTOCOL, "%s is missing", field->name);
        return 0;
    }
    return 0;
}

char *okx_row_text(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    if (!text)
        return mem_strdup("");
    exact_numbers_unmark(text);
    return text;
}

static int add_extra(const char *name, const json_t *value, struct extra_fields *extra,
                     struct err *err)
{
    char *json = NULL;
    struct text_view text = {json_string_value(value), json_string_length(value)};
    struct text_view number;
    int status = -1;

    if (!text.data) {
        json = okx_row_text(value);
        text = text_view_of(json);
    } else if (exact_numbers_is_marked(text, &number)) {
        text = number;
    }
    if (text.length > EXTRA_VALUE_BYTES_MAX)
        err_set(err, ERR_LIMIT, "unknown member has %zu characters", text.length);
    else if (extra_fields_add(extra, name, strlen(name), text.data, text.length) != 0)
        err_set(err, ERR_LIMIT, "more than %d unknown members", EXTRA_FIELDS_MAX);
    else
        status = 0;
    free(json);
    return status;
}

static bool is_known(const char *name, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return true;
    }
    return false;
}

static int read_object(const json_t *row, const struct field *fields, size_t count, void *target,
                       struct extra_fields *extra, struct err *err)
{
    const char *name;
    json_t *value;
    size_t known = 0;

    if (!json_is_object(row))
        return err_set(err, ERR_PROTOCOL, "row is no object");
    for (size_t i = 0; i < count; i++) {
        value = json_object_get(row, fields[i].name);
        known += value != NULL;
        if (read_field(value, &fields[i], target, err) != 0)
            return -1;
    }
    if (!extra || known == json_object_size(row))
        return 0;
    json_object_foreach((json_t *)row, name, value)
    {
        if (!is_known(name, fields, count) && add_extra(name, value, extra, err) != 0)
            return -1;
    }
    return 0;
}

/* --- the records ------------------------------------------------------------------------------ */

struct trade_row {
    struct trade trade;
    struct optional_int64 trade_id, event_time_ms;
    struct optional_decimal price, size;
    char side[8];
};

#define TRADE_ROW(okx_name, field_kind, member)                                                    \
    {                                                                                              \
        okx_name, field_kind, offsetof(struct trade_row, member),                                  \
            sizeof((struct trade_row *)0)->member                                                  \
    }

static const struct field trade_fields[] = {
    TRADE_ROW("instId", FIELD_REQUIRED_TEXT, trade.inst_id),
    TRADE_ROW("tradeId", FIELD_INT64, trade_id),
    TRADE_ROW("px", FIELD_DECIMAL, price),
    TRADE_ROW("sz", FIELD_DECIMAL, size),
    TRADE_ROW("side", FIELD_REQUIRED_TEXT, side),
    TRADE_ROW("ts", FIELD_TIME, event_time_ms),
    TRADE_ROW("count", FIELD_INT64, trade.count),
    TRADE_ROW("source", FIELD_TEXT, trade.source),
    TRADE_ROW("seqId", FIELD_INT64, trade.sequence_id),
};

static int check_trade(const struct trade_row *row, struct err *err)
{
    const struct optional_int64 *count = &row->trade.count;

    if (!row->trade_id.present || !row->event_time_ms.present)
        return err_set(err, ERR_PROTOCOL, "%s is missing",
                       row->trade_id.present ? "ts" : "tradeId");
    if (!row->price.present || !row->size.present)
        return err_set(err, ERR_PROTOCOL, "%s is missing", row->price.present ? "sz" : "px");
    if (row->trade_id.value < 0 || row->trade_id.value == INT64_MAX)
        return err_set(err, ERR_OUT_OF_RANGE, "tradeId %" PRId64 " is no id", row->trade_id.value);
    if (count->present && (count->value < 1 || count->value > row->trade_id.value + 1))
        return err_set(err, ERR_PROTOCOL, "count %" PRId64 " is impossible", count->value);
    if (strcmp(row->side, "buy") != 0 && strcmp(row->side, "sell") != 0)
        return err_set(err, ERR_PROTOCOL, "unknown side '%s'", row->side);
    return 0;
}

int okx_row_read_trade(const json_t *row, struct trade *trade, struct err *err)
{
    struct trade_row read = {0};

    if (read_object(row, trade_fields, sizeof trade_fields / sizeof *trade_fields, &read,
                    &read.trade.extra, err) != 0 ||
        check_trade(&read, err) != 0) {
        trade_clear(&read.trade);
        return -1;
    }
    read.trade.trade_id = read.trade_id.value;
    read.trade.price = read.price.value;
    read.trade.size = read.size.value;
    read.trade.side = strcmp(read.side, "buy") == 0 ? TRADE_SIDE_BUY : TRADE_SIDE_SELL;
    read.trade.event_time_ms = read.event_time_ms.value;
    *trade = read.trade;
    return 0;
}

static int read_columns(const json_t *row, struct candle *candle, struct err *err)
{
    static const char *const names[] = {"o", "h", "l", "c", "vol", "volCcy", "volCcyQuote"};
    struct optional_decimal values[7];
    struct optional_int64 open_time = {0};
    struct optional_int64 confirm = {0};

    for (size_t i = 0; i < 7; i++) {
        if (read_decimal(json_array_get(row, i + 1), names[i], &values[i], err) != 0)
            return -1;
        if (i < 5 && !values[i].present)
            return err_set(err, ERR_PROTOCOL, "%s is missing", names[i]);
    }
    if (read_int64(json_array_get(row, 0), "ts", &open_time, err) != 0 ||
        check_time(open_time.value, "ts", err) != 0 ||
        read_int64(json_array_get(row, 8), "confirm", &confirm, err) != 0)
        return -1;
    if (!open_time.present)
        return err_set(err, ERR_PROTOCOL, "ts is missing");
    if (!confirm.present || (confirm.value != 0 && confirm.value != 1))
        return err_set(err, ERR_PROTOCOL, "confirm is neither 0 nor 1");
    candle->open_time_ms = open_time.value;
    candle->open = values[0].value;
    candle->high = values[1].value;
    candle->low = values[2].value;
    candle->close = values[3].value;
    candle->volume = values[4].value;
    candle->volume_currency = values[5];
    candle->volume_currency_quote = values[6];
    candle->is_confirmed = confirm.value == 1;
    return 0;
}

int okx_row_read_candle(const json_t *row, const char *inst_id, const char *bar,
                        struct candle *candle, struct err *err)
{
    struct candle read = {0};

    if (!json_is_array(row) || json_array_size(row) < CANDLE_COLUMNS)
        return err_set(err, ERR_PROTOCOL, "candle is no array of %d columns", CANDLE_COLUMNS);
    if (read_columns(row, &read, err) != 0)
        return -1;
    for (size_t i = CANDLE_COLUMNS; i < json_array_size(row); i++) {
        char name[24];

        snprintf(name, sizeof name, "%zu", i);
        if (add_extra(name, json_array_get(row, i), &read.extra, err) != 0) {
            candle_clear(&read);
            return -1;
        }
    }
    snprintf(read.inst_id, sizeof read.inst_id, "%s", inst_id);
    snprintf(read.bar, sizeof read.bar, "%s", bar);
    *candle = read;
    return 0;
}

#define CHAIN(okx_name, field_kind, member)                                                        \
    {                                                                                              \
        okx_name, field_kind, offsetof(struct currency_chain, member),                             \
            sizeof((struct currency_chain *)0)->member                                             \
    }

static const struct field currency_chain_fields[] = {
    CHAIN("ccy", FIELD_REQUIRED_TEXT, currency),
    CHAIN("chain", FIELD_REQUIRED_TEXT, chain),
    CHAIN("name", FIELD_OWNED_TEXT, name),
    CHAIN("logoLink", FIELD_OWNED_TEXT, logo_link),
    CHAIN("ctAddr", FIELD_OWNED_TEXT, contract_address),
    CHAIN("canDep", FIELD_BOOL, can_deposit),
    CHAIN("canWd", FIELD_BOOL, can_withdraw),
    CHAIN("canInternal", FIELD_BOOL, can_internal),
    CHAIN("depEstOpenTime", FIELD_TIME, deposit_open_time_ms),
    CHAIN("wdEstOpenTime", FIELD_TIME, withdrawal_open_time_ms),
    CHAIN("minDep", FIELD_DECIMAL, min_deposit),
    CHAIN("minWd", FIELD_DECIMAL, min_withdrawal),
    CHAIN("minInternal", FIELD_DECIMAL, min_internal),
    CHAIN("maxWd", FIELD_DECIMAL, max_withdrawal),
    CHAIN("wdTickSz", FIELD_DECIMAL, withdrawal_tick_size),
    CHAIN("wdQuota", FIELD_DECIMAL, withdrawal_quota),
    CHAIN("usedWdQuota", FIELD_DECIMAL, used_withdrawal_quota),
    CHAIN("fee", FIELD_DECIMAL, fee),
    CHAIN("minFee", FIELD_DECIMAL, min_fee),
    CHAIN("maxFee", FIELD_DECIMAL, max_fee),
    CHAIN("minFeeForCtAddr", FIELD_DECIMAL, min_fee_contract),
    CHAIN("maxFeeForCtAddr", FIELD_DECIMAL, max_fee_contract),
    CHAIN("burningFeeRate", FIELD_DECIMAL, burning_fee_rate),
    CHAIN("mainNet", FIELD_BOOL, is_main_net),
    CHAIN("needTag", FIELD_BOOL, needs_tag),
    CHAIN("minDepArrivalConfirm", FIELD_INT64, min_deposit_confirmations),
    CHAIN("minWdUnlockConfirm", FIELD_INT64, min_withdrawal_confirmations),
    CHAIN("depQuotaFixed", FIELD_DECIMAL, deposit_quota_fixed),
    CHAIN("usedDepQuotaFixed", FIELD_DECIMAL, used_deposit_quota_fixed),
    CHAIN("depQuoteDailyLayer2", FIELD_DECIMAL, deposit_quota_layer2),
};

int okx_row_read_currency_chain(const json_t *row, struct currency_chain *chain, struct err *err)
{
    struct currency_chain read = {0};

    if (read_object(row, currency_chain_fields,
                    sizeof currency_chain_fields / sizeof *currency_chain_fields, &read,
                    &read.extra, err) != 0) {
        currency_chain_clear(&read);
        return -1;
    }
    *chain = read;
    return 0;
}

#define INSTRUMENT(okx_name, field_kind, member)                                                   \
    {                                                                                              \
        okx_name, field_kind, offsetof(struct okx_instrument, member),                             \
            sizeof((struct okx_instrument *)0)->member                                             \
    }

static const struct field instrument_fields[] = {
    INSTRUMENT("instId", FIELD_REQUIRED_TEXT, inst_id),
    INSTRUMENT("quoteCcy", FIELD_TEXT, quote_currency),
    INSTRUMENT("state", FIELD_TEXT, state),
};

int okx_row_read_instrument(const json_t *row, struct okx_instrument *instrument, struct err *err)
{
    struct okx_instrument read = {0};

    if (read_object(row, instrument_fields, sizeof instrument_fields / sizeof *instrument_fields,
                    &read, NULL, err) != 0)
        return -1;
    *instrument = read;
    return 0;
}

int okx_row_read_time(const json_t *row, int64_t *unix_ms, struct err *err)
{
    struct optional_int64 time_ms = {0};

    if (read_int64(json_object_get(row, "ts"), "ts", &time_ms, err) != 0 ||
        check_time(time_ms.value, "ts", err) != 0)
        return -1;
    if (!time_ms.present)
        return err_set(err, ERR_PROTOCOL, "ts is missing");
    *unix_ms = time_ms.value;
    return 0;
}
