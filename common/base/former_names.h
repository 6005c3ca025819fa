/*
 * Settings under the names that the Go program of this project had for them (API_KEY, DB_HOST,
 * ...): still understood, with a warning that tells the new name.
 */
#ifndef BASE_FORMER_NAMES_H
#define BASE_FORMER_NAMES_H

#include <stddef.h>
#include <stdio.h>

#include "base/env_config.h"

/*
 * Renames the variables of the process's environment, for those settings of the table that had
 * another name, and brings their values into today's form. When both names are set, the new one
 * wins. One line to warnings for each: "persister: DB_HOST is deprecated, its name is PGHOST now".
 * Call before other threads exist.
 */
void former_names_apply(const char *program, const struct setting *settings, size_t count,
                        FILE *warnings);

#endif
