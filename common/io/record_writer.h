/*
 * Publishes domain records: Avro, wire format, the topic of the kind, the key of the record.
 * Thread-safe.
 */
#ifndef IO_RECORD_WRITER_H
#define IO_RECORD_WRITER_H

#include "base/attributes.h"
#include "base/err.h"
#include "codec/schema_text.h"
#include "io/kafka_producer.h"
#include "io/schema_registry.h"

struct record_writer;

/* Borrows both for its lifetime. */
struct record_writer *record_writer_create(struct kafka_producer *producer,
                                           const struct topic_names *topics) MUST_CHECK;
void record_writer_destroy(struct record_writer *writer);

/* Registers the schemas of these kinds (subject <topic>-value); one attempt, repeat while
 * retriable. */
int record_writer_register(struct record_writer *writer, struct schema_registry *registry,
                           const enum record_kind *kinds, size_t count, struct err *err) MUST_CHECK;

/* Encodes and sends; errors as kafka_producer_send. The kind must have been registered. */
int record_writer_send_with(struct record_writer *writer, enum record_kind kind, const void *record,
                            struct kafka_receipt *receipt, struct err *err) MUST_CHECK;
int record_writer_send(struct record_writer *writer, enum record_kind kind, const void *record,
                       kafka_delivery_fn *on_delivery, void *context, struct err *err) MUST_CHECK;

#endif
