/* What a writer reports to the main thread: up to where its partitions are finished. Pure. */
#ifndef PERSISTER_COMPLETION_H
#define PERSISTER_COMPLETION_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "persist_item.h"

struct completed_partition {
    struct source_partition *source;
    uint64_t generation;
    int64_t
        next_offset; /* everything before it is finished: a partition has one writer, in order */
    int64_t records;
};

struct completion {
    size_t count;
    struct completed_partition partitions[]; /* one per partition and generation */
};

/* Of items that are all finished. Returns owned: free(). */
struct completion *completion_create(struct persist_item *const *items, size_t count) MUST_CHECK;

#endif
