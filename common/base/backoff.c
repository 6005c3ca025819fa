#include "base/backoff.h"

#include <sys/random.h>

#include "base/clock.h"

void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t base_ms, int64_t cap_ms,
                  uint64_t seed)
{
    if (seed == 0 && getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = (uint64_t)clock_monotonic_us(); /* only right after boot */
    *backoff = (struct backoff){
        .floor_ms = floor_ms, .base_ms = base_ms, .cap_ms = cap_ms, .random_state = seed};
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

static int64_t ceiling_ms(const struct backoff *backoff)
{
    int64_t ceiling = backoff->base_ms;
    for (unsigned i = 0; i < backoff->attempt && ceiling < backoff->cap_ms; i++)
        ceiling = ceiling > backoff->cap_ms / 2 ? backoff->cap_ms : ceiling * 2;
    return ceiling < backoff->cap_ms ? ceiling : backoff->cap_ms;
}

int64_t backoff_next_ms(struct backoff *backoff)
{
    uint64_t choices = (uint64_t)ceiling_ms(backoff) + 1;
    /* The modulo's bias is below 2^-30 for any delay that one would wait for. */
    int64_t delay_ms = (int64_t)(next_random(&backoff->random_state) % choices);
    if (backoff->attempt < UINT32_MAX)
        backoff->attempt++;
    return delay_ms > backoff->floor_ms ? delay_ms : backoff->floor_ms;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempt = 0;
}
