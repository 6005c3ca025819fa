#include "publish_progress.h"

#include <stdlib.h>

#include "base/mem.h"

struct publish_entry {
    struct publish_mark mark;
    bool is_acknowledged;
};

enum { PROGRESS_INITIAL_CAPACITY = 16 };

void publish_progress_init(struct publish_progress *progress)
{
    *progress = (struct publish_progress){0};
}

void publish_progress_clear(struct publish_progress *progress)
{
    free(progress->entries);
    *progress = (struct publish_progress){0};
}

void publish_progress_start(struct publish_progress *progress, struct publish_mark position)
{
    progress->first_sequence = progress->next_sequence;
    progress->position = position;
}

static struct publish_entry *entry_at(const struct publish_progress *progress, uint64_t sequence)
{
    return &progress->entries[sequence & (progress->capacity - 1)];
}

static void grow(struct publish_progress *progress)
{
    struct publish_progress larger = *progress;

    larger.capacity = progress->capacity ? 2 * progress->capacity : PROGRESS_INITIAL_CAPACITY;
    larger.entries = mem_calloc(larger.capacity, sizeof *larger.entries);
    for (uint64_t sequence = progress->first_sequence; sequence != progress->next_sequence;
         sequence++)
        *entry_at(&larger, sequence) = *entry_at(progress, sequence);
    free(progress->entries);
    *progress = larger;
}

uint64_t publish_progress_add(struct publish_progress *progress, struct publish_mark mark)
{
    if (publish_progress_pending(progress) == progress->capacity)
        grow(progress);
    *entry_at(progress, progress->next_sequence) = (struct publish_entry){.mark = mark};
    return progress->next_sequence++;
}

static void pass(struct publish_progress *progress, const struct publish_mark *mark)
{
    if (mark->trade_id.present) {
        progress->position.trade_id = mark->trade_id;
        progress->position.event_time_ms = mark->event_time_ms;
    }
    /* Whoever reads the trades topic on from here begins at the last record that we know of. */
    if (mark->offset.present)
        progress->position.offset = mark->offset;
}

void publish_progress_acknowledge(struct publish_progress *progress, uint64_t sequence,
                                  struct optional_int64 offset)
{
    if (sequence < progress->first_sequence || sequence >= progress->next_sequence)
        return;

    struct publish_entry *entry = entry_at(progress, sequence);
    entry->is_acknowledged = true;
    entry->mark.offset = offset;
    while (progress->first_sequence != progress->next_sequence) {
        entry = entry_at(progress, progress->first_sequence);
        if (!entry->is_acknowledged)
            return;
        pass(progress, &entry->mark);
        progress->first_sequence++;
    }
}

bool publish_progress_has_passed(const struct publish_progress *progress, uint64_t sequence)
{
    return sequence < progress->first_sequence;
}

size_t publish_progress_pending(const struct publish_progress *progress)
{
    return (size_t)(progress->next_sequence - progress->first_sequence);
}
