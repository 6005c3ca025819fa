/* scheduler --next-firings: when cron expressions fire, for people and for tests. */
#ifndef SCHEDULER_FIRING_LIST_H
#define SCHEDULER_FIRING_LIST_H

#include <stdio.h>

#include "base/attributes.h"
#include "base/err.h"

/*
 * arguments: triples EXPR FROM COUNT. FROM is a date or time in RFC 3339, or "now". Prints, a line
 * each, the COUNT firings after FROM; with a negative COUNT those at or before FROM, the latest
 * first. Errors: ERR_CONFIG for arguments that are none of this.
 */
int firing_list_print(char **arguments, int count, FILE *out, struct err *err) MUST_CHECK;

#endif
