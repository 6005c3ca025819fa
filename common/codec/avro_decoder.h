/*
 * Reads records of one kind as one writer's schema wrote them. Pure.
 *
 * The writer's schema is compiled into a step for each of its fields, and every record takes the
 * same walk, whether the writer is of our version or not. Fields that the writer has and we do not
 * know are skipped; fields that we have and the writer lacks get their defaults (0, absent, empty);
 * a field without which the record means nothing (its key or its figures) is an error at creation.
 * Numbers are widened, times and decimals brought to our unit and scale.
 */
#ifndef CODEC_AVRO_DECODER_H
#define CODEC_AVRO_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"
#include "codec/schema_text.h"

struct avro_decoder;

/* writer_schema is JSON text, borrowed. Errors: ERR_PROTOCOL (no schema), ERR_LIMIT (too large),
 * ERR_UNSUPPORTED (lacks a field, or has one of another type). */
struct avro_decoder *avro_decoder_create(enum record_kind kind, struct text_view writer_schema,
                                         struct err *err) MUST_CHECK;
/* Accepts NULL. */
void avro_decoder_destroy(struct avro_decoder *decoder);
/* Fills record (all of it; owned parts are released by the kind's _clear, or avro_record_clear).
 * Untouched on failure. Errors: ERR_PROTOCOL, ERR_OUT_OF_RANGE, ERR_LIMIT. Not thread-safe per
 * decoder. */
int avro_decode(struct avro_decoder *decoder, const uint8_t *bytes, size_t length, void *record,
                struct err *err) MUST_CHECK;

#endif
