/*
 * The offsets of commands that were read from the control topic and not yet finished, per
 * partition, and so how far each partition may be committed: commands finish in any order, but only
 * what lies before the oldest unfinished one is done. Pure. Not thread-safe: the owner guards it.
 */
#ifndef INGESTOR_OFFSET_TRACKER_H
#define INGESTOR_OFFSET_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracked_partition;

struct offset_tracker {
    struct tracked_partition *partitions; /* owned, indexed by number */
    int32_t partition_count;
};

void offset_tracker_init(struct offset_tracker *tracker, int32_t partition_count);
void offset_tracker_clear(struct offset_tracker *tracker);
/* A record was read. False when it is known already: a rebalance made Kafka deliver it again. */
bool offset_tracker_begin(struct offset_tracker *tracker, int32_t partition, int64_t offset);
/* Its work is done. Unknown offsets are ignored: the partition was forgotten meanwhile. */
void offset_tracker_finish(struct offset_tracker *tracker, int32_t partition, int64_t offset);
/* The partition is no longer ours. */
void offset_tracker_forget(struct offset_tracker *tracker, int32_t partition);
/* True with the offset to commit when it has moved since the last call. */
bool offset_tracker_take_mark(struct offset_tracker *tracker, int32_t partition, int64_t *next);

#endif
