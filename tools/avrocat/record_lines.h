/* One record of a topic as one line of JSON or CSV. Pure. */
#ifndef AVROCAT_RECORD_LINES_H
#define AVROCAT_RECORD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/writer_schema.h"
#include "options.h"

struct shown_header {
    const char *name;
    const void *value; /* NULL: null */
    size_t length;
};

enum shown_value {
    SHOWN_AVRO,        /* value is Avro binary by type */
    SHOWN_RAW,         /* value is shown as it is */
    SHOWN_UNDECODABLE, /* value cannot be decoded; reason says why */
};

/* Everything is borrowed. */
struct shown_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const void *key;      /* NULL: none */
    size_t key_length;
    const struct shown_header *headers;
    size_t header_count;
    enum shown_value kind;
    const uint8_t *value; /* NULL: a tombstone, whatever kind says */
    size_t value_length;
    const struct schema_node *type; /* of SHOWN_AVRO */
    const char *reason;             /* of SHOWN_UNDECODABLE */
};

struct record_lines;

struct record_lines *record_lines_create(enum output_format format, bool value_only) MUST_CHECK;
void record_lines_destroy(struct record_lines *lines);

/*
 * Appends the line of record with its line feed; in CSV the header goes before the first, its
 * columns being the fields of that record. Values that cannot be decoded are shown with the reason
 * in JSON, and left out of CSV and of lines that are the value only.
 * Returns 0, or -1 when the value could not be decoded or shown: err says why, and what could be
 * appended is.
 */
int record_lines_append(struct record_lines *lines, struct buf *out,
                        const struct shown_record *record, struct err *err) MUST_CHECK;

#endif
