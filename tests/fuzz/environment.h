/* An environment made of the input, in place of the process's own while a target reads it. */
#ifndef FUZZ_ENVIRONMENT_H
#define FUZZ_ENVIRONMENT_H

#include "fuzz.h"

/* Lines of NAME=value, as many as there are up to a NUL or the end of the input. What lies behind
 * the NUL is the content of a file, whose path is the value of every NAME_FILE. Nothing else of the
 * environment is seen until environment_restore. */
void environment_replace(struct fuzz_input *input);
void environment_restore(void);

#endif
