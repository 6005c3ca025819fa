/*
 * A first-in-first-out queue of pointers between threads, with a fixed capacity: what is pushed
 * changes owner to whoever pops it. Thread-safe.
 */
#ifndef BASE_BOUNDED_QUEUE_H
#define BASE_BOUNDED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct bounded_queue;

struct bounded_queue *bounded_queue_create(size_t capacity) MUST_CHECK;
/* Whatever is still queued is the caller's to pop first. Accepts NULL. */
void bounded_queue_destroy(struct bounded_queue *queue);
/* False when full or closed; never blocks. Takes item on success. */
bool bounded_queue_try_push(struct bounded_queue *queue, void *item) MUST_CHECK;
/* Waits up to timeout_ms for room (-1: for ever); false on timeout or when closed. */
bool bounded_queue_push(struct bounded_queue *queue, void *item, int64_t timeout_ms) MUST_CHECK;
/* Waits up to timeout_ms (0: not at all, -1: for ever); NULL on timeout, or when closed and empty.
 */
void *bounded_queue_pop(struct bounded_queue *queue, int64_t timeout_ms) MUST_CHECK;
/* No more pushes; poppers get what is left, then NULL. */
void bounded_queue_close(struct bounded_queue *queue);
size_t bounded_queue_length(struct bounded_queue *queue);

#endif
