/* The partitions that records came from. They are never forgotten, since writers point to them.
 * Main thread only. */
#ifndef PERSISTER_SOURCE_TABLE_H
#define PERSISTER_SOURCE_TABLE_H

#include <stddef.h>

#include "domain/topics.h"
#include "persist_item.h"

struct source_table {
    const struct topic_names *topics; /* borrowed */
    size_t writer_count;
    struct source_partition **partitions[TOPIC_COUNT]; /* by partition number; NULL: not seen yet */
    size_t capacity[TOPIC_COUNT];
};

void source_table_init(struct source_table *table, const struct topic_names *topics,
                       size_t writer_count);
void source_table_clear(struct source_table *table);

/* The partition, made when it is seen for the first time; NULL for a topic that is none of ours. */
struct source_partition *source_table_get(struct source_table *table, const char *topic_name,
                                          int32_t partition);
/* Calls visit with every partition seen so far. */
void source_table_visit(struct source_table *table,
                        void (*visit)(struct source_partition *source, void *context),
                        void *context);

#endif
