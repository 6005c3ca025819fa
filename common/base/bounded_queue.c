#include "base/bounded_queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/monotonic_cond.h"

struct bounded_queue {
    pthread_mutex_t lock; /* protects everything below */
    pthread_cond_t has_item, has_room;
    size_t capacity, first, length;
    bool is_closed;
    void *items[];
};

struct bounded_queue *bounded_queue_create(size_t capacity)
{
    struct bounded_queue *queue;

    assert(capacity > 0 && capacity < SIZE_MAX / sizeof(void *) / 2);
    queue = mem_calloc(1, sizeof *queue + capacity * sizeof(void *));
    queue->capacity = capacity;
    pthread_mutex_init(&queue->lock, NULL);
    monotonic_cond_init(&queue->has_item);
    monotonic_cond_init(&queue->has_room);
    return queue;
}

void bounded_queue_destroy(struct bounded_queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->has_room);
    pthread_cond_destroy(&queue->has_item);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static bool is_full(const struct bounded_queue *queue)
{
    return queue->length == queue->capacity;
}

static bool is_empty(const struct bounded_queue *queue)
{
    return queue->length == 0;
}

/* With the lock held: waits while is_blocked, until the queue closes or the time is up. */
static void wait_while(struct bounded_queue *queue,
                       bool (*is_blocked)(const struct bounded_queue *), pthread_cond_t *changed,
                       int64_t timeout_ms)
{
    int64_t deadline_us = timeout_ms > 0 ? clock_monotonic_us() + timeout_ms * 1000 : 0;

    while (timeout_ms != 0 && is_blocked(queue) && !queue->is_closed) {
        if (timeout_ms < 0)
            pthread_cond_wait(changed, &queue->lock);
        else if (monotonic_cond_wait(changed, &queue->lock, deadline_us) != 0)
            return;
    }
}

bool bounded_queue_push(struct bounded_queue *queue, void *item, int64_t timeout_ms)
{
    bool is_taken = false;
    assert(item);
    pthread_mutex_lock(&queue->lock);
    wait_while(queue, is_full, &queue->has_room, timeout_ms);
    if (!queue->is_closed && !is_full(queue)) {
        queue->items[(queue->first + queue->length) % queue->capacity] = item;
        queue->length++;
        is_taken = true;
        pthread_cond_signal(&queue->has_item);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_taken;
}

bool bounded_queue_try_push(struct bounded_queue *queue, void *item)
{
    return bounded_queue_push(queue, item, 0);
}

void *bounded_queue_pop(struct bounded_queue *queue, int64_t timeout_ms)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    wait_while(queue, is_empty, &queue->has_item, timeout_ms);
    if (!is_empty(queue)) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->length--;
        pthread_cond_signal(&queue->has_room);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void bounded_queue_close(struct bounded_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->has_item);
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

size_t bounded_queue_length(struct bounded_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t length = queue->length;
    pthread_mutex_unlock(&queue->lock);
    return length;
}
