/*
 * Which of the positions 0..count-1 have arrived: the trade ids, or the bars, of one fetch command.
 * Pure. Not thread-safe.
 */
#ifndef INGESTOR_RANGE_COVER_H
#define INGESTOR_RANGE_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range_cover {
    uint8_t *bits; /* owned */
    size_t count;
    size_t missing;
};

void range_cover_init(struct range_cover *cover, size_t count);
void range_cover_clear(struct range_cover *cover);
/* False when it was there already. */
bool range_cover_add(struct range_cover *cover, size_t position);
bool range_cover_has(const struct range_cover *cover, size_t position);
/* The last missing position below bound; false when there is none. */
bool range_cover_last_missing(const struct range_cover *cover, size_t bound, size_t *position);
/* The next run of missing positions [*from, *to) at or after start; false when there is none. */
bool range_cover_next_hole(const struct range_cover *cover, size_t start, size_t *from, size_t *to);

#endif
