#include "hand_trade.h"

#include <string.h>

__extension__ typedef __int128 wide;

enum { SCALE = 18 };

/* The first character behind mark; *at moves there. NULL when the frame has no such mark. */
static const char *behind(const char **at, const char *end, const char *mark, size_t mark_length)
{
    const char *found = memmem(*at, (size_t)(end - *at), mark, mark_length);

    if (!found)
        return NULL;
    *at = found + mark_length;
    return *at;
}
#define BEHIND(at, end, mark) behind(at, end, mark, sizeof(mark) - 1)

static int64_t read_integer(const char *text)
{
    int64_t value = 0;

    while (*text >= '0' && *text <= '9')
        value = value * 10 + (*text++ - '0');
    return value;
}

bool hand_trade_read(const char *text, size_t length, struct hand_trade *trade)
{
    const char *at = text;
    const char *end = text + length;

    if (!BEHIND(&at, end, "\"data\":[") || !BEHIND(&at, end, "\"instId\":\""))
        return false;
    trade->inst_id = at;
    trade->inst_id_length = (size_t)((const char *)memchr(at, '"', (size_t)(end - at)) - at);
    trade->trade_id = read_integer(BEHIND(&at, end, "\"tradeId\":\""));
    trade->price = BEHIND(&at, end, "\"px\":\"");
    trade->size = BEHIND(&at, end, "\"sz\":\"");
    trade->is_sell = *BEHIND(&at, end, "\"side\":\"") == 's';
    trade->source = BEHIND(&at, end, "\"source\":\"");
    trade->time_ms = read_integer(BEHIND(&at, end, "\"ts\":\""));
    trade->sequence_id = BEHIND(&at, end, "\"seqId\":") ? read_integer(at) : 0;
    return true;
}

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

static uint8_t *put_decimal(uint8_t *at, const char *text)
{
    wide value = 0;
    int scale = -1;
    int bytes = 1;

    for (; *text != '"'; text++) {
        if (*text == '.') {
            scale = 0;
            continue;
        }
        value = value * 10 + (*text - '0');
        scale += scale >= 0;
    }
    for (scale = scale < 0 ? 0 : scale; scale < SCALE; scale++)
        value *= 10;
    while (bytes < 16 && value >> (8 * bytes - 1) != 0)
        bytes++;
    at = put_long(at, bytes);
    for (int i = bytes - 1; i >= 0; i--)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

size_t hand_trade_write(const struct hand_trade *trade, int64_t received_us,
                        uint8_t bytes[HAND_TRADE_BYTES_MAX])
{
    static const uint8_t prefix[] = {0, 0, 0, 0, 1};
    uint8_t *at = bytes + sizeof prefix;

    memcpy(bytes, prefix, sizeof prefix);
    at = put_text(at, trade->inst_id, trade->inst_id_length);
    at = put_long(at, trade->trade_id);
    at = put_decimal(at, trade->price);
    at = put_decimal(at, trade->size);
    at = trade->is_sell ? put_text(at, "sell", 4) : put_text(at, "buy", 3);
    at = put_long(at, trade->time_ms);
    *at++ = 0; /* count: null */
    *at++ = 2; /* source: string */
    at = put_text(at, trade->source, 1);
    *at++ = trade->sequence_id != 0 ? 2 : 0;
    if (trade->sequence_id != 0)
        at = put_long(at, trade->sequence_id);
    *at++ = 0; /* origin: STREAM */
    at = put_long(at, received_us);
    *at++ = 0; /* extra: empty */
    return (size_t)(at - bytes);
}
