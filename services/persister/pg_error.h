/*
 * What a refusal by PostgreSQL means for the batch, by its SQLSTATE. Pure.
 * Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
 */
#ifndef PERSISTER_PG_ERROR_H
#define PERSISTER_PG_ERROR_H

#include <stdbool.h>

enum { SQLSTATE_BYTES = 6 };

enum pg_fault {
    PG_FAULT_PASSING, /* the server's, or the connection's: wait and try the same again */
    PG_FAULT_SCHEMA, /* tables, columns or rights are missing: wait for an operator, lose nothing */
    PG_FAULT_RECORD, /* the data's: trying the same again cannot help */
};

/* sqlstate: five characters, or "" or NULL for a lost connection. What we don't know is passing:
 * waiting loses nothing, while a record that is put aside by mistake is missing. */
enum pg_fault pg_fault_of_sqlstate(const char *sqlstate);
/* statement_timeout, or somebody's pg_cancel_backend. */
bool pg_is_query_canceled(const char *sqlstate);
bool pg_is_unique_violation(const char *sqlstate);
/* Also what a row without a partition gives. */
bool pg_is_check_violation(const char *sqlstate);

#endif
