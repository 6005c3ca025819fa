/* The property that ties the readers together: a record that one of them accepted reaches the
 * consumers of its topic unchanged. */
#ifndef FUZZ_RECORD_CHECK_H
#define FUZZ_RECORD_CHECK_H

#include "base/buf.h"
#include "codec/schema_text.h"

/* Encodes the record, decodes it under our own schema, encodes that: both times the same bytes.
 * They are in avro afterwards, whose former content goes. */
void record_check_round_trip(enum record_kind kind, const void *record, struct buf *avro);

#endif
