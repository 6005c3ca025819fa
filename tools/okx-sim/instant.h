/* A moment on both clocks: the market lives by the wall clock, waits and limits by the other. */
#ifndef OKX_SIM_INSTANT_H
#define OKX_SIM_INSTANT_H

#include <stdint.h>

struct instant {
    int64_t wall_ms;
    int64_t monotonic_us;
};

static inline int64_t instant_monotonic_ms(struct instant now)
{
    return now.monotonic_us / 1000;
}

#endif
