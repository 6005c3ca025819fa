#include "frame_letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "domain/trade.h"
#include "okx_letter.h"

enum { CHANNEL_BYTES = 64 };

/* A letter that Kafka had no room for. */
struct kept_letter {
    struct kept_letter *next;
    char channel[CHANNEL_BYTES];
    char inst_id[INST_ID_BYTES];
    struct err reason;
    size_t length;
    char text[]; /* length bytes */
};

struct frame_letters {
    struct kafka_producer *producer;
    const struct topic_names *topics;
    struct kept_letter *first, *last;
};

struct frame_letters *frame_letters_create(struct kafka_producer *producer,
                                           const struct topic_names *topics)
{
    struct frame_letters *letters = mem_calloc(1, sizeof *letters);

    letters->producer = producer;
    letters->topics = topics;
    return letters;
}

static void drop_first(struct frame_letters *letters)
{
    struct kept_letter *first = letters->first;

    letters->first = first->next;
    if (!letters->first)
        letters->last = NULL;
    free(first);
}

void frame_letters_destroy(struct frame_letters *letters)
{
    int64_t lost = 0;

    if (!letters)
        return;
    for (; letters->first; lost++)
        drop_first(letters);
    if (lost > 0)
        log_warn("frames of OKX did not reach dead-letters before the end", LOG_INT("count", lost));
    free(letters);
}

static void on_delivery(const struct kafka_delivery *delivery, void *context)
{
    (void)context;
    if (delivery->error != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_error("a frame of OKX did not reach dead-letters",
                  LOG_STR("reason", rd_kafka_err2str(delivery->error)));
}

/* False when Kafka has no room for it now. What it never takes is given up, and logged. */
static bool try_send(struct frame_letters *letters, const struct okx_letter *letter)
{
    struct err err = {0};

    if (okx_letter_send(letters->producer, letters->topics, letter, on_delivery, NULL, &err) == 0)
        return true;
    if (!err.retriable)
        log_error("a frame of OKX cannot be sent to dead-letters", LOG_STR("reason", err.message));
    return !err.retriable;
}

static bool try_send_first(struct frame_letters *letters)
{
    const struct kept_letter *kept = letters->first;
    const struct okx_letter letter = {
        .origin = kept->channel,
        .key = kept->inst_id,
        .text = kept->text,
        .length = kept->length,
        .reason = &kept->reason,
    };

    return try_send(letters, &letter);
}

void frame_letters_send(struct frame_letters *letters, const char *channel, const char *inst_id,
                        const char *text, size_t length, const struct err *reason)
{
    const struct okx_letter letter = {channel, inst_id, text, length, reason};
    struct kept_letter *kept = NULL;

    if (!letters->first && try_send(letters, &letter))
        return;
    kept = mem_calloc(1, sizeof *kept + length);
    snprintf(kept->channel, sizeof kept->channel, "%s", channel);
    snprintf(kept->inst_id, sizeof kept->inst_id, "%s", inst_id);
    kept->reason = *reason;
    kept->length = length;
    memcpy(kept->text, text, length);
    if (letters->last)
        letters->last->next = kept;
    else
        letters->first = kept;
    letters->last = kept;
}

bool frame_letters_drain(struct frame_letters *letters)
{
    while (letters->first && try_send_first(letters))
        drop_first(letters);
    return letters->first == NULL;
}

bool frame_letters_is_blocked(const struct frame_letters *letters)
{
    return letters->first != NULL;
}
