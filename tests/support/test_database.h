/*
 * A schema of its own in the PostgreSQL of the PG* environment, migrated by migrations/migrate.sh
 * and reached by every connection that this process opens while it stands. Run from the
 * repository's root.
 */
#ifndef SUPPORT_TEST_DATABASE_H
#define SUPPORT_TEST_DATABASE_H

#include <libpq-fe.h>

struct test_database {
    PGconn *connection; /* the test's own, beside that of the code under test */
    char schema[64];
};

/* Fails the test when PostgreSQL cannot be reached. */
void test_database_open(struct test_database *database);
void test_database_close(struct test_database *database); /* drops the schema */

/* Runs a statement; fails the test when it is refused. */
void test_database_run(struct test_database *database, const char *sql);
/* Rows as text, columns joined by '|', each row ended by '\n'. Returns owned. */
char *test_database_rows(struct test_database *database, const char *sql);
/* Asserts that the rows are exactly these. */
void test_database_expect(struct test_database *database, const char *sql, const char *rows);

#endif
