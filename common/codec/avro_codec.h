/*
 * Domain records to and from Avro binary; the decoder has a header of its own, included here. Pure.
 *
 * The record argument is a pointer to the domain struct of the kind: struct trade for RECORD_TRADE,
 * struct candle, currency_chain, fetch_command, fetch_result, trade_position.
 */
#ifndef CODEC_AVRO_CODEC_H
#define CODEC_AVRO_CODEC_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/avro_decoder.h"
#include "codec/schema_text.h"

/* Appends the Avro binary of record by our own schema; allocates nothing but out's own growth.
 * Errors: ERR_LIMIT when out is full (reset it before it is used again). */
int avro_encode(enum record_kind kind, const void *record, struct buf *out,
                struct err *err) MUST_CHECK;

size_t avro_record_bytes(enum record_kind kind); /* sizeof the domain struct */
void avro_record_clear(enum record_kind kind, void *record);

#endif
