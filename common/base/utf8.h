/* UTF-8 as RFC 3629 has it. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at the start of length bytes, which are at least one; 0 when no
 * well-formed one stands there: also for overlong forms, surrogates, what lies beyond U+10FFFF, and
 * a character whose end is missing. */
size_t utf8_character_bytes(const uint8_t *bytes, size_t length);

#endif
