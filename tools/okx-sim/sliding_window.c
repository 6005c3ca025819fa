#include "sliding_window.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void sliding_window_init(struct sliding_window *window, int64_t window_us, size_t count_max)
{
    *window = (struct sliding_window){.window_us = window_us, .count_max = count_max};
}

void sliding_window_clear(struct sliding_window *window)
{
    free(window->times);
    sliding_window_init(window, window->window_us, window->count_max);
}

static void forget_first(struct sliding_window *window)
{
    window->first = (window->first + 1) % window->capacity;
    window->count--;
}

size_t sliding_window_count(struct sliding_window *window, int64_t now_us)
{
    while (window->count > 0 && now_us - window->times[window->first] >= window->window_us)
        forget_first(window);
    return window->count;
}

static void grow(struct sliding_window *window)
{
    size_t capacity = window->capacity > 0 ? window->capacity * 2 : 16;
    int64_t *times = mem_calloc(capacity, sizeof *times);

    for (size_t i = 0; i < window->count; i++)
        times[i] = window->times[(window->first + i) % window->capacity];
    free(window->times);
    window->times = times;
    window->capacity = capacity;
    window->first = 0;
}

size_t sliding_window_add(struct sliding_window *window, int64_t now_us)
{
    sliding_window_count(window, now_us);
    if (window->count == window->count_max)
        forget_first(window);
    if (window->count == window->capacity)
        grow(window);
    window->times[(window->first + window->count) % window->capacity] = now_us;
    return ++window->count;
}

bool sliding_window_admit(struct sliding_window *window, size_t limit, int64_t now_us)
{
    if (sliding_window_count(window, now_us) >= limit)
        return false;
    sliding_window_add(window, now_us);
    return true;
}
