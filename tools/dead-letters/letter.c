#include "letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/dead_letter.h"

int letter_position_parse(const char *text, struct letter_position *position, struct err *err)
{
    struct text_view rest = text_view_of(text);
    struct text_view partition = {0};
    struct err reason = {0};
    int64_t number = 0;
    int64_t offset = 0;

    if (!text_view_split(&rest, ':', &partition) ||
        text_view_read_int64(partition, &number, &reason) != 0 ||
        text_view_read_int64(rest, &offset, &reason) != 0 || number < 0 || number > INT32_MAX ||
        offset < 0)
        return err_set(err, ERR_CONFIG, "%.60s is no position of a letter, as 0:17 is", text);
    *position = (struct letter_position){(int32_t)number, offset};
    return 0;
}

void letter_position_format(struct letter_position position, char text[LETTER_POSITION_BYTES])
{
    snprintf(text, LETTER_POSITION_BYTES, "%" PRId32 ":%" PRId64, position.partition,
             position.offset);
}

static const char *const state_names[] = {
    [LETTER_OPEN] = "open",
    [LETTER_PUT_BACK] = "put-back",
    [LETTER_DISMISSED] = "dismissed",
};

const char *letter_state_name(enum letter_state state)
{
    return state_names[state];
}

/* The last header of that name; empty when there is none. */
static struct text_view find_header(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value = NULL;
    size_t length = 0;

    if (!headers ||
        rd_kafka_header_get_last(headers, name, &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return (struct text_view){0};
    return (struct text_view){value, value ? length : 0};
}

static void read_text(const rd_kafka_headers_t *headers, const char *name, char *text, size_t bytes)
{
    struct text_view value = find_header(headers, name);

    if (value.length > bytes - 1)
        value.length = bytes - 1;
    if (value.length > 0)
        memcpy(text, value.data, value.length);
    text[value.length] = '\0';
}

static int64_t read_number(const rd_kafka_headers_t *headers, const char *name, int64_t min,
                           int64_t max, int64_t fallback)
{
    struct err ignored = {0};
    int64_t number = 0;

    if (text_view_read_int64(find_header(headers, name), &number, &ignored) != 0 || number < min ||
        number > max)
        return fallback;
    return number;
}

/* False when the record is no mark. */
static bool read_mark(struct letter *letter)
{
    char text[LETTER_POSITION_BYTES];
    struct err ignored = {0};

    read_text(letter->headers, MARK_SETTLES, text, sizeof text);
    if (letter->value || letter_position_parse(text, &letter->settles, &ignored) != 0)
        return false;
    letter->outcome = text_view_equals(find_header(letter->headers, MARK_OUTCOME),
                                       letter_state_name(LETTER_DISMISSED))
                          ? LETTER_DISMISSED
                          : LETTER_PUT_BACK;
    return true;
}

static enum letter_kind judge_kind(struct letter *letter)
{
    if (letter->source_topic[0] == '\0')
        return read_mark(letter) ? LETTER_MARK : LETTER_UNKNOWN;
    if (strncmp(letter->source_topic, "okx:", 4) == 0)
        return LETTER_OF_OKX;
    return LETTER_OF_RECORD;
}

void letter_read(const rd_kafka_message_t *message, struct letter *letter)
{
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    rd_kafka_headers_t *headers = NULL;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    *letter = (struct letter){
        .position = {message->partition, message->offset},
        .timestamp_ms = rd_kafka_message_timestamp(message, &type),
        .source_partition = (int32_t)read_number(headers, DEAD_LETTER_PARTITION, 0, INT32_MAX, -1),
        .source_offset = read_number(headers, DEAD_LETTER_OFFSET, 0, INT64_MAX, -1),
        .attempts = read_number(headers, DEAD_LETTER_ATTEMPTS, 1, DEAD_LETTER_ATTEMPTS_MAX, 1),
        .truncated_from = read_number(headers, DEAD_LETTER_TRUNCATED_FROM, 0, INT64_MAX, -1),
        .key = message->key,
        .key_length = message->key_len,
        .value = message->payload,
        .value_length = message->len,
        .headers = headers,
    };
    read_text(headers, DEAD_LETTER_TOPIC, letter->source_topic, sizeof letter->source_topic);
    read_text(headers, DEAD_LETTER_SERVICE, letter->service, sizeof letter->service);
    read_text(headers, DEAD_LETTER_STAGE, letter->stage, sizeof letter->stage);
    read_text(headers, DEAD_LETTER_REASON, letter->reason, sizeof letter->reason);
    read_text(headers, DEAD_LETTER_MESSAGE, letter->message, sizeof letter->message);
    read_text(headers, DEAD_LETTER_SQLSTATE, letter->sqlstate, sizeof letter->sqlstate);
    read_text(headers, DEAD_LETTER_RETRIED_FROM, letter->retried_from, sizeof letter->retried_from);
    letter->kind = judge_kind(letter);
}

bool letter_matches(const struct letter *letter, const struct letter_filter *filter)
{
    if (letter->kind == LETTER_MARK || letter->timestamp_ms < filter->since_ms)
        return false;
    if (filter->topic && strcmp(letter->source_topic, filter->topic) != 0)
        return false;
    if (filter->stage && strcmp(letter->stage, filter->stage) != 0)
        return false;
    return !filter->reason || strcmp(letter->reason, filter->reason) == 0 ||
           strcmp(letter->sqlstate, filter->reason) == 0;
}
