#include "letter_index.h"

#include <stdlib.h>

#include "base/mem.h"

struct load {
    struct letter_index *index;
    const struct letter_filter *filter;
};

static int compare(const void *left, const void *right)
{
    const struct letter_position *a = left;
    const struct letter_position *b = &((const struct letter_entry *)right)->position;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

struct letter_entry *letter_index_find(const struct letter_index *index,
                                       struct letter_position position)
{
    if (index->count == 0)
        return NULL;
    return bsearch(&position, index->entries, index->count, sizeof *index->entries, compare);
}

void letter_index_add(struct letter_index *index, const struct letter *letter,
                      const struct letter_filter *filter)
{
    if (letter->kind == LETTER_MARK) {
        struct letter_entry *settled = letter_index_find(index, letter->settles);

        if (settled)
            settled->state = letter->outcome;
        return;
    }
    if (index->count == index->capacity) {
        index->capacity = index->capacity ? 2 * index->capacity : 256;
        index->entries = mem_realloc_array(index->entries, index->capacity, sizeof *index->entries);
    }
    index->entries[index->count++] = (struct letter_entry){
        .position = letter->position,
        .attempts = letter->attempts,
        .is_chosen = letter_matches(letter, filter),
    };
}

static int visit(const rd_kafka_message_t *message, void *context, struct err *err)
{
    struct load *load = context;
    struct letter letter;

    (void)err;
    letter_read(message, &letter);
    letter_index_add(load->index, &letter, load->filter);
    return 0;
}

int letter_index_load(struct letter_index *index, struct letter_topic *topic,
                      const struct letter_filter *filter, struct err *err)
{
    struct load load = {index, filter};

    return letter_topic_scan(topic, visit, &load, err);
}

void letter_index_clear(struct letter_index *index)
{
    free(index->entries);
    *index = (struct letter_index){0};
}
