/*
 * Domain records to and from Avro binary. Pure.
 *
 * The record argument is a pointer to the domain struct of the kind: struct trade for RECORD_TRADE,
 * struct candle, currency_chain, fetch_command, fetch_result, trade_position.
 */
#ifndef CODEC_AVRO_CODEC_H
#define CODEC_AVRO_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/schema_text.h"

/* Appends the Avro binary of record by our own schema. Errors: ERR_LIMIT when out is full. */
int avro_encode(enum record_kind kind, const void *record, struct buf *out,
                struct err *err) MUST_CHECK;

/*
 * Reads records of one kind as one writer's schema wrote them. Fields that the writer has and we do
 * not know are skipped; fields that we have and the writer lacks get their defaults (0, absent,
 * empty); a field without which the record means nothing (its key or its figures) is an error at
 * creation.
 */
struct avro_decoder;

/* writer_schema is JSON text, borrowed. Errors: ERR_PROTOCOL (no schema), ERR_UNSUPPORTED (lacks a
 * field). */
struct avro_decoder *avro_decoder_create(enum record_kind kind, struct text_view writer_schema,
                                         struct err *err) MUST_CHECK;
void avro_decoder_destroy(struct avro_decoder *decoder);
/* Fills record (all of it; owned parts are released by the kind's _clear, or avro_record_clear).
 * Untouched on failure. Errors: ERR_PROTOCOL, ERR_OUT_OF_RANGE, ERR_LIMIT. Not thread-safe per
 * decoder. */
int avro_decode(struct avro_decoder *decoder, const uint8_t *bytes, size_t length, void *record,
                struct err *err) MUST_CHECK;

size_t avro_record_bytes(enum record_kind kind); /* sizeof the domain struct */
void avro_record_clear(enum record_kind kind, void *record);

#endif
