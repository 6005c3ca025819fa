#include "instrument_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/kafka_producer.h"

enum ownership { OWNERSHIP_NONE, OWNERSHIP_WAITING, OWNERSHIP_READY };

struct registered {
    char inst_id[INST_ID_BYTES];
    int32_t partition;
    bool is_selected;
    bool is_followed;
    bool has_position;
    struct trade_position position;
};

struct instrument_registry {
    struct registered *items; /* ascending by inst_id; an instrument once known stays */
    size_t count;
    size_t capacity;
    enum ownership *ownership; /* by partition */
    int32_t partition_count;
};

struct instrument_registry *instrument_registry_create(int32_t partition_count)
{
    struct instrument_registry *registry = mem_calloc(1, sizeof *registry);

    registry->ownership = mem_calloc((size_t)partition_count, sizeof *registry->ownership);
    registry->partition_count = partition_count;
    return registry;
}

void instrument_registry_destroy(struct instrument_registry *registry)
{
    if (!registry)
        return;
    free(registry->items);
    free(registry->ownership);
    free(registry);
}

/* The index of the instrument, or of where it belongs. */
static size_t search(const struct instrument_registry *registry, const char *inst_id)
{
    size_t low = 0;
    size_t high = registry->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(registry->items[middle].inst_id, inst_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct registered *find_or_add(struct instrument_registry *registry, const char *inst_id)
{
    size_t index = search(registry, inst_id);

    if (index < registry->count && strcmp(registry->items[index].inst_id, inst_id) == 0)
        return &registry->items[index];
    if (registry->count == registry->capacity) {
        registry->capacity = registry->capacity ? 2 * registry->capacity : 16;
        registry->items =
            mem_realloc_array(registry->items, registry->capacity, sizeof *registry->items);
    }
    struct registered *item = &registry->items[index];
    memmove(item + 1, item, (registry->count - index) * sizeof *item);
    registry->count++;
    *item = (struct registered){
        .partition = kafka_partition_for_key(inst_id, strlen(inst_id), registry->partition_count),
    };
    snprintf(item->inst_id, sizeof item->inst_id, "%s", inst_id);
    return item;
}

void instrument_registry_select(struct instrument_registry *registry,
                                const char (*inst_ids)[INST_ID_BYTES], size_t count)
{
    for (size_t i = 0; i < registry->count; i++)
        registry->items[i].is_selected = false;
    for (size_t i = 0; i < count; i++)
        find_or_add(registry, inst_ids[i])->is_selected = true;
}

void instrument_registry_gain(struct instrument_registry *registry, int32_t partition)
{
    registry->ownership[partition] = OWNERSHIP_WAITING;
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->items[i].partition == partition)
            registry->items[i].has_position = false;
    }
}

void instrument_registry_ready(struct instrument_registry *registry, int32_t partition)
{
    registry->ownership[partition] = OWNERSHIP_READY;
}

void instrument_registry_lose(struct instrument_registry *registry, int32_t partition)
{
    registry->ownership[partition] = OWNERSHIP_NONE;
}

bool instrument_registry_is_waiting(const struct instrument_registry *registry, int32_t partition)
{
    return registry->ownership[partition] == OWNERSHIP_WAITING;
}

void instrument_registry_note(struct instrument_registry *registry,
                              const struct trade_position *position)
{
    struct registered *item = find_or_add(registry, position->inst_id);

    item->position = *position;
    item->has_position = true;
}

struct optional_int64 instrument_registry_lowest_offset(const struct instrument_registry *registry,
                                                        int32_t partition)
{
    struct optional_int64 lowest = {0};

    for (size_t i = 0; i < registry->count; i++) {
        const struct registered *item = &registry->items[i];

        if (item->partition == partition && item->has_position && item->position.offset.present &&
            (!lowest.present || item->position.offset.value < lowest.value))
            lowest = item->position.offset;
    }
    return lowest;
}

void instrument_registry_apply(struct instrument_registry *registry,
                               const struct instrument_changes *changes)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct registered *item = &registry->items[i];
        bool should_follow =
            item->is_selected && registry->ownership[item->partition] == OWNERSHIP_READY;

        if (should_follow == item->is_followed)
            continue;
        item->is_followed = should_follow;
        if (should_follow)
            changes->on_follow(item->inst_id, item->has_position ? &item->position : NULL,
                               changes->context);
        else
            changes->on_leave(item->inst_id, changes->context);
    }
}

size_t instrument_registry_followed(const struct instrument_registry *registry)
{
    size_t count = 0;

    for (size_t i = 0; i < registry->count; i++)
        count += registry->items[i].is_followed;
    return count;
}
