/* Letters as text and JSON. Pure. What foreigners wrote never reaches a terminal as control
 * characters. */
#ifndef DEAD_LETTERS_LETTER_TEXT_H
#define DEAD_LETTERS_LETTER_TEXT_H

#include <stdbool.h>

#include "advice.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/writer_schema.h"
#include "letter.h"

/* The value as far as it could be read. */
struct letter_value {
    int32_t schema_id;  /* -1: the value does not name one */
    const char *schema; /* its name; NULL: unknown */
    struct buf json;    /* what could be decoded; empty: nothing */
    struct err fault;   /* why not more; ERR_NONE: all of it */
};

/* The line over the lines of a list. */
void letter_text_append_heading(struct buf *out);
void letter_text_append_line(struct buf *out, const struct letter *letter, enum letter_state state);
void letter_text_append_explanation(struct buf *out, const struct letter *letter,
                                    enum letter_state state, const struct letter_value *value,
                                    const struct advice *advice);

/* The same as JSON objects, without line feed. value and advice: NULL for a list. */
void letter_text_append_json(struct buf *out, const struct letter *letter, enum letter_state state,
                             const struct letter_value *value, const struct advice *advice);

#endif
