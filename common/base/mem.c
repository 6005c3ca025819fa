#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void abort_out_of_memory(void)
{
    static const char text[] = "out of memory\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        abort();
    abort();
}

void *mem_alloc(size_t bytes)
{
    void *block = malloc(bytes ? bytes : 1);
    if (!block)
        abort_out_of_memory();
    return block;
}

void *mem_calloc(size_t count, size_t bytes)
{
    void *block = count && bytes ? calloc(count, bytes) : calloc(1, 1);
    if (!block)
        abort_out_of_memory();
    return block;
}

void *mem_realloc_array(void *block, size_t count, size_t bytes)
{
    void *grown = count && bytes ? reallocarray(block, count, bytes) : realloc(block, 1);
    if (!grown)
        abort_out_of_memory();
    return grown;
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t length)
{
    size_t bytes = length ? strnlen(text, length) : 0;
    char *copy = mem_alloc(bytes + 1);
    if (bytes)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *mem_sprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort_out_of_memory();
    return text;
}
