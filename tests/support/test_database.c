#include "tests/support/test_database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/support/unit_test.h"

enum { ROWS_BYTES_MAX = 1024 * 1024 };

void test_database_open(struct test_database *database)
{
    static int counter;
    char sql[256];

    (void)snprintf(database->schema, sizeof database->schema, "test_%d_%d", (int)getpid(),
                   counter++);
    unsetenv("PGOPTIONS");
    database->connection = PQconnectdb("");
    if (PQstatus(database->connection) != CONNECTION_OK)
        fail_msg("PostgreSQL: %s", PQerrorMessage(database->connection));
    (void)snprintf(sql, sizeof sql, "CREATE SCHEMA %s", database->schema);
    test_database_run(database, sql);
    (void)snprintf(sql, sizeof sql, "SET search_path = %s; SET TIME ZONE 'UTC'", database->schema);
    test_database_run(database, sql);
    (void)snprintf(sql, sizeof sql, "-c search_path=%s", database->schema);
    setenv("PGOPTIONS", sql, 1);
    assert_int_equal(system("migrations/migrate.sh up > /dev/null"), 0);
}

void test_database_close(struct test_database *database)
{
    char sql[256];

    unsetenv("PGOPTIONS");
    (void)snprintf(sql, sizeof sql,
                   "SET client_min_messages = warning; DROP SCHEMA IF EXISTS %s CASCADE",
                   database->schema);
    test_database_run(database, sql);
    PQfinish(database->connection);
}

static PGresult *execute(struct test_database *database, const char *sql)
{
    PGresult *result = PQexec(database->connection, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(database->connection));
    return result;
}

void test_database_run(struct test_database *database, const char *sql)
{
    PQclear(execute(database, sql));
}

char *test_database_rows(struct test_database *database, const char *sql)
{
    PGresult *result = execute(database, sql);
    struct buf text;

    buf_init(&text, ROWS_BYTES_MAX);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            if (column > 0)
                buf_append_char(&text, '|');
            buf_append_text(&text, PQgetvalue(result, row, column));
        }
        buf_append_char(&text, '\n');
    }
    PQclear(result);
    return buf_take(&text);
}

void test_database_expect(struct test_database *database, const char *sql, const char *rows)
{
    char *actual = test_database_rows(database, sql);

    assert_string_equal(actual, rows);
    free(actual);
}
