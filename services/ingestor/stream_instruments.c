#include "stream_instruments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void stream_instruments_clear(struct stream_instruments *instruments)
{
    for (size_t i = 0; i < instruments->count; i++) {
        early_trades_clear(&instruments->items[i]->series.early);
        free(instruments->items[i]);
    }
    free(instruments->items);
    *instruments = (struct stream_instruments){0};
}

/* The index of the instrument, or of where it belongs. */
static size_t search(const struct stream_instruments *instruments, const char *inst_id)
{
    size_t low = 0;
    size_t high = instruments->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(instruments->items[middle]->inst_id, inst_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct stream_instrument *stream_instruments_find(const struct stream_instruments *instruments,
                                                  const char *inst_id)
{
    size_t index = search(instruments, inst_id);
    bool is_found =
        index < instruments->count && strcmp(instruments->items[index]->inst_id, inst_id) == 0;

    return is_found ? instruments->items[index] : NULL;
}

struct stream_instrument *stream_instruments_add(struct stream_instruments *instruments,
                                                 const char *inst_id)
{
    size_t index = search(instruments, inst_id);
    struct stream_instrument *instrument = mem_calloc(1, sizeof *instrument);

    if (instruments->count == instruments->capacity) {
        instruments->capacity = instruments->capacity ? 2 * instruments->capacity : 16;
        instruments->items = mem_realloc_array(instruments->items, instruments->capacity,
                                               sizeof *instruments->items);
    }
    snprintf(instrument->inst_id, sizeof instrument->inst_id, "%s", inst_id);
    memmove(instruments->items + index + 1, instruments->items + index,
            (instruments->count - index) * sizeof *instruments->items);
    instruments->items[index] = instrument;
    instruments->count++;
    return instrument;
}
