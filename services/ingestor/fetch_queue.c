#include "fetch_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/monotonic_cond.h"
#include "fetch_job.h"

struct fetch_queue {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fetch_job **jobs;
    size_t count;
    size_t capacity;
    uint64_t pushed;
    bool is_closed;
    atomic_int commands; /* not under the lock */
};

struct fetch_queue *fetch_queue_create(void)
{
    struct fetch_queue *queue = mem_calloc(1, sizeof *queue);

    pthread_mutex_init(&queue->lock, NULL);
    monotonic_cond_init(&queue->changed);
    return queue;
}

void fetch_queue_destroy(struct fetch_queue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->count; i++)
        fetch_job_destroy(queue->jobs[i]);
    free(queue->jobs);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* Less is sooner. A result that only has to be published frees the commands behind it. */
static int urgency(const struct fetch_job *job)
{
    if (job->is_reporting || job->kind == FETCH_JOB_INSTRUMENTS)
        return 0;
    if (job->kind == FETCH_JOB_LAST_TRADE)
        return 2;
    switch (job->result.command.reason) {
    case FETCH_REASON_GAP:
        return 1;
    case FETCH_REASON_SCHEDULE:
        return 3;
    case FETCH_REASON_BACKFILL:
        return 4;
    }
    return 4;
}

static bool comes_before(const struct fetch_job *left, const struct fetch_job *right)
{
    int difference = urgency(left) - urgency(right);

    return difference < 0 || (difference == 0 && left->sequence < right->sequence);
}

void fetch_queue_push(struct fetch_queue *queue, struct fetch_job *job)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 64;
        queue->jobs = mem_realloc_array(queue->jobs, queue->capacity, sizeof *queue->jobs);
    }
    if (job->sequence == 0)
        job->sequence = ++queue->pushed;
    queue->jobs[queue->count++] = job;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* The job to run now, or SIZE_MAX and in *ready_at_ms when there will be one. */
static size_t choose(const struct fetch_queue *queue, int64_t now_ms, int64_t *ready_at_ms)
{
    size_t chosen = SIZE_MAX;

    *ready_at_ms = INT64_MAX;
    for (size_t i = 0; i < queue->count; i++) {
        const struct fetch_job *job = queue->jobs[i];

        if (job->ready_at_ms > now_ms) {
            if (job->ready_at_ms < *ready_at_ms)
                *ready_at_ms = job->ready_at_ms;
        } else if (chosen == SIZE_MAX || comes_before(job, queue->jobs[chosen])) {
            chosen = i;
        }
    }
    return chosen;
}

static void wait_until(struct fetch_queue *queue, int64_t ready_at_ms)
{
    if (ready_at_ms == INT64_MAX)
        pthread_cond_wait(&queue->changed, &queue->lock);
    else
        monotonic_cond_wait(&queue->changed, &queue->lock, ready_at_ms * 1000);
}

struct fetch_job *fetch_queue_pop(struct fetch_queue *queue)
{
    struct fetch_job *job = NULL;

    pthread_mutex_lock(&queue->lock);
    while (!queue->is_closed && !job) {
        int64_t ready_at_ms = 0;
        size_t index = choose(queue, clock_monotonic_ms(), &ready_at_ms);

        if (index == SIZE_MAX) {
            wait_until(queue, ready_at_ms);
        } else {
            job = queue->jobs[index];
            queue->jobs[index] = queue->jobs[--queue->count];
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return job;
}

void fetch_queue_close(struct fetch_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void fetch_queue_discard(struct fetch_queue *queue, int32_t partition)
{
    pthread_mutex_lock(&queue->lock);
    for (size_t i = queue->count; i > 0; i--) {
        struct fetch_job *job = queue->jobs[i - 1];

        if (job->kind == FETCH_JOB_COMMAND && job->partition == partition && !job->is_reporting) {
            queue->jobs[i - 1] = queue->jobs[--queue->count];
            fetch_job_abandon(job);
        }
    }
    pthread_mutex_unlock(&queue->lock);
}

size_t fetch_queue_commands(struct fetch_queue *queue)
{
    return (size_t)atomic_load(&queue->commands);
}

void fetch_queue_count_command(struct fetch_queue *queue, int change)
{
    atomic_fetch_add(&queue->commands, change);
}
