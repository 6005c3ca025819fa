#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env_config.h"

struct config {
    char *servers, *level, *note;
    char *password;
    int64_t partitions, wait_ms, pin;
    bool is_fast;
};

static const struct setting settings[] = {
    {.name = "T_SERVERS",
     .type = SETTING_TEXT,
     .flags = SETTING_REQUIRED,
     .offset = offsetof(struct config, servers),
     .meaning = "where the brokers are"},
    {.name = "T_LEVEL",
     .type = SETTING_CHOICE,
     .fallback = "info",
     .choices = "debug|info|warn",
     .offset = offsetof(struct config, level),
     .meaning = "how much is logged"},
    {.name = "T_NOTE",
     .type = SETTING_TEXT,
     .offset = offsetof(struct config, note),
     .meaning = "anything"},
    {.name = "T_PASSWORD",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct config, password),
     .meaning = "the password"},
    {.name = "T_PARTITIONS",
     .type = SETTING_INT,
     .fallback = "12",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct config, partitions),
     .meaning = "partitions of a topic"},
    {.name = "T_WAIT",
     .type = SETTING_DURATION_MS,
     .fallback = "30s",
     .min = 10,
     .max = 7200000,
     .offset = offsetof(struct config, wait_ms),
     .meaning = "how long to wait"},
    {.name = "T_PIN",
     .type = SETTING_INT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct config, pin),
     .meaning = "a number to keep"},
    {.name = "T_FAST",
     .type = SETTING_BOOL,
     .offset = offsetof(struct config, is_fast),
     .meaning = "whether to hurry"},
};

enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static char secret_path[] = "/tmp/test_env_config_XXXXXX";

static int make_secret_file(void **state)
{
    (void)state;
    int fd = mkstemp(secret_path);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static int remove_secret_file(void **state)
{
    (void)state;
    return unlink(secret_path);
}

static int reset_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_FILE", settings[i].name);
        unsetenv(settings[i].name);
        unsetenv(name);
    }
    setenv("T_SERVERS", "localhost:9092", 1);
    return 0;
}

static void write_secret(const char *bytes, size_t length)
{
    FILE *file = fopen(secret_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void load(struct config *config, struct config_problems *problems)
{
    memset(config, 0xAA, sizeof *config); /* every member must be set */
    env_config_load(settings, SETTING_COUNT, config, problems);
}

/* Loads and expects exactly this mistake (NULL: none). */
static void assert_problem(struct config *config, const char *expected)
{
    struct config_problems problems = {0};
    load(config, &problems);
    assert_int_equal(problems.count, expected ? 1 : 0);
    if (expected)
        assert_string_equal(problems.lines[0], expected);
    config_problems_clear(&problems);
}

static void clear(struct config *config)
{
    env_config_clear(settings, SETTING_COUNT, config);
    assert_null(config->servers);
    env_config_clear(settings, SETTING_COUNT, config);
}

static void what_is_unset_or_empty_gets_its_default(void **state)
{
    struct config config;
    (void)state;
    setenv("T_PARTITIONS", "", 1);
    setenv("T_LEVEL", "", 1);
    assert_problem(&config, NULL);
    assert_string_equal(config.servers, "localhost:9092");
    assert_string_equal(config.level, "info");
    assert_null(config.note);
    assert_null(config.password);
    assert_int_equal(config.partitions, 12);
    assert_int_equal(config.wait_ms, 30000);
    assert_int_equal(config.pin, 0);
    assert_false(config.is_fast);
    clear(&config);
}

static void what_is_set_is_read_by_type(void **state)
{
    struct config config;
    (void)state;
    setenv("T_LEVEL", "debug", 1);
    setenv("T_NOTE", " as it stands ", 1);
    setenv("T_PASSWORD", "secret", 1);
    setenv("T_PARTITIONS", "1000", 1);
    setenv("T_WAIT", "2h", 1);
    setenv("T_FAST", "yes", 1);
    assert_problem(&config, NULL);
    assert_string_equal(config.level, "debug");
    assert_string_equal(config.note, " as it stands ");
    assert_string_equal(config.password, "secret");
    assert_int_equal(config.partitions, 1000);
    assert_int_equal(config.wait_ms, 7200000);
    assert_true(config.is_fast);
    clear(&config);
}

static void durations_are_read_with_their_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"250ms", 250}, {"30s", 30000}, {"5m", 300000}, {"2h", 7200000}, {"010s", 10000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        setenv("T_WAIT", cases[i].text, 1);
        assert_problem(&config, NULL);
        assert_int_equal(config.wait_ms, cases[i].ms);
        clear(&config);
    }
}

static void booleans_have_four_pairs_of_words(void **state)
{
    static const char *const words[][2] = {
        {"true", "false"}, {"1", "0"}, {"yes", "no"}, {"on", "off"}};
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct config config;
        setenv("T_FAST", words[i / 2][i % 2], 1);
        assert_problem(&config, NULL);
        assert_int_equal(config.is_fast, i % 2 == 0);
        clear(&config);
    }
}

static void a_mistake_names_the_variable_its_value_and_what_is_expected(void **state)
{
    static const struct {
        const char *name, *value, *problem;
    } cases[] = {
        {"T_SERVERS", "", "T_SERVERS is not set"},
        {"T_LEVEL", "loud", "T_LEVEL is 'loud', expected one of: debug, info, warn"},
        {"T_LEVEL", "debug|info", "T_LEVEL is 'debug|info', expected one of: debug, info, warn"},
        {"T_LEVEL", "INFO", "T_LEVEL is 'INFO', expected one of: debug, info, warn"},
        {"T_PARTITIONS", "many", "T_PARTITIONS is 'many', expected an integer"},
        {"T_PARTITIONS", "12 ", "T_PARTITIONS is '12 ', expected an integer"},
        {"T_PARTITIONS", "0", "T_PARTITIONS is '0', expected 1 to 1000"},
        {"T_PARTITIONS", "1001", "T_PARTITIONS is '1001', expected 1 to 1000"},
        {"T_PARTITIONS", "99999999999999999999",
         "T_PARTITIONS is '99999999999999999999', expected an integer"},
        {"T_WAIT", "9ms", "T_WAIT is '9ms', expected 10ms to 2h"},
        {"T_WAIT", "121m", "T_WAIT is '121m', expected 10ms to 2h"},
        {"T_WAIT", "30", "T_WAIT is '30', expected a duration such as 250ms, 30s, 5m, 2h or 7d"},
        {"T_WAIT", "s", "T_WAIT is 's', expected a duration such as 250ms, 30s, 5m, 2h or 7d"},
        {"T_WAIT", "-5s", "T_WAIT is '-5s', expected a duration such as 250ms, 30s, 5m, 2h or 7d"},
        {"T_WAIT", "1.5s",
         "T_WAIT is '1.5s', expected a duration such as 250ms, 30s, 5m, 2h or 7d"},
        {"T_WAIT", "9223372036854775807d",
         "T_WAIT is '9223372036854775807d', expected a duration such as 250ms, 30s, 5m, 2h or 7d"},
        {"T_FAST", "maybe", "T_FAST is 'maybe', expected true or false"},
        {"T_PIN", "hunter2", "T_PIN is malformed, expected an integer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        reset_environment(NULL);
        setenv(cases[i].name, cases[i].value, 1);
        assert_problem(&config, cases[i].problem);
        assert_string_equal(config.level, "info");
        assert_int_equal(config.partitions, 12);
        assert_int_equal(config.wait_ms, 30000);
        clear(&config);
    }
}

static void all_mistakes_are_reported_together(void **state)
{
    struct config config;
    struct config_problems problems = {0};
    (void)state;
    unsetenv("T_SERVERS");
    setenv("T_LEVEL", "x", 1);
    setenv("T_PARTITIONS", "x", 1);
    setenv("T_FAST", "x", 1);
    load(&config, &problems);
    assert_int_equal(problems.count, 4);
    assert_string_equal(problems.lines[0], "T_SERVERS is not set");
    assert_string_equal(problems.lines[3], "T_FAST is 'x', expected true or false");
    config_problems_clear(&problems);
    assert_int_equal(problems.count, 0);
    clear(&config);
}

static void a_secret_is_read_from_its_file_without_the_last_newline(void **state)
{
    static const struct {
        const char *bytes, *secret;
    } cases[] = {{"s3cret\n", "s3cret"},
                 {"s3cret\r\n", "s3cret"},
                 {"s3cret", "s3cret"},
                 {" two\nlines\n\n", " two\nlines\n"},
                 {"", NULL},
                 {"\n", NULL}};
    (void)state;
    setenv("T_PASSWORD_FILE", secret_path, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        write_secret(cases[i].bytes, strlen(cases[i].bytes));
        assert_problem(&config, NULL);
        if (cases[i].secret)
            assert_string_equal(config.password, cases[i].secret);
        else
            assert_null(config.password);
        clear(&config);
    }
}

static void user_and_password_of_an_address_are_not_shown(void **state)
{
    static const struct {
        const char *value, *shown;
    } cases[] = {
        {"https://host/path", "https://host/path"},
        {"https://user:secret@host/path", "https://******@host/path"},
        {"https://user:se/cr@et@host:1", "https://******@host:1"},
        {"user:secret@host", "******@host"},
        {"role@server", "role@server"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *shown = env_config_printable(cases[i].value);

        assert_string_equal(shown, cases[i].shown);
        free(shown);
    }
}

static void a_secret_given_twice_is_a_mistake(void **state)
{
    struct config config;
    (void)state;
    write_secret("one", 3);
    setenv("T_PASSWORD_FILE", secret_path, 1);
    setenv("T_PASSWORD", "two", 1);
    assert_problem(&config,
                   "T_PASSWORD and T_PASSWORD_FILE are both set, expected only one of them");
    assert_null(config.password);
    clear(&config);
}

static void a_secret_file_that_cannot_be_used_is_named_with_the_reason(void **state)
{
    static char large[70000];
    char expected[256];
    struct config config;
    (void)state;
    setenv("T_PASSWORD_FILE", "/nonexistent/secret", 1);
    assert_problem(&config, "T_PASSWORD_FILE: cannot read '/nonexistent/secret': "
                            "No such file or directory");
    clear(&config);
    setenv("T_PASSWORD_FILE", "/tmp", 1);
    assert_problem(&config, "T_PASSWORD_FILE: cannot read '/tmp': Is a directory");
    clear(&config);

    setenv("T_PASSWORD_FILE", secret_path, 1);
    write_secret("a\0b", 3);
    snprintf(expected, sizeof expected, "T_PASSWORD_FILE: '%s' holds a zero byte", secret_path);
    assert_problem(&config, expected);
    clear(&config);
    memset(large, 'x', sizeof large);
    write_secret(large, sizeof large);
    snprintf(expected, sizeof expected, "T_PASSWORD_FILE: '%s' is larger than 65536 bytes",
             secret_path);
    assert_problem(&config, expected);
    clear(&config);
}

static void only_secrets_have_a_file_twin(void **state)
{
    struct config config;
    (void)state;
    write_secret("from the file", 13);
    setenv("T_NOTE_FILE", secret_path, 1);
    assert_problem(&config, NULL);
    assert_null(config.note);
    clear(&config);
}

static char *print(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    if (config)
        env_config_print(settings, SETTING_COUNT, config, out);
    else
        env_config_print_help(settings, SETTING_COUNT, out);
    fclose(out);
    return text;
}

static void printing_masks_secrets(void **state)
{
    struct config config;
    (void)state;
    setenv("T_PASSWORD", "hunter2", 1);
    setenv("T_PIN", "1234", 1);
    setenv("T_WAIT", "90s", 1);
    assert_problem(&config, NULL);
    char *text = print(&config);
    assert_string_equal(text, "T_SERVERS=localhost:9092\n"
                              "T_LEVEL=info\n"
                              "T_NOTE=\n"
                              "T_PASSWORD=******\n"
                              "T_PARTITIONS=12\n"
                              "T_WAIT=90s\n"
                              "T_PIN=******\n"
                              "T_FAST=false\n");
    free(text);
    clear(&config);
    unsetenv("T_PASSWORD");
    assert_problem(&config, NULL);
    text = print(&config);
    assert_non_null(strstr(text, "\nT_PASSWORD=\n"));
    free(text);
    clear(&config);
}

static void durations_print_in_the_largest_unit_that_is_exact(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0ms"},       {1, "1ms"},
                 {1500, "1500ms"}, {60000, "1m"},
                 {90000, "90s"},   {3600000, "1h"},
                 {86400000, "1d"}, {604800000, "7d"},
                 {5400000, "90m"}, {604800001, "604800001ms"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = {.wait_ms = cases[i].ms};
        char expected[64];
        char *text = print(&config);
        snprintf(expected, sizeof expected, "\nT_WAIT=%s\n", cases[i].text);
        assert_non_null(strstr(text, expected));
        free(text);
    }
}

static void help_is_an_aligned_table(void **state)
{
    (void)state;
    char *text = print(NULL);
    assert_string_equal(
        text,
        "  T_SERVERS     (required)  where the brokers are\n"
        "  T_LEVEL       info        how much is logged (debug, info, warn)\n"
        "  T_NOTE        (none)      anything\n"
        "  T_PASSWORD    (none)      the password (or T_PASSWORD_FILE: a file that holds it)\n"
        "  T_PARTITIONS  12          partitions of a topic\n"
        "  T_WAIT        30s         how long to wait\n"
        "  T_PIN         (none)      a number to keep (or T_PIN_FILE: a file that holds it)\n"
        "  T_FAST        (none)      whether to hurry\n");
    free(text);
}

static void the_list_of_mistakes_is_bounded(void **state)
{
    struct config_problems problems = {0};
    (void)state;
    for (int i = 0; i < 1000; i++)
        config_problems_add(&problems, "mistake %d", i);
    assert_int_equal(problems.count, CONFIG_PROBLEMS_MAX + 1);
    assert_string_equal(problems.lines[CONFIG_PROBLEMS_MAX - 1], "mistake 49");
    assert_string_equal(problems.lines[CONFIG_PROBLEMS_MAX], "more mistakes than are shown here");
    config_problems_clear(&problems);
}

#define WITH_ENVIRONMENT(test) cmocka_unit_test_setup(test, reset_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENVIRONMENT(what_is_unset_or_empty_gets_its_default),
        WITH_ENVIRONMENT(what_is_set_is_read_by_type),
        WITH_ENVIRONMENT(durations_are_read_with_their_units),
        WITH_ENVIRONMENT(booleans_have_four_pairs_of_words),
        WITH_ENVIRONMENT(a_mistake_names_the_variable_its_value_and_what_is_expected),
        WITH_ENVIRONMENT(all_mistakes_are_reported_together),
        WITH_ENVIRONMENT(a_secret_is_read_from_its_file_without_the_last_newline),
        cmocka_unit_test(user_and_password_of_an_address_are_not_shown),
        WITH_ENVIRONMENT(a_secret_given_twice_is_a_mistake),
        WITH_ENVIRONMENT(a_secret_file_that_cannot_be_used_is_named_with_the_reason),
        WITH_ENVIRONMENT(only_secrets_have_a_file_twin),
        WITH_ENVIRONMENT(printing_masks_secrets),
        cmocka_unit_test(durations_print_in_the_largest_unit_that_is_exact),
        cmocka_unit_test(help_is_an_aligned_table),
        cmocka_unit_test(the_list_of_mistakes_is_bounded),
    };
    return cmocka_run_group_tests(tests, make_secret_file, remove_secret_file);
}
