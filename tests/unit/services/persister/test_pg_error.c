#include "tests/support/unit_test.h"

#include "persister/pg_error.h"

struct state_case {
    const char *name;
    const char *sqlstate;
    enum pg_fault fault;
};

static const struct state_case state_cases[] = {
    {"connection lost", "", PG_FAULT_PASSING},
    {"no state at all", NULL, PG_FAULT_PASSING},
    {"connection_failure", "08006", PG_FAULT_PASSING},
    {"too_many_connections", "53300", PG_FAULT_PASSING},
    {"disk_full", "53100", PG_FAULT_PASSING},
    {"admin_shutdown", "57P01", PG_FAULT_PASSING},
    {"statement timeout", "57014", PG_FAULT_PASSING},
    {"serialization_failure", "40001", PG_FAULT_PASSING},
    {"deadlock_detected", "40P01", PG_FAULT_PASSING},
    {"lock timeout", "55P03", PG_FAULT_PASSING},
    {"read only", "25006", PG_FAULT_PASSING},
    {"wrong password", "28P01", PG_FAULT_PASSING},
    {"no such database", "3D000", PG_FAULT_PASSING},
    {"io_error", "58030", PG_FAULT_PASSING},
    {"internal_error", "XX000", PG_FAULT_PASSING},
    {"undefined_table", "42P01", PG_FAULT_SCHEMA},
    {"undefined_column", "42703", PG_FAULT_SCHEMA},
    {"undefined_function", "42883", PG_FAULT_SCHEMA},
    {"invalid_schema_name", "3F000", PG_FAULT_SCHEMA},
    {"insufficient_privilege", "42501", PG_FAULT_SCHEMA},
    {"character_not_in_repertoire", "22021", PG_FAULT_RECORD},
    {"datetime overflow", "22008", PG_FAULT_RECORD},
    {"not_null_violation", "23502", PG_FAULT_RECORD},
    {"check_violation", "23514", PG_FAULT_RECORD},
    {"unique_violation", "23505", PG_FAULT_RECORD},
    {"datatype_mismatch", "42804", PG_FAULT_RECORD},
    {"index row too large", "54000", PG_FAULT_RECORD},
};

static void sqlstate_says_whose_fault_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof state_cases / sizeof state_cases[0]; i++) {
        print_message("%s\n", state_cases[i].name);
        assert_int_equal(pg_fault_of_sqlstate(state_cases[i].sqlstate), state_cases[i].fault);
    }
}

static void violations_are_told_apart(void **state)
{
    (void)state;
    assert_true(pg_is_unique_violation("23505"));
    assert_false(pg_is_unique_violation("23514"));
    assert_false(pg_is_unique_violation(""));
    assert_true(pg_is_check_violation("23514"));
    assert_false(pg_is_check_violation(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlstate_says_whose_fault_it_is),
        cmocka_unit_test(violations_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
