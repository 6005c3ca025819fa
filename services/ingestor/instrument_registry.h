/*
 * Which instruments this ingestor follows: those selected whose key hashes to a partition that it
 * owns, once the positions of that partition are read. Pure. Not thread-safe.
 */
#ifndef INGESTOR_INSTRUMENT_REGISTRY_H
#define INGESTOR_INSTRUMENT_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/trade_position.h"

struct instrument_registry;

struct instrument_registry *instrument_registry_create(int32_t partition_count) MUST_CHECK;
void instrument_registry_destroy(struct instrument_registry *registry);

/* Replaces the selection. Copies the ids. */
void instrument_registry_select(struct instrument_registry *registry,
                                const char (*inst_ids)[INST_ID_BYTES], size_t count);
/* The partition became ours; its instruments wait until it is ready. Its positions are forgotten,
 * since another owner may have moved them. */
void instrument_registry_gain(struct instrument_registry *registry, int32_t partition);
/* Its positions are read: its instruments can be followed. */
void instrument_registry_ready(struct instrument_registry *registry, int32_t partition);
void instrument_registry_lose(struct instrument_registry *registry, int32_t partition);
/* True while the partition is ours and its positions are still to be read. */
bool instrument_registry_is_waiting(const struct instrument_registry *registry, int32_t partition);
/* A record of the positions topic; the last one of an instrument counts. */
void instrument_registry_note(struct instrument_registry *registry,
                              const struct trade_position *position);

/* The lowest offset in the trades partition that a position of it names; absent: none does. */
struct optional_int64 instrument_registry_lowest_offset(const struct instrument_registry *registry,
                                                        int32_t partition);

/* position: NULL when the instrument never had one. Borrowed for the call. */
struct instrument_changes {
    void (*on_follow)(const char *inst_id, const struct trade_position *position, void *context);
    void (*on_leave)(const char *inst_id, void *context);
    void *context;
};
/* Reports what changed since the last call, and only that. */
void instrument_registry_apply(struct instrument_registry *registry,
                               const struct instrument_changes *changes);
size_t instrument_registry_followed(const struct instrument_registry *registry);

#endif
