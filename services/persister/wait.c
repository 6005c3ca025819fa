#include "wait.h"

#include <time.h>

enum { WAIT_SLICE_MS = 50 };

bool wait_unless(const atomic_bool *abandon, int64_t delay_ms)
{
    while (delay_ms > 0 && !atomic_load(abandon)) {
        int64_t slice_ms = delay_ms < WAIT_SLICE_MS ? delay_ms : WAIT_SLICE_MS;
        struct timespec slice = {.tv_nsec = slice_ms * 1000 * 1000};

        nanosleep(&slice, NULL);
        delay_ms -= slice_ms;
    }
    return atomic_load(abandon);
}
