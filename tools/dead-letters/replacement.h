/* The corrected value that goes back instead of a letter's own. */
#ifndef DEAD_LETTERS_REPLACEMENT_H
#define DEAD_LETTERS_REPLACEMENT_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "domain/topics.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"

enum { REPLACEMENT_BYTES_MAX = 16 << 20 };

/* Appends the whole file to out; "-" is standard input. Errors: ERR_CONFIG, ERR_LIMIT. */
int replacement_read_file(const char *path, struct buf *out, struct err *err) MUST_CHECK;
/* Appends the value of topic that json describes, by our schema, which is registered if need be.
 * Errors: ERR_CONFIG for JSON that is no such value; as schema_registry_register. */
int replacement_encode(struct text_view json, enum topic topic,
                       const struct kafka_settings *settings, struct schema_registry *registry,
                       struct buf *out, struct err *err) MUST_CHECK;

#endif
