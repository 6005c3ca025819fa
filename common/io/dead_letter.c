#include "io/dead_letter.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text_view.h"

/* Always the same, so that nobody reads them. */
#define TASK_ID    DEAD_LETTER_HEADERS "task.id"
#define CLASS_NAME DEAD_LETTER_HEADERS "class.name"

enum { NUMBER_BYTES = 24, CLASS_BYTES = 64 };

static void add_text(rd_kafka_headers_t *headers, const char *name, const char *text)
{
    if (text)
        rd_kafka_header_add(headers, name, -1, text, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[NUMBER_BYTES];

    if (number < 0)
        return;
    snprintf(text, sizeof text, "%lld", (long long)number);
    add_text(headers, name, text);
}

/* How often the record was a letter before: 0 unless it was put back from dead-letters. */
static int64_t read_attempts(const rd_kafka_headers_t *headers)
{
    const void *value = NULL;
    size_t length = 0;
    int64_t attempts = 0;
    struct err ignored = {0};

    if (!headers || rd_kafka_header_get_last(headers, DEAD_LETTER_ATTEMPTS, &value, &length) !=
                        RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (!value || text_view_read_int64((struct text_view){value, length}, &attempts, &ignored) != 0)
        return 0;
    if (attempts < 0)
        return 0;
    return attempts < DEAD_LETTER_ATTEMPTS_MAX ? attempts : DEAD_LETTER_ATTEMPTS_MAX - 1;
}

static size_t header_bytes(const rd_kafka_headers_t *headers)
{
    const char *name = NULL;
    const void *value = NULL;
    size_t length = 0;
    size_t sum = 0;

    for (size_t i = 0; headers && rd_kafka_header_get_all(headers, i, &name, &value, &length) ==
                                      RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        sum += strlen(name) + length;
    return sum;
}

static bool is_too_large(const struct dead_letter *letter)
{
    return letter->key_length + letter->value_length + header_bytes(letter->headers) >
           DEAD_LETTER_BYTES_MAX;
}

/* What of it a broker takes: a head of value and key, and the headers unless they are the large
 * ones. */
static struct dead_letter truncate_letter(const struct dead_letter *letter)
{
    struct dead_letter head = *letter;

    if (head.value_length > DEAD_LETTER_HEAD_BYTES)
        head.value_length = DEAD_LETTER_HEAD_BYTES;
    if (head.key_length > DEAD_LETTER_HEAD_BYTES)
        head.key_length = DEAD_LETTER_HEAD_BYTES;
    if (header_bytes(head.headers) > DEAD_LETTER_HEAD_BYTES)
        head.headers = NULL;
    return head;
}

/* Returns owned. Connect's headers of an earlier trip through dead-letters are replaced. */
static rd_kafka_headers_t *new_headers(const struct dead_letter *letter)
{
    rd_kafka_headers_t *headers =
        letter->headers ? rd_kafka_headers_copy(letter->headers) : rd_kafka_headers_new(12);
    static const char *const names[] = {
        DEAD_LETTER_TOPIC,
        DEAD_LETTER_PARTITION,
        DEAD_LETTER_OFFSET,
        DEAD_LETTER_SERVICE,
        TASK_ID,
        DEAD_LETTER_STAGE,
        CLASS_NAME,
        DEAD_LETTER_REASON,
        DEAD_LETTER_SQLSTATE,
        DEAD_LETTER_MESSAGE,
        DEAD_LETTER_ATTEMPTS,
        DEAD_LETTER_TRUNCATED_FROM,
    };
    int64_t attempts = read_attempts(letter->headers) + 1;
    char reason[CLASS_BYTES];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        rd_kafka_header_remove(headers, names[i]);
    snprintf(reason, sizeof reason, "%s", err_code_name(letter->reason));
    add_text(headers, DEAD_LETTER_TOPIC, letter->source_topic);
    add_number(headers, DEAD_LETTER_PARTITION, letter->source_partition);
    add_number(headers, DEAD_LETTER_OFFSET, letter->source_offset);
    add_text(headers, DEAD_LETTER_SERVICE, letter->service);
    add_number(headers, TASK_ID, 0);
    add_text(headers, DEAD_LETTER_STAGE, letter->stage);
    add_text(headers, CLASS_NAME, letter->service);
    add_text(headers, DEAD_LETTER_REASON, reason);
    add_text(headers, DEAD_LETTER_MESSAGE, letter->message);
    add_text(headers, DEAD_LETTER_SQLSTATE, letter->sqlstate);
    add_number(headers, DEAD_LETTER_ATTEMPTS, attempts);
    return headers;
}

int dead_letter_send(struct kafka_producer *producer, const struct topic_names *topics,
                     const struct dead_letter *letter, kafka_delivery_fn *on_delivery,
                     void *context, struct err *err)
{
    bool is_truncated = is_too_large(letter);
    struct dead_letter sent = is_truncated ? truncate_letter(letter) : *letter;
    const struct kafka_record record = {
        .topic = topic_name(topics, TOPIC_DEAD_LETTERS),
        .key = sent.key,
        .key_length = sent.key_length,
        .value = sent.value,
        .value_length = sent.value_length,
        .partition = RD_KAFKA_PARTITION_UA,
        .headers = new_headers(&sent),
    };

    if (is_truncated)
        add_number(record.headers, DEAD_LETTER_TRUNCATED_FROM, (int64_t)letter->value_length);
    if (kafka_producer_send(producer, &record, on_delivery, context, err) == 0)
        return 0;
    rd_kafka_headers_destroy(record.headers);
    return err_wrap(err, "dead letter");
}
