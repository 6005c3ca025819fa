#include "io/schema_cache.h"

#include <stdlib.h>

#include "base/mem.h"

struct entry {
    int32_t id;
    struct writer_schema *schema; /* NULL: cannot be had, for this reason */
    struct err reason;
};

struct schema_cache {
    struct schema_registry *registry;
    struct entry *entries;
    size_t count;
};

struct schema_cache *schema_cache_create(struct schema_registry *registry)
{
    struct schema_cache *cache = mem_calloc(1, sizeof *cache);

    cache->registry = registry;
    return cache;
}

void schema_cache_destroy(struct schema_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->count; i++)
        writer_schema_destroy(cache->entries[i].schema);
    free(cache->entries);
    free(cache);
}

static const struct entry *find(const struct schema_cache *cache, int32_t id)
{
    for (size_t i = 0; i < cache->count; i++)
        if (cache->entries[i].id == id)
            return &cache->entries[i];
    return NULL;
}

/* NULL when the registry could not be asked. */
static const struct entry *fetch(struct schema_cache *cache, int32_t id, struct err *err)
{
    struct text_view text = {0};
    struct entry entry = {.id = id};

    if (schema_registry_get(cache->registry, id, &text, &entry.reason) != 0) {
        if (entry.reason.code != ERR_NOT_FOUND && entry.reason.code != ERR_UNSUPPORTED) {
            *err = entry.reason;
            err->retriable = true;
            return NULL;
        }
    } else {
        entry.schema = writer_schema_parse(text, &entry.reason);
    }
    cache->entries = mem_realloc_array(cache->entries, cache->count + 1, sizeof entry);
    cache->entries[cache->count++] = entry;
    return &cache->entries[cache->count - 1];
}

const struct schema_node *schema_cache_get(struct schema_cache *cache, int32_t id, struct err *err)
{
    const struct entry *entry = find(cache, id);

    if (!entry)
        entry = fetch(cache, id, err);
    if (!entry)
        return NULL;
    if (!entry->schema) {
        *err = entry->reason;
        return NULL;
    }
    return writer_schema_root(entry->schema);
}
