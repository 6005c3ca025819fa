/*
 * The jobs that wait for a fetch thread: the most urgent one whose time has come is popped first,
 * jobs of equal urgency in the order in which they were first pushed. Thread-safe.
 */
#ifndef INGESTOR_FETCH_QUEUE_H
#define INGESTOR_FETCH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct fetch_job;
struct fetch_queue;

struct fetch_queue *fetch_queue_create(void) MUST_CHECK;
/* Destroys what is still queued. Accepts NULL. */
void fetch_queue_destroy(struct fetch_queue *queue);
/* Takes the job, to be popped from job->ready_at_ms on. Works on a closed queue too. */
void fetch_queue_push(struct fetch_queue *queue, struct fetch_job *job);
/* Returns owned the next job; waits for one to be ready. NULL once the queue is closed. */
struct fetch_job *fetch_queue_pop(struct fetch_queue *queue) MUST_CHECK;
void fetch_queue_close(struct fetch_queue *queue);
/* Gives up the commands of a control partition that are queued and not finished: another owner
 * runs them. */
void fetch_queue_discard(struct fetch_queue *queue, int32_t partition);
/* Commands that exist: queued, under way, or waiting for acknowledgements. */
size_t fetch_queue_commands(struct fetch_queue *queue);
/* For fetch_job: a command came (1) or went (-1). */
void fetch_queue_count_command(struct fetch_queue *queue, int change);

#endif
