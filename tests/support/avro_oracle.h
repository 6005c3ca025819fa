/* The judge of our encoder: the same records through avro-c's generic values, field by field and by
 * name, sharing no code with common/codec. */
#ifndef SUPPORT_AVRO_ORACLE_H
#define SUPPORT_AVRO_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "codec/schema_text.h"

/* Returns the length, or 0 when avro-c refused (it then says why on stderr). */
size_t avro_oracle_encode(enum record_kind kind, const void *record, uint8_t *bytes,
                          size_t capacity);

#endif
