/* Domain records with random but valid content, the same for the same seed. */
#ifndef SUPPORT_RANDOM_RECORD_H
#define SUPPORT_RANDOM_RECORD_H

#include <stdint.h>

#include "codec/schema_text.h"

uint64_t random_next(uint64_t *state);
/* Below limit, which is at least 1. */
uint64_t random_below(uint64_t *state, uint64_t limit);
/* record is avro_record_bytes(kind) large; release with avro_record_clear. */
void random_record_fill(enum record_kind kind, uint64_t *state, void *record);

#endif
