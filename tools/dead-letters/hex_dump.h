/* Bytes as offsets, hexadecimal digits and ASCII. Pure. */
#ifndef DEAD_LETTERS_HEX_DUMP_H
#define DEAD_LETTERS_HEX_DUMP_H

#include <stddef.h>

#include "base/buf.h"

/* Sixteen bytes a line; beyond bytes_max a last line says how many more there are. */
void hex_dump_append(struct buf *out, const void *bytes, size_t length, size_t bytes_max);

#endif
