/* migrations/migrate.sh against a real PostgreSQL: what it does when something is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test_database.h"
#include "tests/support/unit_test.h"

enum { COMMAND_BYTES = 1024, OUTPUT_BYTES = 4096 };

struct fixture {
    struct test_database database;
    char folder[64]; /* a copy of migrations/ to put files into */
    char output[OUTPUT_BYTES];
};

static int run(const char *command)
{
    int status = system(command);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char command[COMMAND_BYTES];

    test_database_open(&fixture->database);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/migrations test XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(command, sizeof command, "cp -r migrations/. '%s'", fixture->folder);
    assert_int_equal(run(command), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[COMMAND_BYTES];

    (void)snprintf(command, sizeof command, "rm -r '%s'", fixture->folder);
    assert_int_equal(run(command), 0);
    test_database_close(&fixture->database);
    free(fixture);
    return 0;
}

/* Runs the copy of migrate.sh from another directory; its output is kept. */
static int migrate(struct fixture *fixture, const char *arguments)
{
    char command[COMMAND_BYTES];
    FILE *output;
    size_t length;
    int status;

    (void)snprintf(command, sizeof command, "cd / && '%s/migrate.sh' %s 2>&1", fixture->folder,
                   arguments);
    output = popen(command, "r");
    assert_non_null(output);
    length = fread(fixture->output, 1, sizeof fixture->output - 1, output);
    fixture->output[length] = '\0';
    status = pclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void add_file(const struct fixture *fixture, const char *name, const char *sql)
{
    char path[COMMAND_BYTES];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(sql, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_step_that_fails_is_rolled_back_with_its_version(void **state)
{
    struct fixture *fixture = *state;

    add_file(fixture, "30000101000000_good.up.sql", "CREATE TABLE good (x int);");
    add_file(fixture, "30000102000000_bad.up.sql", "CREATE TABLE half (x int); SELECT 1/0;");
    add_file(fixture, "30000103000000_later.up.sql", "CREATE TABLE later (x int);");
    assert_int_equal(migrate(fixture, "up"), 1);
    assert_non_null(strstr(fixture->output, "applied 30000101000000_good.up.sql\n"));
    assert_non_null(strstr(fixture->output, "division by zero"));
    test_database_expect(&fixture->database, "SELECT version, dirty FROM schema_migrations",
                         "30000101000000|f\n");
    test_database_expect(&fixture->database,
                         "SELECT to_regclass('good') IS NULL, to_regclass('half') IS NULL,"
                         " to_regclass('later') IS NULL",
                         "f|t|t\n");
}

static void a_dirty_database_is_left_alone_and_explained(void **state)
{
    struct fixture *fixture = *state;

    test_database_run(&fixture->database, "UPDATE schema_migrations SET dirty = true");
    assert_int_equal(migrate(fixture, "up"), 1);
    assert_non_null(strstr(fixture->output, "the database is dirty"));
    assert_int_equal(migrate(fixture, "down"), 1);
    assert_int_equal(migrate(fixture, "version"), 0);
    assert_non_null(strstr(fixture->output, "(dirty)"));
    test_database_expect(&fixture->database, "SELECT to_regclass('trades')", "trades\n");
}

static void down_from_a_version_without_files_is_refused(void **state)
{
    struct fixture *fixture = *state;

    test_database_run(&fixture->database, "UPDATE schema_migrations SET version = 7");
    assert_int_equal(migrate(fixture, "down"), 1);
    assert_non_null(strstr(fixture->output, "no migration of version 7"));
}

static void wrong_arguments_end_with_status_2(void **state)
{
    static const char *const arguments[] = {"",       "sideways", "up 2",       "down none",
                                            "down 0", "create",   "create ../x"};

    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++)
        assert_int_equal(migrate(*state, arguments[i]), 2);
}

static void create_makes_an_empty_pair_that_up_and_down_apply(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(migrate(fixture, "create add_something"), 0);
    assert_non_null(strstr(fixture->output, "_add_something.up.sql\n"));
    assert_non_null(strstr(fixture->output, "_add_something.down.sql\n"));
    assert_int_equal(migrate(fixture, "up"), 0);
    assert_non_null(strstr(fixture->output, "migrate: 1 applied"));
    assert_int_equal(migrate(fixture, "down"), 0);
    assert_non_null(strstr(fixture->output, "migrate: 1 applied"));
}

#define runner_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        runner_test(a_step_that_fails_is_rolled_back_with_its_version),
        runner_test(a_dirty_database_is_left_alone_and_explained),
        runner_test(down_from_a_version_without_files_is_refused),
        runner_test(wrong_arguments_end_with_status_2),
        runner_test(create_makes_an_empty_pair_that_up_and_down_apply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
