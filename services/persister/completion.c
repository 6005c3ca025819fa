#include "completion.h"

#include "base/mem.h"

/* Records of a partition come in runs, so the search mostly ends where the last one did. */
static struct completed_partition *find_or_add(struct completion *completion,
                                               const struct persist_item *item)
{
    struct completed_partition *entry;

    for (size_t i = completion->count; i > 0; i--) {
        entry = &completion->partitions[i - 1];
        if (entry->source == item->source && entry->generation == item->generation)
            return entry;
    }
    entry = &completion->partitions[completion->count++];
    *entry = (struct completed_partition){.source = item->source, .generation = item->generation};
    return entry;
}

struct completion *completion_create(struct persist_item *const *items, size_t count)
{
    struct completion *completion =
        mem_alloc(sizeof *completion + count * sizeof completion->partitions[0]);

    completion->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct completed_partition *entry = find_or_add(completion, items[i]);

        entry->next_offset = items[i]->message->offset + 1;
        entry->records++;
    }
    return mem_realloc_array(
        completion, 1, sizeof *completion + completion->count * sizeof completion->partitions[0]);
}
