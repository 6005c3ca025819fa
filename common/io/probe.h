/* Asks a program's own HTTP port how it is: what container health checks call, without curl. */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include "base/attributes.h"

/*
 * GET path from address, "host:port" as the program listens on it (0.0.0.0 and :: are asked through
 * loopback), answered within 3 s. Returns the process's exit status: PROGRAM_EXIT_OK for status
 * 200; otherwise PROGRAM_EXIT_FAILURE, with the answer or the reason on stderr.
 */
int probe_run(const char *address, const char *path) MUST_CHECK;

#endif
