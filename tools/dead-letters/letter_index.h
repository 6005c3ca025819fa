/* Which letters there are and which are dealt with. One thread. */
#ifndef DEAD_LETTERS_LETTER_INDEX_H
#define DEAD_LETTERS_LETTER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "letter.h"
#include "letter_topic.h"

struct letter_entry {
    struct letter_position position;
    enum letter_state state;
    int64_t attempts;
    bool is_chosen; /* it passed the filter */
};

/* In the order of the positions. */
struct letter_index {
    struct letter_entry *entries;
    size_t count;
    size_t capacity;
};

/* Reads the whole topic. Errors as letter_topic_scan. */
int letter_index_load(struct letter_index *index, struct letter_topic *topic,
                      const struct letter_filter *filter, struct err *err) MUST_CHECK;
/* Takes the next record: a letter is added, a mark settles one. Pure. */
void letter_index_add(struct letter_index *index, const struct letter *letter,
                      const struct letter_filter *filter);
/* NULL when no letter stands there. */
struct letter_entry *letter_index_find(const struct letter_index *index,
                                       struct letter_position position);
void letter_index_clear(struct letter_index *index);

#endif
