/*
 * A record of dead-letters, as its headers describe it. Pure.
 *
 * The topic holds letters, and marks: records without a value that say what became of a letter
 * before them. docs/topics.md is the reference of both.
 */
#ifndef DEAD_LETTERS_LETTER_H
#define DEAD_LETTERS_LETTER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"
#include "domain/topics.h"

#define MARK_SETTLES "dead-letters.settles" /* PARTITION:OFFSET of the letter */
#define MARK_OUTCOME "dead-letters.outcome" /* letter_state_name */
#define MARK_TARGET  "dead-letters.target"  /* "trades 3:5678": where it was put */

struct letter_position {
    int32_t partition;
    int64_t offset;
};

enum { LETTER_POSITION_BYTES = 36 };

/* "0:17". Errors: ERR_CONFIG. */
int letter_position_parse(const char *text, struct letter_position *position,
                          struct err *err) MUST_CHECK;
void letter_position_format(struct letter_position position, char text[LETTER_POSITION_BYTES]);

enum letter_kind {
    LETTER_OF_RECORD, /* source_* says where the record stands, or stood */
    LETTER_OF_OKX,    /* a frame or a row of OKX's that never was a record */
    LETTER_UNKNOWN,   /* no header says where it came from */
    LETTER_MARK,
};

enum letter_state { LETTER_OPEN, LETTER_PUT_BACK, LETTER_DISMISSED };

/* "open", "put-back", "dismissed" */
const char *letter_state_name(enum letter_state state);

/* Texts are "" when their header is missing; too long ones are cut. */
struct letter {
    enum letter_kind kind;
    struct letter_position position;
    int64_t timestamp_ms; /* when it was put aside */
    char source_topic[TOPIC_NAME_BYTES];
    int32_t source_partition; /* -1: none */
    int64_t source_offset;    /* -1: none */
    char service[32];
    char stage[16];
    char reason[24];
    char message[256];
    char sqlstate[8];
    int64_t attempts;                         /* at least 1 */
    char retried_from[LETTER_POSITION_BYTES]; /* the letter that it was before; "" */
    int64_t truncated_from;                   /* bytes that the value had; -1: all are here */

    struct letter_position settles; /* of a mark */
    enum letter_state outcome;      /* of a mark */

    /* Borrowed from the message: */
    const void *key; /* NULL: none */
    size_t key_length;
    const void *value; /* NULL: a tombstone */
    size_t value_length;
    const rd_kafka_headers_t *headers; /* NULL: none */
};

void letter_read(const rd_kafka_message_t *message, struct letter *letter);

/* NULL or 0: any. */
struct letter_filter {
    const char *topic;
    const char *stage;
    const char *reason; /* by the name of the error, or the SQLSTATE */
    int64_t since_ms;
};

bool letter_matches(const struct letter *letter, const struct letter_filter *filter);

#endif
