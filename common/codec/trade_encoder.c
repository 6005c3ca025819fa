#include "codec/trade_encoder.h"

#include <assert.h>
#include <string.h>

#include "base/decimal.h"

enum { NULL_BRANCH = 0, VALUE_BRANCH = 2 /* 1 in zigzag */ };

/* Each returns the end of what it wrote at the address. */

static uint8_t *put_long(uint8_t *at, int64_t value)
{
    uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);

    while (zigzag > 0x7F) {
        *at++ = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    *at++ = (uint8_t)zigzag;
    return at;
}

static uint8_t *put_text(uint8_t *at, const char *text, size_t length)
{
    at = put_long(at, (int64_t)length);
    memcpy(at, text, length);
    return at + length;
}

static uint8_t *put_decimal(uint8_t *at, struct decimal value)
{
    size_t length = decimal_to_binary(value, at + 1); /* at most 16: its length takes one byte */

    *at = (uint8_t)(2 * length);
    return at + 1 + length;
}

static uint8_t *put_optional_long(uint8_t *at, struct optional_int64 number)
{
    *at++ = number.present ? VALUE_BRANCH : NULL_BRANCH;
    return number.present ? put_long(at, number.value) : at;
}

static uint8_t *put_optional_text(uint8_t *at, const char *text, size_t length)
{
    *at++ = length > 0 ? VALUE_BRANCH : NULL_BRANCH;
    return length > 0 ? put_text(at, text, length) : at;
}

size_t trade_encode(const struct trade *trade, uint8_t bytes[TRADE_AVRO_BYTES_MAX])
{
    uint8_t *at = bytes;

    assert(trade->extra.count == 0);
    assert(trade->side == TRADE_SIDE_BUY || trade->side == TRADE_SIDE_SELL);
    assert(trade->origin == ORIGIN_STREAM || trade->origin == ORIGIN_REST);
    at = put_text(at, trade->inst_id, strnlen(trade->inst_id, sizeof trade->inst_id));
    at = put_long(at, trade->trade_id);
    at = put_decimal(at, trade->price);
    at = put_decimal(at, trade->size);
    at = trade->side == TRADE_SIDE_BUY ? put_text(at, "buy", 3) : put_text(at, "sell", 4);
    at = put_long(at, trade->event_time_ms);
    at = put_optional_long(at, trade->count);
    at = put_optional_text(at, trade->source, strnlen(trade->source, sizeof trade->source));
    at = put_optional_long(at, trade->sequence_id);
    at = put_long(at, trade->origin);
    at = put_long(at, trade->received_at_us);
    at = put_long(at, 0); /* the end of extra */
    return (size_t)(at - bytes);
}
