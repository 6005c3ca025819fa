#include "tests/support/random_record.h"

#include <string.h>

#include "base/mem.h"
#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/fetch_result.h"
#include "domain/trade_position.h"

/* splitmix64 */
uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random_next(state) % limit;
}

static bool flip(uint64_t *state)
{
    return random_next(state) & 1;
}

/* Numbers of every magnitude, both signs, and the extremes now and then. */
static int64_t random_int64(uint64_t *state)
{
    static const int64_t extremes[] = {0, 1, -1, INT64_MIN, INT64_MAX, 63, 64, -64, -65};

    if (random_below(state, 4) == 0)
        return extremes[random_below(state, sizeof extremes / sizeof extremes[0])];
    return (int64_t)(random_next(state) >> random_below(state, 64)) * (flip(state) ? 1 : -1);
}

static struct decimal random_decimal(uint64_t *state)
{
    uint128 magnitude =
        ((uint128)random_next(state) << 64 | random_next(state)) >> (2 + random_below(state, 126));
    int128 unscaled = (int128)magnitude;

    return (struct decimal){.unscaled = flip(state) ? unscaled : -unscaled};
}

/* Up to length_max characters, some of more than one byte. */
static size_t random_text(uint64_t *state, char *text, size_t length_max)
{
    static const char *const letters[] = {"B", "T", "-", "0", "9", "z", "\"", "\\", "é", "漢"};
    size_t wanted = random_below(state, length_max + 1);
    size_t length = 0;

    for (;;) {
        const char *letter = letters[random_below(state, sizeof letters / sizeof letters[0])];
        if (length + strlen(letter) > wanted)
            break;
        memcpy(text + length, letter, strlen(letter));
        length += strlen(letter);
    }
    text[length] = '\0';
    return length;
}

#define RANDOM_TEXT(state, array) (void)random_text(state, array, sizeof(array) - 1)

static char *random_owned_text(uint64_t *state)
{
    char text[300];

    return random_text(state, text, sizeof text - 1) > 0 ? mem_strdup(text) : NULL;
}

static struct optional_int64 random_optional_int64(uint64_t *state)
{
    struct optional_int64 value = {.present = flip(state)};

    if (value.present)
        value.value = random_int64(state);
    return value;
}

static struct optional_decimal random_optional_decimal(uint64_t *state)
{
    struct optional_decimal value = {.present = flip(state)};

    if (value.present)
        value.value = random_decimal(state);
    return value;
}

static struct optional_bool random_optional_bool(uint64_t *state)
{
    struct optional_bool value = {.present = flip(state)};

    value.value = value.present && flip(state);
    return value;
}

static void fill_extra(uint64_t *state, struct extra_fields *extra)
{
    static const size_t counts[] = {0, 0, 1, 3, EXTRA_FIELDS_MAX};
    size_t count = counts[random_below(state, sizeof counts / sizeof counts[0])];

    for (size_t i = 0; i < count; i++) {
        char name[24];
        char value[80];
        size_t length = random_text(state, value, sizeof value - 1);

        name[0] = (char)('a' + i % 26); /* no name twice */
        name[1] = (char)('a' + i / 26);
        (void)extra_fields_add(extra, name, 2 + random_text(state, name + 2, 20), value, length);
    }
}

static void fill_trade(uint64_t *state, struct trade *trade)
{
    RANDOM_TEXT(state, trade->inst_id);
    trade->trade_id = random_int64(state);
    trade->price = random_decimal(state);
    trade->size = random_decimal(state);
    trade->side = flip(state) ? TRADE_SIDE_BUY : TRADE_SIDE_SELL;
    trade->event_time_ms = random_int64(state);
    trade->count = random_optional_int64(state);
    RANDOM_TEXT(state, trade->source);
    trade->sequence_id = random_optional_int64(state);
    trade->origin = flip(state) ? ORIGIN_STREAM : ORIGIN_REST;
    trade->received_at_us = random_int64(state);
    fill_extra(state, &trade->extra);
}

static void fill_candle(uint64_t *state, struct candle *candle)
{
    RANDOM_TEXT(state, candle->inst_id);
    RANDOM_TEXT(state, candle->bar);
    candle->open_time_ms = random_int64(state);
    candle->open = random_decimal(state);
    candle->high = random_decimal(state);
    candle->low = random_decimal(state);
    candle->close = random_decimal(state);
    candle->volume = random_decimal(state);
    candle->volume_currency = random_optional_decimal(state);
    candle->volume_currency_quote = random_optional_decimal(state);
    candle->is_confirmed = flip(state);
    candle->origin = flip(state) ? ORIGIN_STREAM : ORIGIN_REST;
    candle->received_at_us = random_int64(state);
    fill_extra(state, &candle->extra);
}

static void fill_currency_chain(uint64_t *state, struct currency_chain *chain)
{
    struct optional_decimal *const decimals[] = {
        &chain->min_deposit,
        &chain->min_withdrawal,
        &chain->min_internal,
        &chain->max_withdrawal,
        &chain->withdrawal_tick_size,
        &chain->withdrawal_quota,
        &chain->used_withdrawal_quota,
        &chain->fee,
        &chain->min_fee,
        &chain->max_fee,
        &chain->min_fee_contract,
        &chain->max_fee_contract,
        &chain->burning_fee_rate,
        &chain->deposit_quota_fixed,
        &chain->used_deposit_quota_fixed,
        &chain->deposit_quota_layer2,
    };
    struct optional_bool *const flags[] = {&chain->can_deposit, &chain->can_withdraw,
                                           &chain->can_internal, &chain->is_main_net,
                                           &chain->needs_tag};

    RANDOM_TEXT(state, chain->currency);
    RANDOM_TEXT(state, chain->chain);
    chain->name = random_owned_text(state);
    chain->logo_link = random_owned_text(state);
    chain->contract_address = random_owned_text(state);
    for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++)
        *decimals[i] = random_optional_decimal(state);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        *flags[i] = random_optional_bool(state);
    chain->deposit_open_time_ms = random_optional_int64(state);
    chain->withdrawal_open_time_ms = random_optional_int64(state);
    chain->min_deposit_confirmations = random_optional_int64(state);
    chain->min_withdrawal_confirmations = random_optional_int64(state);
    chain->snapshot_time_ms = random_int64(state);
    chain->snapshot_rows = random_int64(state);
    chain->received_at_us = random_int64(state);
    fill_extra(state, &chain->extra);
}

static void fill_command(uint64_t *state, struct fetch_command *command)
{
    RANDOM_TEXT(state, command->id);
    command->kind = (enum fetch_kind)random_below(state, 3);
    RANDOM_TEXT(state, command->inst_id);
    RANDOM_TEXT(state, command->bar);
    command->from_id = random_optional_int64(state);
    command->to_id = random_optional_int64(state);
    command->from_time_ms = random_optional_int64(state);
    command->to_time_ms = random_optional_int64(state);
    command->reason = (enum fetch_reason)random_below(state, 3);
    command->attempt = random_int64(state);
    command->created_at_ms = random_int64(state);
}

static void fill_result(uint64_t *state, struct fetch_result *result)
{
    static const size_t counts[] = {0, 0, 1, 2, 7, FETCH_MISSING_MAX};

    fill_command(state, &result->command);
    result->status = (enum fetch_status)random_below(state, 4);
    result->records = random_int64(state);
    result->requests = random_int64(state);
    result->missing_count = counts[random_below(state, sizeof counts / sizeof counts[0])];
    if (result->missing_count > 0)
        result->missing = mem_calloc(result->missing_count, sizeof *result->missing);
    for (size_t i = 0; i < result->missing_count; i++)
        result->missing[i] =
            (struct fetch_range){.from = random_int64(state), .to = random_int64(state)};
    result->retriable = flip(state);
    RANDOM_TEXT(state, result->error);
    result->finished_at_ms = random_int64(state);
}

static void fill_position(uint64_t *state, struct trade_position *position)
{
    RANDOM_TEXT(state, position->inst_id);
    position->trade_id = random_optional_int64(state);
    position->event_time_ms = random_optional_int64(state);
    position->offset = random_optional_int64(state);
    position->updated_at_ms = random_int64(state);
}

void random_record_fill(enum record_kind kind, uint64_t *state, void *record)
{
    switch (kind) {
    case RECORD_TRADE:
        memset(record, 0, sizeof(struct trade));
        fill_trade(state, record);
        break;
    case RECORD_CANDLE:
        memset(record, 0, sizeof(struct candle));
        fill_candle(state, record);
        break;
    case RECORD_CURRENCY_CHAIN:
        memset(record, 0, sizeof(struct currency_chain));
        fill_currency_chain(state, record);
        break;
    case RECORD_FETCH_COMMAND:
        memset(record, 0, sizeof(struct fetch_command));
        fill_command(state, record);
        break;
    case RECORD_FETCH_RESULT:
        memset(record, 0, sizeof(struct fetch_result));
        fill_result(state, record);
        break;
    case RECORD_TRADE_POSITION:
        memset(record, 0, sizeof(struct trade_position));
        fill_position(state, record);
        break;
    case RECORD_KIND_COUNT:
        break;
    }
}
