#include "rate_limiter.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sliding_window.h"

enum { KEYS_MAX = 256, KEY_BYTES = 64, SEEN_MAX = 10000 };

struct bucket {
    char key[KEY_BYTES];
    int64_t used_us;
    struct sliding_window admitted, seen;
};

struct rate_limiter {
    size_t limit;
    int64_t window_us;
    size_t max_in_window;
    struct bucket *buckets;
    size_t count;
};

struct rate_limiter *rate_limiter_create(size_t limit, int64_t window_ms)
{
    struct rate_limiter *limiter = mem_calloc(1, sizeof *limiter);

    limiter->limit = limit;
    limiter->window_us = window_ms * 1000;
    return limiter;
}

static void bucket_clear(struct bucket *bucket)
{
    sliding_window_clear(&bucket->admitted);
    sliding_window_clear(&bucket->seen);
}

void rate_limiter_destroy(struct rate_limiter *limiter)
{
    if (!limiter)
        return;
    for (size_t i = 0; i < limiter->count; i++)
        bucket_clear(&limiter->buckets[i]);
    free(limiter->buckets);
    free(limiter);
}

/* A fresh bucket; in place of the one unused for longest when there are many. */
static struct bucket *add_bucket(struct rate_limiter *limiter, const char *key)
{
    struct bucket *bucket;

    if (limiter->count < KEYS_MAX) {
        limiter->buckets =
            mem_realloc_array(limiter->buckets, limiter->count + 1, sizeof *limiter->buckets);
        bucket = &limiter->buckets[limiter->count++];
    } else {
        bucket = &limiter->buckets[0];
        for (size_t i = 1; i < limiter->count; i++) {
            if (limiter->buckets[i].used_us < bucket->used_us)
                bucket = &limiter->buckets[i];
        }
        bucket_clear(bucket);
    }
    memset(bucket, 0, sizeof *bucket);
    memcpy(bucket->key, key, strnlen(key, KEY_BYTES - 1));
    sliding_window_init(&bucket->admitted, limiter->window_us, limiter->limit);
    sliding_window_init(&bucket->seen, limiter->window_us, SEEN_MAX);
    return bucket;
}

static struct bucket *find_bucket(struct rate_limiter *limiter, const char *key)
{
    for (size_t i = 0; i < limiter->count; i++) {
        if (strncmp(limiter->buckets[i].key, key, KEY_BYTES - 1) == 0)
            return &limiter->buckets[i];
    }
    return add_bucket(limiter, key);
}

bool rate_limiter_admit(struct rate_limiter *limiter, const char *key, int64_t now_us)
{
    struct bucket *bucket = find_bucket(limiter, key);
    size_t seen = sliding_window_add(&bucket->seen, now_us);

    bucket->used_us = now_us;
    if (seen > limiter->max_in_window)
        limiter->max_in_window = seen;
    return sliding_window_admit(&bucket->admitted, limiter->limit, now_us);
}

size_t rate_limiter_max_in_window(const struct rate_limiter *limiter)
{
    return limiter->max_in_window;
}
