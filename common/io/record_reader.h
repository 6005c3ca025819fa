/*
 * Decodes the value of a Kafka record with its writer's schema, which is fetched from the registry
 * once per id. Not thread-safe: one per thread; the registry behind may be shared.
 */
#ifndef IO_RECORD_READER_H
#define IO_RECORD_READER_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "codec/schema_text.h"
#include "io/schema_registry.h"

struct record_reader;

struct record_reader *record_reader_create(struct schema_registry *registry) MUST_CHECK;
void record_reader_destroy(struct record_reader *reader);

/*
 * record: the domain struct of kind; release with avro_record_clear. Errors: retriable when the
 * registry could not be asked (keep the record and try again); else the record's own fault
 * (ERR_PROTOCOL, ERR_NOT_FOUND for an unknown schema id, ERR_UNSUPPORTED, ERR_OUT_OF_RANGE).
 */
int record_reader_read(struct record_reader *reader, enum record_kind kind, const void *value,
                       size_t length, void *record, struct err *err) MUST_CHECK;
/* True when the value's schema has been read before, so that reading it asks nobody. */
bool record_reader_knows(const struct record_reader *reader, enum record_kind kind,
                         const void *value, size_t length);

#endif
