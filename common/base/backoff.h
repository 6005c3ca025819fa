/* Exponential backoff with full jitter: a delay drawn evenly from [0, min(cap, base * 2^attempt)],
 * but never under floor. Pure, but for the seed. Not thread-safe. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    int64_t floor_ms, base_ms, cap_ms;
    unsigned attempt; /* failures since the last reset */
    uint64_t random_state;
};

/* seed 0 takes one from the kernel. */
void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t base_ms, int64_t cap_ms,
                  uint64_t seed);
/* The delay before the next try, milliseconds; counts the attempt. */
int64_t backoff_next_ms(struct backoff *backoff);
void backoff_reset(struct backoff *backoff);

#endif
