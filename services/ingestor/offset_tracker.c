#include "offset_tracker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tracked_offset {
    int64_t offset;
    bool is_finished;
};

struct tracked_partition {
    struct tracked_offset *offsets; /* ascending: from the oldest unfinished one on */
    size_t count;
    size_t capacity;
    int64_t seen_to; /* the offset after the last one begun; 0: none */
    int64_t mark;    /* everything before is finished */
    bool has_moved;
};

void offset_tracker_init(struct offset_tracker *tracker, int32_t partition_count)
{
    tracker->partitions = mem_calloc((size_t)partition_count, sizeof *tracker->partitions);
    tracker->partition_count = partition_count;
}

void offset_tracker_clear(struct offset_tracker *tracker)
{
    for (int32_t i = 0; i < tracker->partition_count; i++)
        free(tracker->partitions[i].offsets);
    free(tracker->partitions);
    *tracker = (struct offset_tracker){0};
}

bool offset_tracker_begin(struct offset_tracker *tracker, int32_t partition, int64_t offset)
{
    struct tracked_partition *tracked = &tracker->partitions[partition];

    if (offset < tracked->seen_to)
        return false;
    if (tracked->count == tracked->capacity) {
        tracked->capacity = tracked->capacity ? 2 * tracked->capacity : 16;
        tracked->offsets =
            mem_realloc_array(tracked->offsets, tracked->capacity, sizeof *tracked->offsets);
    }
    tracked->offsets[tracked->count++] = (struct tracked_offset){.offset = offset};
    tracked->seen_to = offset + 1;
    return true;
}

static void drop_finished(struct tracked_partition *tracked)
{
    size_t finished = 0;

    while (finished < tracked->count && tracked->offsets[finished].is_finished)
        finished++;
    if (finished == 0)
        return;
    tracked->mark = tracked->offsets[finished - 1].offset + 1;
    tracked->has_moved = true;
    tracked->count -= finished;
    memmove(tracked->offsets, tracked->offsets + finished,
            tracked->count * sizeof *tracked->offsets);
}

void offset_tracker_finish(struct offset_tracker *tracker, int32_t partition, int64_t offset)
{
    struct tracked_partition *tracked = &tracker->partitions[partition];

    for (size_t i = 0; i < tracked->count; i++) {
        if (tracked->offsets[i].offset == offset) {
            tracked->offsets[i].is_finished = true;
            break;
        }
    }
    drop_finished(tracked);
}

void offset_tracker_forget(struct offset_tracker *tracker, int32_t partition)
{
    struct tracked_partition *tracked = &tracker->partitions[partition];

    free(tracked->offsets);
    *tracked = (struct tracked_partition){0};
}

bool offset_tracker_take_mark(struct offset_tracker *tracker, int32_t partition, int64_t *next)
{
    struct tracked_partition *tracked = &tracker->partitions[partition];

    if (!tracked->has_moved)
        return false;
    tracked->has_moved = false;
    *next = tracked->mark;
    return true;
}
