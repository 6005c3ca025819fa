/* The two clocks. Pure modules take times as arguments; only the edges call these. Thread-safe. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);      /* Unix time, milliseconds */
int64_t clock_wall_us(void);      /* Unix time, microseconds */
int64_t clock_monotonic_ms(void); /* never goes back; origin unspecified */
int64_t clock_monotonic_us(void);

#endif
