/*
 * How far an instrument's live trades are published: records go out in order, acknowledgements
 * come back in any order across topics, and the position is the last trade before which nothing is
 * unacknowledged. A repair command is a record like any other, so the position never passes a hole
 * that is not asked for. Pure. Not thread-safe: the owner guards it.
 */
#ifndef INGESTOR_PUBLISH_PROGRESS_H
#define INGESTOR_PUBLISH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/optional.h"

/* What a record stands for once it and all before it are acknowledged. */
struct publish_mark {
    struct optional_int64 trade_id; /* absent: a barrier that moves nothing itself */
    struct optional_int64 event_time_ms;
    struct optional_int64 offset; /* of its record in the trades partition */
};

struct publish_entry;

struct publish_progress {
    struct publish_entry *entries; /* owned ring */
    size_t capacity;               /* a power of two */
    uint64_t first_sequence;       /* of the oldest entry that is not passed */
    uint64_t next_sequence;
    struct publish_mark position;
};

void publish_progress_init(struct publish_progress *progress);
void publish_progress_clear(struct publish_progress *progress);
/* Forgets what is under way (late acknowledgements are ignored) and stands at that position. */
void publish_progress_start(struct publish_progress *progress, struct publish_mark position);
/* A record is about to be sent. Returns its sequence number. */
uint64_t publish_progress_add(struct publish_progress *progress, struct publish_mark mark);
/* Kafka has it. offset absent: not a record of the trades topic. */
void publish_progress_acknowledge(struct publish_progress *progress, uint64_t sequence,
                                  struct optional_int64 offset);
/* True once this record and all before it are acknowledged, or forgotten. */
bool publish_progress_has_passed(const struct publish_progress *progress, uint64_t sequence);
size_t publish_progress_pending(const struct publish_progress *progress);

#endif
