/*
 * JSON's numbers have any number of digits, jansson's have not: it refuses a text with an integer
 * beyond 64 bits or a real beyond a double, and prints other reals with other digits than they came
 * with. So these numbers are made strings that carry a mark before jansson sees them, and numbers
 * again when they are printed. Pure.
 */
#ifndef INGESTOR_EXACT_NUMBERS_H
#define INGESTOR_EXACT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/text_view.h"

enum { EXACT_NUMBERS_MARK_BYTES = 8 }; /* what a mark adds to a number */

/*
 * Appends the JSON text to out with each real, and each integer of more than 18 digits, as a marked
 * string, and returns 1; everything else is copied as it is, errors included. 0 when there is no
 * such number, or no room for the marks: the text can be read as it stands, or not at all. -1 when
 * there are more than values_max values, each but the first behind a comma or a bracket.
 */
int exact_numbers_mark(const char *text, size_t length, size_t values_max,
                       struct buf *out) MUST_CHECK;
/* True when the string's value is a marked number: *number is its text, borrowed. */
bool exact_numbers_is_marked(struct text_view value, struct text_view *number);
/* Makes marked strings of a JSON text numbers again, in place. */
void exact_numbers_unmark(char *json);

#endif
