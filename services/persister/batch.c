#include "batch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "table_store.h"

void batch_init(struct batch *batch, const struct batch_limits *limits)
{
    *batch = (struct batch){
        .limits = *limits,
        .items = mem_calloc(limits->rows_max, sizeof(struct persist_item *)),
    };
}

void batch_clear(struct batch *batch)
{
    free(batch->items);
    *batch = (struct batch){0};
}

void batch_add(struct batch *batch, struct persist_item *item, int64_t now_monotonic_ms)
{
    assert(batch->count < batch->limits.rows_max);
    if (batch->count == 0)
        batch->first_ms = now_monotonic_ms;
    item->sequence = batch->count;
    batch->items[batch->count++] = item;
    batch->bytes += item->message->len;
}

void batch_reset(struct batch *batch)
{
    batch->count = 0;
    batch->bytes = 0;
}

bool batch_is_full(const struct batch *batch, int64_t now_monotonic_ms)
{
    if (batch->count == 0)
        return false;
    return batch->count >= batch->limits.rows_max || batch->bytes >= batch->limits.bytes_max ||
           now_monotonic_ms - batch->first_ms >= batch->limits.age_max_ms;
}

/* By key, then the newest state first, then in the order of arrival, which the sort must keep. */
static int compare_rows(const void *left, const void *right, void *context)
{
    const struct persist_item *a = *(const struct persist_item *const *)left;
    const struct persist_item *b = *(const struct persist_item *const *)right;
    const struct table_store *store = context;
    int order = store->compare_keys(a->record, b->record);

    if (order == 0)
        order = store->compare_states(b->record, a->record);
    if (order == 0)
        order = (a->sequence > b->sequence) - (a->sequence < b->sequence);
    return order;
}

size_t batch_rows(struct persist_item *const *items, size_t count, enum table table,
                  const struct persist_item **rows, size_t *duplicates)
{
    const struct table_store *store = table_store_of(table);
    size_t found = 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i]->table == table && !items[i]->is_excluded)
            rows[found++] = items[i];
    }
    qsort_r(rows, found, sizeof *rows, compare_rows, (void *)(uintptr_t)store);
    for (size_t i = 0; i < found; i++) {
        if (kept == 0 || store->compare_keys(rows[kept - 1]->record, rows[i]->record) != 0)
            rows[kept++] = rows[i];
    }
    *duplicates = found - kept;
    return kept;
}
