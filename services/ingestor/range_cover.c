#include "range_cover.h"

#include <stdlib.h>

#include "base/mem.h"

void range_cover_init(struct range_cover *cover, size_t count)
{
    *cover = (struct range_cover){
        .bits = mem_calloc(count / 8 + 1, 1),
        .count = count,
        .missing = count,
    };
}

void range_cover_clear(struct range_cover *cover)
{
    free(cover->bits);
    *cover = (struct range_cover){0};
}

bool range_cover_has(const struct range_cover *cover, size_t position)
{
    return cover->bits[position / 8] >> (position % 8) & 1;
}

bool range_cover_add(struct range_cover *cover, size_t position)
{
    if (range_cover_has(cover, position))
        return false;
    cover->bits[position / 8] |= (uint8_t)(1u << (position % 8));
    cover->missing--;
    return true;
}

bool range_cover_last_missing(const struct range_cover *cover, size_t bound, size_t *position)
{
    for (size_t i = bound < cover->count ? bound : cover->count; i > 0; i--) {
        if (!range_cover_has(cover, i - 1)) {
            *position = i - 1;
            return true;
        }
    }
    return false;
}

bool range_cover_next_hole(const struct range_cover *cover, size_t start, size_t *from, size_t *to)
{
    size_t begin = start;

    while (begin < cover->count && range_cover_has(cover, begin))
        begin++;
    if (begin >= cover->count)
        return false;
    *from = begin;
    while (begin < cover->count && !range_cover_has(cover, begin))
        begin++;
    *to = begin;
    return true;
}
