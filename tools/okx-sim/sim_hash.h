/* The simulator's only source of chance: a hash, so that the same seed gives the same market. Pure.
 */
#ifndef OKX_SIM_SIM_HASH_H
#define OKX_SIM_SIM_HASH_H

#include <stdint.h>

/* The finalizer of SplitMix64: every input bit reaches every output bit. */
static inline uint64_t sim_hash_mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

static inline uint64_t sim_hash(uint64_t key, uint64_t purpose, uint64_t position)
{
    return sim_hash_mix(sim_hash_mix(key ^ (purpose * 0xd6e8feb86659fd93U)) ^ position);
}

static inline uint64_t sim_hash_text(uint64_t key, const char *text)
{
    for (; *text; text++)
        key = sim_hash_mix(key ^ (unsigned char)*text);
    return key;
}

/* Evenly in [-limit, limit]. */
static inline int64_t sim_hash_symmetric(uint64_t hash, int64_t limit)
{
    return (int64_t)(hash % (uint64_t)(2 * limit + 1)) - limit;
}

#endif
