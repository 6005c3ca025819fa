/* Tells whoever started the simulator which ports it got. */
#ifndef OKX_SIM_PORTS_FILE_H
#define OKX_SIM_PORTS_FILE_H

#include "base/attributes.h"
#include "base/err.h"

/* Writes "okx=PORT" and "admin=PORT". Whoever waits for the file sees it whole or not at all.
 * ERR_SYSTEM. */
int ports_file_write(const char *path, int port, int admin_port, struct err *err) MUST_CHECK;

#endif
