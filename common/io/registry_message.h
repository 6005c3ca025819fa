/*
 * What is said to and by a Confluent-compatible schema registry. Pure. Members of an answer that we
 * do not know are ignored.
 * Source: Confluent Schema Registry, "API reference".
 */
#ifndef IO_REGISTRY_MESSAGE_H
#define IO_REGISTRY_MESSAGE_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text_view.h"

/* Appends {"schema":"..."}: an Avro schema needs no schemaType. Errors: ERR_LIMIT. */
int registry_message_put_schema(struct buf *out, struct text_view schema,
                                struct err *err) MUST_CHECK;

/* {"id":7}. Errors: ERR_PROTOCOL (an id is a positive number of 31 bits). */
int registry_message_read_id(struct text_view body, int32_t *id, struct err *err) MUST_CHECK;

/* {"schema":"..."}: returns owned the text. Errors: ERR_PROTOCOL; ERR_UNSUPPORTED for another
 * schemaType than AVRO, and for references. */
char *registry_message_read_schema(struct text_view body, struct err *err) MUST_CHECK;

/*
 * Fills err by an answer that is no success, with the registry's own message where there is one.
 * ERR_NOT_FOUND: error_code 40401 or 40403 (no such subject, no such id). ERR_UNAUTHORIZED: 401,
 * 403, retriable. ERR_RATE_LIMIT: 429, retriable. ERR_REMOTE: anything else; retriable for 408,
 * 5xx, and a 404 without error_code, which comes from something that is not the registry, or not
 * yet. Returns -1.
 */
int registry_message_set_refusal(long status, struct text_view body, struct err *err);

#endif
