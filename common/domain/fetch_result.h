/* What became of a fetch command. Pure. */
#ifndef DOMAIN_FETCH_RESULT_H
#define DOMAIN_FETCH_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "domain/fetch_command.h"

enum fetch_status {
    FETCH_STATUS_DONE,       /* all of the range is published */
    FETCH_STATUS_INCOMPLETE, /* all that OKX still has is published; missing says what it has not */
    FETCH_STATUS_FAILED,     /* gave up; error says why, retriable whether asking again may help */
    FETCH_STATUS_SKIPPED,    /* not possible with these settings (no API key) */
};

/* A hole: trade ids both inclusive, or open times from inclusive, to exclusive. */
struct fetch_range {
    int64_t from;
    int64_t to;
};

enum { FETCH_MISSING_MAX = 1000 };

struct fetch_result {
    struct fetch_command command;
    enum fetch_status status;
    int64_t records;  /* published for this command */
    int64_t requests; /* REST requests that it took */
    struct fetch_range *
        missing; /* owned, ascending; at most FETCH_MISSING_MAX, the last one then spans the rest */
    size_t missing_count;
    bool retriable;  /* meaningful for FETCH_STATUS_FAILED */
    char error[256]; /* "" if none */
    int64_t finished_at_ms;
};

void fetch_result_clear(struct fetch_result *result);
void fetch_result_add_missing(struct fetch_result *result, int64_t from, int64_t to);
const char *
fetch_status_name(enum fetch_status status); /* "done", "incomplete", "failed", "skipped" */

#endif
