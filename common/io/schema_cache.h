/* The parsed schemas that the records of a topic were written with. Not thread-safe. */
#ifndef IO_SCHEMA_CACHE_H
#define IO_SCHEMA_CACHE_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "codec/writer_schema.h"
#include "io/schema_registry.h"

struct schema_cache;

/* Borrows the registry for its lifetime. */
struct schema_cache *schema_cache_create(struct schema_registry *registry) MUST_CHECK;
void schema_cache_destroy(struct schema_cache *cache);

/* The schema of an id, borrowed until the cache is destroyed. Errors: retriable when the registry
 * could not be asked; else the schema is unknown or unreadable, which is remembered. */
const struct schema_node *schema_cache_get(struct schema_cache *cache, int32_t id,
                                           struct err *err) MUST_CHECK;

#endif
