/*
 * Where each Avro field of our schemas lives in the domain structs: a table per record kind, in the
 * order of the schema file. Encoder and decoder walk these tables. Pure.
 */
#ifndef CODEC_AVRO_LAYOUT_H
#define CODEC_AVRO_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/schema_text.h"

/* The C type at the offset, and the Avro type that goes with it. */
enum avro_field_kind {
    AVRO_FIELD_TEXT,             /* char[bytes]; string */
    AVRO_FIELD_OPTIONAL_TEXT,    /* char[bytes]; null for "", or string */
    AVRO_FIELD_OWNED_TEXT,       /* char *; null for NULL, or string */
    AVRO_FIELD_SYMBOL_TEXT,      /* enum; string with the name of the symbol */
    AVRO_FIELD_ENUM,             /* enum; enum */
    AVRO_FIELD_INT64,            /* int64_t; long */
    AVRO_FIELD_OPTIONAL_INT64,   /* struct optional_int64; null or long */
    AVRO_FIELD_DECIMAL,          /* struct decimal; bytes, decimal(38,18) */
    AVRO_FIELD_OPTIONAL_DECIMAL, /* struct optional_decimal; null or decimal(38,18) */
    AVRO_FIELD_BOOL,             /* bool; boolean */
    AVRO_FIELD_OPTIONAL_BOOL,    /* struct optional_bool; null or boolean */
    AVRO_FIELD_EXTRA,            /* struct extra_fields; map of string */
    AVRO_FIELD_RANGES,           /* struct fetch_range *, its size_t count at count_offset; array */
};

/* What a number counts, when it is a time. */
enum avro_time_unit { AVRO_TIME_NONE, AVRO_TIME_MILLIS, AVRO_TIME_MICROS };

struct avro_field {
    const char *name;
    enum avro_field_kind kind;
    bool is_required; /* without it the record means nothing: a writer must have it */
    enum avro_time_unit unit;
    size_t offset;
    size_t bytes;               /* room of inline text, with NUL */
    size_t count_offset;        /* of ranges */
    const char *const *symbols; /* of enums, by their C value */
    size_t symbol_count;
};

struct avro_layout {
    const struct avro_field *fields;
    size_t field_count;
    size_t record_bytes;
    void (*clear)(void *record); /* NULL: owns nothing */
};

const struct avro_layout *avro_layout(enum record_kind kind);
/* NULL when there is none of that name. */
const struct avro_field *avro_layout_find(const struct avro_layout *layout, const char *name);

#endif
