/* Whether the database has been migrated as far as this program needs. */
#ifndef PERSISTER_SCHEMA_CHECK_H
#define PERSISTER_SCHEMA_CHECK_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "pg_client.h"

/* The migration that this program's SQL needs; later ones may be there already. */
#define SCHEMA_VERSION_NEEDED INT64_C(20261123080400)

/* Errors, all retriable: ERR_CONFIG when migrations are missing or stopped half-way; else
 * pg_client's. */
int schema_check(struct pg_client *client, struct err *err) MUST_CHECK;

#endif
