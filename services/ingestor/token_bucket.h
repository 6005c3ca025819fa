/*
 * A request budget of at most `limit` requests in any window of window_ms, wherever the window is
 * laid. Pure: the time is an argument. Not thread-safe.
 *
 * A ticket is free again one window after its request is known to have reached the server, that is
 * after the answer came. Counting from the answer and not from the sending keeps the bound on the
 * server's side whatever the network delays.
 * Source: OKX API v5, "Rate Limits" (sliding 2 s windows per endpoint); okx-v5.md, section 4.1.
 */
#ifndef INGESTOR_TOKEN_BUCKET_H
#define INGESTOR_TOKEN_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct token_bucket {
    int64_t *free_at_ms; /* owned, one per ticket; INT64_MAX while its request is under way */
    size_t limit;
    int64_t window_ms;
    int64_t held_until_ms;
};

void token_bucket_init(struct token_bucket *bucket, size_t limit, int64_t window_ms);
void token_bucket_clear(struct token_bucket *bucket);

/*
 * Returns 0 and a ticket when a request may be sent now, else the milliseconds after which asking
 * again makes sense (at least 1) and no ticket.
 */
int64_t token_bucket_take(struct token_bucket *bucket, int64_t now_ms, size_t *ticket) MUST_CHECK;
/* The request of that ticket was answered, or failed. Every ticket must be released or cancelled.
 */
void token_bucket_release(struct token_bucket *bucket, size_t ticket, int64_t now_ms);
/* The ticket's request was not made. */
void token_bucket_cancel(struct token_bucket *bucket, size_t ticket);
/* The server said "too many": nothing is granted before until_ms. */
void token_bucket_hold(struct token_bucket *bucket, int64_t until_ms);

#endif
