#include "io/dead_letter.h"

#include <stdio.h>
#include <string.h>

#define HEADER_PREFIX "__connect.errors."

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

/* Returns owned. Connect's headers of an earlier trip through dead-letters are replaced. */
static rd_kafka_headers_t *new_headers(const struct dead_letter *letter)
{
    rd_kafka_headers_t *headers =
        letter->headers ? rd_kafka_headers_copy(letter->headers) : rd_kafka_headers_new(10);
    static const char *const names[] = {
        HEADER_PREFIX "topic",      HEADER_PREFIX "partition",
        HEADER_PREFIX "offset",     HEADER_PREFIX "connector.name",
        HEADER_PREFIX "task.id",    HEADER_PREFIX "stage",
        HEADER_PREFIX "class.name", HEADER_PREFIX "exception.class.name",
        HEADER_PREFIX "sqlstate",   HEADER_PREFIX "exception.message",
    };
    char reason[CLASS_BYTES];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        rd_kafka_header_remove(headers, names[i]);
    snprintf(reason, sizeof reason, "%s", err_code_name(letter->reason));
    add_text(headers, HEADER_PREFIX "topic", letter->source_topic);
    add_number(headers, HEADER_PREFIX "partition", letter->source_partition);
    add_number(headers, HEADER_PREFIX "offset", letter->source_offset);
    add_text(headers, HEADER_PREFIX "connector.name", letter->service);
    add_number(headers, HEADER_PREFIX "task.id", 0);
    add_text(headers, HEADER_PREFIX "stage", letter->stage);
    add_text(headers, HEADER_PREFIX "class.name", letter->service);
    add_text(headers, HEADER_PREFIX "exception.class.name", reason);
    add_text(headers, HEADER_PREFIX "exception.message", letter->message);
    add_text(headers, HEADER_PREFIX "sqlstate", letter->sqlstate);
    return headers;
}

int dead_letter_send(struct kafka_producer *producer, const struct topic_names *topics,
                     const struct dead_letter *letter, kafka_delivery_fn *on_delivery,
                     void *context, struct err *err)
{
    const struct kafka_record record = {
        .topic = topic_name(topics, TOPIC_DEAD_LETTERS),
        .key = letter->key,
        .key_length = letter->key_length,
        .value = letter->value,
        .value_length = letter->value_length,
        .partition = RD_KAFKA_PARTITION_UA,
        .headers = new_headers(letter),
    };

    if (kafka_producer_send(producer, &record, on_delivery, context, err) == 0)
        return 0;
    rd_kafka_headers_destroy(record.headers);
    return err_wrap(err, "dead letter");
}
