/*
 * An Avro schema as a tree, logical types included (avro-c drops them). Pure.
 *
 * Every bound that hostile text could stretch is fixed: nesting, number of types, scale. Names in a
 * tree are borrowed from it and live as long as it does.
 * Source: Apache Avro specification 1.11, "Schema Declaration" and "Logical Types".
 */
#ifndef CODEC_WRITER_SCHEMA_H
#define CODEC_WRITER_SCHEMA_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/text_view.h"

enum schema_type {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INT,
    SCHEMA_LONG,
    SCHEMA_FLOAT,
    SCHEMA_DOUBLE,
    SCHEMA_BYTES,
    SCHEMA_STRING,
    SCHEMA_RECORD,
    SCHEMA_ENUM,
    SCHEMA_ARRAY,
    SCHEMA_MAP,
    SCHEMA_UNION,
    SCHEMA_FIXED,
};

/* What we show or convert differently from the plain type; any other logicalType is NONE. */
enum schema_logical_type {
    SCHEMA_LOGICAL_NONE,
    SCHEMA_LOGICAL_DECIMAL,
    SCHEMA_LOGICAL_DATE,
    SCHEMA_LOGICAL_TIMESTAMP_MILLIS,
    SCHEMA_LOGICAL_TIMESTAMP_MICROS,
};

struct schema_node {
    enum schema_type type;
    enum schema_logical_type logical_type;
    int scale;          /* of a decimal */
    size_t fixed_bytes; /* of SCHEMA_FIXED */
    char *full_name;    /* of record, enum and fixed; else NULL */
    /* record: fields; enum: symbols, no children; union: branches, no names; array, map: one child.
     */
    size_t count;
    char **names;
    const struct schema_node **children;
};

struct writer_schema;

/* text is JSON, borrowed for the call. Errors: ERR_PROTOCOL, ERR_LIMIT. */
struct writer_schema *writer_schema_parse(struct text_view text, struct err *err) MUST_CHECK;
/* Accepts NULL. */
void writer_schema_destroy(struct writer_schema *schema);
/* Borrowed. */
const struct schema_node *writer_schema_root(const struct writer_schema *schema);
/* "record", "union": for texts. */
const char *schema_type_name(enum schema_type type);

#endif
