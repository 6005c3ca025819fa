/*
 * OKX's limits: so many requests per window and key, the key being an endpoint with an address or a
 * user. Counts refused requests too, to tell afterwards whether a client kept to the limit. Pure.
 */
#ifndef OKX_SIM_RATE_LIMITER_H
#define OKX_SIM_RATE_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct rate_limiter;

struct rate_limiter *rate_limiter_create(size_t limit, int64_t window_ms) MUST_CHECK;
void rate_limiter_destroy(struct rate_limiter *limiter);
/* Whether key may do one more; key is copied, cut at some 60 bytes. */
bool rate_limiter_admit(struct rate_limiter *limiter, const char *key, int64_t now_us);
/* The most tries, refused ones included, that any key made in any window. */
size_t rate_limiter_max_in_window(const struct rate_limiter *limiter);

#endif
