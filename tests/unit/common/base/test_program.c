#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/program.h"
#include "tests/support/captured_child.h"

enum { RETURNED_TO_RUN = 77 };

struct config {
    char *servers, *password;
};

static const struct setting settings[] = {
    {.name = "T_SERVERS",
     .type = SETTING_TEXT,
     .flags = SETTING_REQUIRED,
     .offset = offsetof(struct config, servers),
     .meaning = "where the brokers are"},
    {.name = "T_PASSWORD",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct config, password),
     .meaning = "the password"},
};

static void refuse_the_moon(void *config, struct config_problems *problems)
{
    const char *servers = ((struct config *)config)->servers;
    if (servers && strcmp(servers, "moon") == 0)
        config_problems_add(problems, "T_SERVERS is too far away");
}

static int tell_servers(const void *config)
{
    printf("asked %s\n", ((const struct config *)config)->servers);
    return 7;
}

static const struct program program = {
    .name = "testd",
    .summary = "does nothing, well.",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .validate = refuse_the_moon,
    .probe = tell_servers,
};

struct start {
    const char *servers; /* T_SERVERS; NULL: unset */
    const char *arguments[3];
};

static int start_program(void *context)
{
    const struct start *start = context;
    struct config config = {0};
    char *argv[4] = {"testd"};
    int argc = 1;

    for (; argc <= 3 && start->arguments[argc - 1]; argc++)
        argv[argc] = (char *)start->arguments[argc - 1];
    unsetenv("T_SERVERS");
    setenv("T_PASSWORD", "hunter2", 1);
    if (start->servers)
        setenv("T_SERVERS", start->servers, 1);
    int status = program_start(&program, argc, argv, &config);
    if (status == -1 && (!config.servers || strcmp(config.servers, start->servers) != 0))
        return 99;
    if (status != -1 && (config.servers || config.password))
        return 98;
    env_config_clear(settings, program.setting_count, &config);
    return status == -1 ? RETURNED_TO_RUN : status;
}

static const struct program_case {
    const char *name;
    struct start start;
    int exit_status;
    const char *out, *err;
} program_cases[] = {
    {"no argument runs", {"kafka:9092", {0}}, RETURNED_TO_RUN, "", ""},
    {"good settings are ok", {"kafka:9092", {"--check-config"}}, 0, "ok\n", ""},
    {"bad settings are named", {NULL, {"--check-config"}}, 2, "", "testd: T_SERVERS is not set\n"},
    {"bad settings do not run", {NULL, {0}}, 2, "", "testd: T_SERVERS is not set\n"},
    {"the program's own check counts",
     {"moon", {"--check-config"}},
     2,
     "",
     "testd: T_SERVERS is too far away\n"},
    {"settings are printed without secrets",
     {"kafka:9092", {"--print-config"}},
     0,
     "T_SERVERS=kafka:9092\nT_PASSWORD=******\n",
     ""},
    {"bad settings are printed too",
     {NULL, {"--print-config"}},
     2,
     "T_SERVERS=\nT_PASSWORD=******\n",
     "testd: T_SERVERS is not set\n"},
    {"the probe decides the status", {"kafka:9092", {"--probe"}}, 7, "asked kafka:9092\n", ""},
    {"nothing is probed with bad settings",
     {NULL, {"--probe"}},
     2,
     "",
     "testd: T_SERVERS is not set\n"},
    {"an unknown argument is refused",
     {"kafka:9092", {"--frobnicate"}},
     2,
     "",
     "testd: unknown argument '--frobnicate', see testd --help\n"},
    {"an unknown argument behind a known one is refused",
     {"kafka:9092", {"--help", "x"}},
     2,
     "",
     "testd: unknown argument 'x', see testd --help\n"},
    {"an empty argument is refused",
     {"kafka:9092", {""}},
     2,
     "",
     "testd: unknown argument '', see testd --help\n"},
};

static void arguments_and_settings_decide_what_happens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof program_cases / sizeof program_cases[0]; i++) {
        const struct program_case *expected = &program_cases[i];
        struct captured_child child = captured_child_run(start_program, (void *)&expected->start);
        if (child.exit_status != expected->exit_status)
            fail_msg("%s: exit status %d", expected->name, child.exit_status);
        assert_string_equal(child.out, expected->out);
        assert_string_equal(child.err, expected->err);
        captured_child_clear(&child);
    }
}

static void help_needs_no_settings_and_tells_settings_and_exit_status(void **state)
{
    static const char *const parts[] = {
        "testd: does nothing, well.\n",
        "--help",
        "--version",
        "--check-config",
        "--print-config",
        "  T_SERVERS ",
        "  0  ended in order",
        "  1  could not go on",
        "  2  settings",
    };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct start start = {NULL, {i ? "--help" : "-h"}};
        struct captured_child child = captured_child_run(start_program, &start);
        assert_int_equal(child.exit_status, 0);
        assert_string_equal(child.err, "");
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++)
            if (!strstr(child.out, parts[j]))
                fail_msg("no '%s' in:\n%s", parts[j], child.out);
        captured_child_clear(&child);
    }
}

static void version_needs_no_settings(void **state)
{
    struct start start = {NULL, {"--version"}};
    struct captured_child child = captured_child_run(start_program, &start);
    char expected[128];
    (void)state;
    snprintf(expected, sizeof expected, "testd %s\n", program_version());
    assert_int_equal(child.exit_status, 0);
    assert_string_equal(child.out, expected);
    assert_string_equal(child.err, "");
    assert_non_null(strchr(program_version(), '('));
    captured_child_clear(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_settings_decide_what_happens),
        cmocka_unit_test(help_needs_no_settings_and_tells_settings_and_exit_status),
        cmocka_unit_test(version_needs_no_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
