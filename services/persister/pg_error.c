#include "pg_error.h"

#include <stddef.h>
#include <string.h>

static bool is_one_of(const char *sqlstate, const char *const *states, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    }
    return false;
}

enum pg_fault pg_fault_of_sqlstate(const char *sqlstate)
{
    static const char *const schema_states[] = {
        "3F000", /* invalid_schema_name */
        "42501", /* insufficient_privilege */
        "42703", /* undefined_column */
        "42883", /* undefined_function */
        "42P01", /* undefined_table */
        "42P10", /* no constraint for ON CONFLICT */
    };
    static const char *const record_classes[] = {"22", "23", "42", "54"};
    char class[3] = "";

    if (!sqlstate || strlen(sqlstate) != SQLSTATE_BYTES - 1)
        return PG_FAULT_PASSING;
    if (is_one_of(sqlstate, schema_states, sizeof schema_states / sizeof schema_states[0]))
        return PG_FAULT_SCHEMA;
    memcpy(class, sqlstate, 2);
    if (is_one_of(class, record_classes, sizeof record_classes / sizeof record_classes[0]))
        return PG_FAULT_RECORD;
    return PG_FAULT_PASSING;
}

bool pg_is_query_canceled(const char *sqlstate)
{
    return sqlstate && strcmp(sqlstate, "57014") == 0;
}

bool pg_is_unique_violation(const char *sqlstate)
{
    return sqlstate && strcmp(sqlstate, "23505") == 0;
}

bool pg_is_check_violation(const char *sqlstate)
{
    return sqlstate && strcmp(sqlstate, "23514") == 0;
}
