/*
 * A hash map from text to pointers. The keys are borrowed: they live inside the values. Pure; one
 * owner.
 */
#ifndef SCHEDULER_TEXT_MAP_H
#define SCHEDULER_TEXT_MAP_H

#include <stddef.h>

#include "base/attributes.h"

struct text_map;

struct text_map *text_map_create(void) MUST_CHECK;
/* The values are the caller's. Accepts NULL. */
void text_map_destroy(struct text_map *map);
size_t text_map_count(const struct text_map *map);
/* NULL when absent. */
void *text_map_find(const struct text_map *map, const char *key);
/* key must not be there yet, and must live and stay unchanged until it is removed. */
void text_map_insert(struct text_map *map, const char *key, void *value);
/* Returns the value that was removed, or NULL. */
void *text_map_remove(struct text_map *map, const char *key);
/* Every value once, in no order: start with *cursor 0, ends with NULL. The map must not change
 * meanwhile. */
void *text_map_next(const struct text_map *map, size_t *cursor);

#endif
