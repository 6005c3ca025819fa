/* What is wrong with a letter and what to do about it, in words. Pure. */
#ifndef DEAD_LETTERS_ADVICE_H
#define DEAD_LETTERS_ADVICE_H

#include <stdbool.h>

#include "base/err.h"
#include "letter.h"

enum { ADVICE_BYTES = 480 };

struct advice {
    char wrong[ADVICE_BYTES];
    char remedy[ADVICE_BYTES];
};

/* value_fault: why the value cannot be read now; ERR_NONE when it can. is_ours: the source is a
 * topic of this TOPIC_PREFIX. */
void advice_give(const struct letter *letter, enum letter_state state, bool is_ours,
                 const struct err *value_fault, struct advice *advice);

#endif
