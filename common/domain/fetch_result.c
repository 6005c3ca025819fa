#include "domain/fetch_result.h"

#include <stdlib.h>

#include "base/mem.h"

void fetch_result_clear(struct fetch_result *result)
{
    free(result->missing);
    result->missing = NULL;
    result->missing_count = 0;
}

void fetch_result_add_missing(struct fetch_result *result, int64_t from, int64_t to)
{
    if (result->missing_count >= FETCH_MISSING_MAX) {
        result->missing[result->missing_count - 1].to = to;
        return;
    }
    result->missing =
        mem_realloc_array(result->missing, result->missing_count + 1, sizeof *result->missing);
    result->missing[result->missing_count++] = (struct fetch_range){.from = from, .to = to};
}

const char *fetch_status_name(enum fetch_status status)
{
    switch (status) {
    case FETCH_STATUS_DONE:
        return "done";
    case FETCH_STATUS_INCOMPLETE:
        return "incomplete";
    case FETCH_STATUS_FAILED:
        return "failed";
    case FETCH_STATUS_SKIPPED:
        return "skipped";
    }
    return "unknown";
}
