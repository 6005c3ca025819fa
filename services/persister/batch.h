/*
 * The records that one transaction writes: when there are enough of them, and in which order they
 * go to their tables. Pure; borrows the items it is given, in the order they came.
 */
#ifndef PERSISTER_BATCH_H
#define PERSISTER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "persist_item.h"

struct batch_limits {
    size_t rows_max;
    size_t bytes_max; /* of record values as they came */
    int64_t age_max_ms;
};

struct batch {
    struct batch_limits limits;
    struct persist_item **items; /* room for rows_max */
    size_t count;
    size_t bytes;
    int64_t first_ms; /* monotonic; when the first item was added */
};

void batch_init(struct batch *batch, const struct batch_limits *limits);
void batch_clear(struct batch *batch); /* frees the room, not the items */
/* The batch must not be full. */
void batch_add(struct batch *batch, struct persist_item *item, int64_t now_monotonic_ms);
void batch_reset(struct batch *batch); /* forgets the items */
bool batch_is_full(const struct batch *batch, int64_t now_monotonic_ms);

/*
 * The rows of one table among count items, in the order of their keys (writers that lock rows in
 * one order cannot deadlock). Of several states of a key only the newest; the earliest of equal
 * ones. Excluded items are left out. rows: room for count. Returns how many; *duplicates is how
 * many were left out for a newer state.
 */
size_t batch_rows(struct persist_item *const *items, size_t count, enum table table,
                  const struct persist_item **rows, size_t *duplicates);

#endif
