/* Counts events in a true sliding window: how many lie less than window_us back. Pure. */
#ifndef OKX_SIM_SLIDING_WINDOW_H
#define OKX_SIM_SLIDING_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sliding_window {
    int64_t window_us;
    size_t count_max; /* older events are forgotten beyond this many */
    int64_t *times;   /* a ring of capacity entries */
    size_t capacity, first, count;
};

void sliding_window_init(struct sliding_window *window, int64_t window_us, size_t count_max);
void sliding_window_clear(struct sliding_window *window);
/* Events in the window that ends at now_us; now_us must not go back. */
size_t sliding_window_count(struct sliding_window *window, int64_t now_us);
/* Adds an event; returns the count with it. */
size_t sliding_window_add(struct sliding_window *window, int64_t now_us);
/* Adds an event unless limit of them are in the window already. */
bool sliding_window_admit(struct sliding_window *window, size_t limit, int64_t now_us);

#endif
