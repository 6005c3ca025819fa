/*
 * Confluent's wire format around an Avro value: byte 0, the schema id as 4 bytes big-endian, then
 * the Avro binary. Pure. Source: Confluent Schema Registry documentation, "Wire format".
 */
#ifndef CODEC_WIRE_FORMAT_H
#define CODEC_WIRE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

enum { WIRE_FORMAT_PREFIX_BYTES = 5 };

void wire_format_write(uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES], int32_t schema_id);
/* *avro points into bytes behind the prefix. Errors: ERR_PROTOCOL for a short value or another
 * first byte. */
int wire_format_read(const uint8_t *bytes, size_t length, int32_t *schema_id, const uint8_t **avro,
                     size_t *avro_length, struct err *err) MUST_CHECK;

#endif
