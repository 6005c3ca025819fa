/* What the command line of avrocat asks for. */
#ifndef AVROCAT_OPTIONS_H
#define AVROCAT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

enum start_at {
    START_AT_BEGINNING,
    START_AT_END,
    START_AT_OFFSET,     /* offset in each partition */
    START_AT_BEFORE_END, /* offset records before the end of each partition */
};

enum output_format { OUTPUT_JSON, OUTPUT_CSV };

struct avrocat_options {
    const char
        *topic; /* a short name, which gets TOPIC_PREFIX, or a full one; borrowed from argv */
    enum start_at start_at;
    int64_t offset;
    int64_t count_max; /* records; -1: no limit */
    int32_t partition; /* -1: all */
    enum output_format format;
    bool is_raw;      /* values are shown as they are, not decoded */
    bool value_only;  /* without topic, partition, offset, timestamp and key */
    bool ends_at_end; /* instead of waiting for more */
    /* --help, --version, --check-config or --print-config, when one was given: nothing is read. */
    const char *action;
};

/* Errors: ERR_CONFIG. */
int avrocat_options_parse(int argc, char **argv, struct avrocat_options *options,
                          struct err *err) MUST_CHECK;

/* The lines on options and exit statuses for --help. */
extern const char avrocat_options_help[];

#endif
