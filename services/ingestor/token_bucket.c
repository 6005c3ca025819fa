#include "token_bucket.h"

#include <stdlib.h>

#include "base/mem.h"

/* How soon to look again when every ticket is under way. */
enum { TOKEN_BUCKET_POLL_MS = 10 };

void token_bucket_init(struct token_bucket *bucket, size_t limit, int64_t window_ms)
{
    *bucket = (struct token_bucket){
        .free_at_ms = mem_calloc(limit, sizeof *bucket->free_at_ms),
        .limit = limit,
        .window_ms = window_ms,
        .held_until_ms = INT64_MIN,
    };
    for (size_t i = 0; i < limit; i++)
        bucket->free_at_ms[i] = INT64_MIN;
}

void token_bucket_clear(struct token_bucket *bucket)
{
    free(bucket->free_at_ms);
    *bucket = (struct token_bucket){0};
}

int64_t token_bucket_take(struct token_bucket *bucket, int64_t now_ms, size_t *ticket)
{
    if (now_ms < bucket->held_until_ms)
        return bucket->held_until_ms - now_ms;

    size_t earliest = 0;
    for (size_t i = 1; i < bucket->limit; i++) {
        if (bucket->free_at_ms[i] < bucket->free_at_ms[earliest])
            earliest = i;
    }
    int64_t free_at_ms = bucket->free_at_ms[earliest];
    if (free_at_ms == INT64_MAX)
        return TOKEN_BUCKET_POLL_MS;
    if (free_at_ms > now_ms)
        return free_at_ms - now_ms;
    bucket->free_at_ms[earliest] = INT64_MAX;
    *ticket = earliest;
    return 0;
}

void token_bucket_release(struct token_bucket *bucket, size_t ticket, int64_t now_ms)
{
    /* One more millisecond, since both ends of a window of whole milliseconds may count. */
    bucket->free_at_ms[ticket] = now_ms + bucket->window_ms + 1;
}

void token_bucket_cancel(struct token_bucket *bucket, size_t ticket)
{
    bucket->free_at_ms[ticket] = INT64_MIN;
}

void token_bucket_hold(struct token_bucket *bucket, int64_t until_ms)
{
    if (until_ms > bucket->held_until_ms)
        bucket->held_until_ms = until_ms;
}
