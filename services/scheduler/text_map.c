#include "text_map.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS_MIN = 16 };

struct slot {
    const char *key; /* NULL: free */
    void *value;
    uint64_t hash;
};

/* Open addressing with linear probing, at most half full. */
struct text_map {
    struct slot *slots;
    size_t slot_count; /* a power of two */
    size_t count;
};

static uint64_t hash_text(const char *text) /* FNV-1a */
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

struct text_map *text_map_create(void)
{
    struct text_map *map = mem_calloc(1, sizeof *map);

    map->slot_count = SLOTS_MIN;
    map->slots = mem_calloc(map->slot_count, sizeof map->slots[0]);
    return map;
}

void text_map_destroy(struct text_map *map)
{
    if (!map)
        return;
    free(map->slots);
    free(map);
}

size_t text_map_count(const struct text_map *map)
{
    return map->count;
}

/* The slot of key, or the free one where it belongs. */
static struct slot *slot_of(const struct text_map *map, const char *key, uint64_t hash)
{
    size_t index = hash & (map->slot_count - 1);

    while (map->slots[index].key &&
           (map->slots[index].hash != hash || strcmp(map->slots[index].key, key) != 0))
        index = (index + 1) & (map->slot_count - 1);
    return &map->slots[index];
}

void *text_map_find(const struct text_map *map, const char *key)
{
    return slot_of(map, key, hash_text(key))->value;
}

static void grow(struct text_map *map)
{
    struct slot *old = map->slots;
    const size_t old_count = map->slot_count;

    map->slot_count *= 2;
    map->slots = mem_calloc(map->slot_count, sizeof map->slots[0]);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].key)
            *slot_of(map, old[i].key, old[i].hash) = old[i];
    }
    free(old);
}

void text_map_insert(struct text_map *map, const char *key, void *value)
{
    const uint64_t hash = hash_text(key);
    struct slot *slot = NULL;

    if (2 * (map->count + 1) > map->slot_count)
        grow(map);
    slot = slot_of(map, key, hash);
    assert(!slot->key);
    *slot = (struct slot){.key = key, .value = value, .hash = hash};
    map->count++;
}

void *text_map_remove(struct text_map *map, const char *key)
{
    const size_t mask = map->slot_count - 1;
    struct slot *slot = slot_of(map, key, hash_text(key));
    void *value = slot->value;
    size_t hole = (size_t)(slot - map->slots);

    if (!slot->key)
        return NULL;
    map->slots[hole] = (struct slot){0};
    map->count--;
    /* Moves back whatever would no longer be found past the hole. */
    for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
        const size_t home = map->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            map->slots[i] = (struct slot){0};
            hole = i;
        }
    }
    return value;
}

void *text_map_next(const struct text_map *map, size_t *cursor)
{
    while (*cursor < map->slot_count) {
        const struct slot *slot = &map->slots[(*cursor)++];

        if (slot->key)
            return slot->value;
    }
    return NULL;
}
