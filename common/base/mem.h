/*
 * Allocation that never returns NULL: when memory runs out the process says so on stderr and aborts
 * (docs/decisions/0002). Every amount that depends on foreign input is capped before it gets here.
 * Thread-safe. Release with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Zeroed; aborts on overflow of count * bytes. */
void *mem_calloc(size_t count, size_t bytes)
    __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_realloc_array(void *block, size_t count, size_t bytes)
    __attribute__((returns_nonnull, warn_unused_result));
/* NULL gives NULL. */
char *mem_strdup(const char *text) __attribute__((warn_unused_result));
char *mem_strndup(const char *text, size_t length)
    __attribute__((returns_nonnull, warn_unused_result));
/* printf into a fresh string. */
char *mem_sprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull, warn_unused_result));

#endif
