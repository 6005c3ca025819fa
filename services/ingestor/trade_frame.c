#include "trade_frame.h"

#include <string.h>

#include "base/decimal.h"
#include "base/text_view.h"
#include "okx_message.h"

enum { SAFE_DIGITS = 18 }; /* any so many fit an int64_t */

struct reader {
    const char *at, *end;
};

/* The members of a row that were seen; a second one of a name is okx_message's to judge. */
enum member {
    MEMBER_INST_ID = 1 << 0,
    MEMBER_TRADE_ID = 1 << 1,
    MEMBER_PRICE = 1 << 2,
    MEMBER_SIZE = 1 << 3,
    MEMBER_SIDE = 1 << 4,
    MEMBER_TIME = 1 << 5,
    MEMBER_COUNT = 1 << 6,
    MEMBER_SOURCE = 1 << 7,
    MEMBER_SEQUENCE_ID = 1 << 8,
};
static const unsigned required_members =
    MEMBER_INST_ID | MEMBER_TRADE_ID | MEMBER_PRICE | MEMBER_SIZE | MEMBER_SIDE | MEMBER_TIME;

/* Inline: with a literal, the comparison is two or three instructions. */
static inline bool take_bytes(struct reader *reader, const char *bytes, size_t length)
{
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, bytes, length) != 0)
        return false;
    reader->at += length;
    return true;
}
#define TAKE(reader, literal) take_bytes(reader, literal, sizeof(literal) - 1)

static inline bool take_char(struct reader *reader, char wanted)
{
    if (reader->at == reader->end || *reader->at != wanted)
        return false;
    reader->at++;
    return true;
}

/* What stands before the next quote, and the quote. It may hold anything else: an escape, say. */
static bool take_quoted(struct reader *reader, struct text_view *text)
{
    const char *quote = memchr(reader->at, '"', (size_t)(reader->end - reader->at));

    if (!quote)
        return false;
    *text = (struct text_view){reader->at, (size_t)(quote - reader->at)};
    reader->at = quote + 1;
    return true;
}

/* Letters, digits and marks that stand for themselves in JSON and in UTF-8. */
static bool is_plain(struct text_view text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7E || text.data[i] == '\\')
            return false;
    }
    return true;
}

static bool digits_to_int64(struct text_view digits, int64_t *value)
{
    int64_t sum = 0;

    if (digits.length == 0 || digits.length > SAFE_DIGITS)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned char)digits.data[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

/* A JSON integer: its digits up to what ends them, no zero in front. */
static bool take_bare_digits(struct reader *reader, struct text_view *digits)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    *digits = (struct text_view){start, (size_t)(reader->at - start)};
    return digits->length > 0 && (digits->length == 1 || *start != '0');
}

/* Digits in quotes or as a JSON integer; OKX sends both. */
static bool take_int64(struct reader *reader, int64_t *value)
{
    struct text_view digits;

    if (take_char(reader, '"') ? !take_quoted(reader, &digits) : !take_bare_digits(reader, &digits))
        return false;
    return digits_to_int64(digits, value);
}

static bool take_optional_int64(struct reader *reader, struct optional_int64 *number)
{
    number->present = true;
    return take_int64(reader, &number->value);
}

static bool take_decimal(struct reader *reader, struct decimal *value)
{
    struct text_view text;
    struct err ignored;

    return take_char(reader, '"') && take_quoted(reader, &text) &&
           decimal_parse(text, value, &ignored) == 0;
}

static bool take_side(struct reader *reader, enum trade_side *side)
{
    if (TAKE(reader, "\"buy\""))
        *side = TRADE_SIDE_BUY;
    else if (TAKE(reader, "\"sell\""))
        *side = TRADE_SIDE_SELL;
    else
        return false;
    return true;
}

static bool take_text(struct reader *reader, char *text, size_t text_bytes)
{
    struct text_view value;

    if (!take_char(reader, '"') || !take_quoted(reader, &value) || value.length >= text_bytes ||
        !is_plain(value))
        return false;
    memcpy(text, value.data, value.length);
    text[value.length] = '\0';
    return true;
}

/* The name and the colon behind it, told by the first letter; 0 when it is none of ours. */
static unsigned take_name(struct reader *reader)
{
    switch (reader->end - reader->at > 1 ? reader->at[1] : '\0') {
    case 'i':
        return TAKE(reader, "\"instId\":") ? MEMBER_INST_ID : 0;
    case 't':
        return TAKE(reader, "\"tradeId\":") ? MEMBER_TRADE_ID
               : TAKE(reader, "\"ts\":")    ? MEMBER_TIME
                                            : 0;
    case 'p':
        return TAKE(reader, "\"px\":") ? MEMBER_PRICE : 0;
    case 's':
        return TAKE(reader, "\"sz\":")       ? MEMBER_SIZE
               : TAKE(reader, "\"side\":")   ? MEMBER_SIDE
               : TAKE(reader, "\"source\":") ? MEMBER_SOURCE
               : TAKE(reader, "\"seqId\":")  ? MEMBER_SEQUENCE_ID
                                             : 0;
    case 'c':
        return TAKE(reader, "\"count\":") ? MEMBER_COUNT : 0;
    default:
        return 0;
    }
}

/* One case per member. */
static bool take_value(struct reader *reader, unsigned member, struct trade *trade)
{
    switch (member) {
    case MEMBER_INST_ID:
        return take_text(reader, trade->inst_id, sizeof trade->inst_id);
    case MEMBER_TRADE_ID:
        return take_int64(reader, &trade->trade_id);
    case MEMBER_PRICE:
        return take_decimal(reader, &trade->price);
    case MEMBER_SIZE:
        return take_decimal(reader, &trade->size);
    case MEMBER_SIDE:
        return take_side(reader, &trade->side);
    case MEMBER_TIME:
        return take_int64(reader, &trade->event_time_ms);
    case MEMBER_COUNT:
        return take_optional_int64(reader, &trade->count);
    case MEMBER_SOURCE:
        return take_text(reader, trade->source, sizeof trade->source);
    case MEMBER_SEQUENCE_ID:
        return take_optional_int64(reader, &trade->sequence_id);
    default:
        return false;
    }
}

static bool take_row(struct reader *reader, struct trade *trade)
{
    unsigned seen = 0;

    if (!take_char(reader, '{'))
        return false;
    do {
        unsigned member = take_name(reader);

        if (member & seen || !take_value(reader, member, trade))
            return false;
        seen |= member;
    } while (take_char(reader, ','));
    return take_char(reader, '}') && (seen & required_members) == required_members;
}

/* The "arg" of the frame, up to the row; inst_id points into the frame. */
static bool take_head(struct reader *reader, const char *channel, struct text_view *inst_id)
{
    return TAKE(reader, "{\"arg\":{\"channel\":\"") &&
           take_bytes(reader, channel, strlen(channel)) && TAKE(reader, "\",\"instId\":\"") &&
           take_quoted(reader, inst_id) && TAKE(reader, "},\"data\":[");
}

static bool is_sound(const struct trade *trade)
{
    return trade->inst_id[0] != '\0' && trade->event_time_ms <= OKX_TIME_MS_MAX &&
           (!trade->count.present ||
            (trade->count.value >= 1 && trade->count.value <= trade->trade_id + 1));
}

bool trade_frame_read(const char *text, size_t length, const char *channel, struct trade *trade)
{
    struct reader reader = {text, text + length};
    struct trade read = {0};
    struct text_view inst_id;

    if (!take_head(&reader, channel, &inst_id) || !take_row(&reader, &read) ||
        !TAKE(&reader, "]}") || reader.at != reader.end || !is_sound(&read) ||
        !text_view_equals(inst_id, read.inst_id))
        return false;
    *trade = read;
    return true;
}
