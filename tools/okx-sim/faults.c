#include "faults.h"

#include <string.h>

bool faults_is_stalled(const struct faults *faults, struct instant now)
{
    return instant_monotonic_ms(now) < faults->stall_until_ms;
}

bool faults_is_refusing(const struct faults *faults, struct instant now)
{
    return instant_monotonic_ms(now) < faults->refuse_until_ms;
}

bool faults_add_rest(struct faults *faults, const struct rest_fault *fault)
{
    if (faults->rest_count == FAULTS_REST_MAX)
        return false;
    faults->rest[faults->rest_count++] = *fault;
    return true;
}

bool faults_take_rest(struct faults *faults, const char *endpoint, struct rest_fault *fault)
{
    for (size_t i = 0; i < faults->rest_count; i++) {
        struct rest_fault *candidate = &faults->rest[i];
        if (*candidate->endpoint && strcmp(candidate->endpoint, endpoint) != 0)
            continue;
        *fault = *candidate;
        if (--candidate->count <= 0) {
            faults->rest_count--;
            memmove(candidate, candidate + 1, (faults->rest_count - i) * sizeof *candidate);
        }
        return true;
    }
    return false;
}

int64_t faults_rest_left(const struct faults *faults)
{
    int64_t left = 0;

    for (size_t i = 0; i < faults->rest_count; i++)
        left += faults->rest[i].count;
    return left;
}

void faults_clear(struct faults *faults)
{
    *faults = (struct faults){0};
}
