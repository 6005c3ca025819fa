#include "okx_letter.h"

#include <stdio.h>
#include <string.h>

#include "io/dead_letter.h"

enum { SOURCE_BYTES = 64 };

int okx_letter_send(struct kafka_producer *producer, const struct topic_names *topics,
                    const struct okx_letter *letter, kafka_delivery_fn *on_delivery, void *context,
                    struct err *err)
{
    char source[SOURCE_BYTES];
    const struct dead_letter made = {
        .service = "ingestor",
        .source_topic = source,
        .source_partition = -1,
        .source_offset = -1,
        .stage = "parse",
        .reason = letter->reason->code,
        .message = letter->reason->message,
        .key = letter->key[0] != '\0' ? letter->key : NULL,
        .key_length = strlen(letter->key),
        .value = letter->text,
        .value_length = letter->length,
    };

    snprintf(source, sizeof source, "okx:%s", letter->origin);
    return dead_letter_send(producer, topics, &made, on_delivery, context, err);
}
