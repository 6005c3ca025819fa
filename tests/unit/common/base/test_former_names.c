#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/former_names.h"

static const struct setting settings[] = {
    {.name = "OKX_API_KEY", .flags = SETTING_SECRET},
    {.name = "OKX_REST_URL"},
    {.name = "OKX_WS_URL"},
    {.name = "KAFKA_BOOTSTRAP_SERVERS"},
    {.name = "CANDLE_BARS"},
    {.name = "PGHOST"},
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static int clear_environment(void **state)
{
    (void)state;
    return clearenv();
}

/* Returns the warnings; owned. */
static char *apply(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *warnings = open_memstream(&text, &length);

    assert_non_null(warnings);
    former_names_apply("testd", settings, SETTING_COUNT, warnings);
    fclose(warnings);
    return text;
}

static void assert_variable(const char *what, const char *name, const char *expected)
{
    const char *value = getenv(name);

    if (!expected != !value || (value && strcmp(value, expected) != 0))
        fail_msg("%s: %s is '%s', expected '%s'", what, name, value ? value : "(unset)",
                 expected ? expected : "(unset)");
}

static const struct value_case {
    const char *name;
    const char *former, *former_value;
    const char *variable, *value; /* value NULL: left unset */
} value_cases[] = {
    {"a plain value", "DB_HOST", "db", "PGHOST", "db"},
    {"quotes go", "DB_HOST", "'db'", "PGHOST", "db"},
    {"servers with commas", "KAFKA_BROKERS", "a:1,b:2", "KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2"},
    {"servers with blanks", "KAFKA_BROKERS", "\"a:1 b:2\"", "KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2"},
    {"OKX's site is the default", "API_URI", "'https://okx.com'", "OKX_REST_URL", NULL},
    {"another host stays", "API_URI", "http://sim:8900", "OKX_REST_URL", "http://sim:8900"},
    {"the former port and path go", "WSS_ENDPOINT", "wss://ws.okx.com:8443/ws/v5/public",
     "OKX_WS_URL", "wss://ws.okx.com"},
    {"another host's port stays", "WSS_ENDPOINT", "ws://sim:8443/ws/v5/public", "OKX_WS_URL",
     "ws://sim:8443"},
    {"a short host stays", "WSS_ENDPOINT", "ws://s", "OKX_WS_URL", "ws://s"},
    {"another spelling", "CANDLES_BAR", "1H", "CANDLE_BARS", "1H"},
};

static void a_former_name_gives_the_value_in_todays_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof value_cases[0]; i++) {
        const struct value_case *each = &value_cases[i];
        char expected[256];
        char *warnings;

        clearenv();
        setenv(each->former, each->former_value, 1);
        warnings = apply();
        snprintf(expected, sizeof expected, "testd: %s is deprecated, its name is %s now\n",
                 each->former, each->variable);
        assert_string_equal(warnings, expected);
        assert_variable(each->name, each->variable, each->value);
        assert_variable(each->name, each->former, NULL);
        free(warnings);
    }
}

static void the_new_name_wins(void **state)
{
    char *warnings;

    (void)state;
    setenv("DB_HOST", "old", 1);
    setenv("PGHOST", "new", 1);
    warnings = apply();
    assert_string_equal(warnings,
                        "testd: DB_HOST is deprecated and ignored, since PGHOST is set\n");
    assert_variable("new", "PGHOST", "new");
    assert_variable("former", "DB_HOST", NULL);
    free(warnings);
}

static void a_secret_file_counts_unless_it_is_empty(void **state)
{
    char path[] = "/tmp/test_former_names_XXXXXX";
    int file = mkstemp(path);
    char *warnings;

    (void)state;
    assert_true(file >= 0);
    setenv("API_KEY", "from-before", 1);
    setenv("OKX_API_KEY_FILE", path, 1);
    free(apply());
    assert_variable("empty file", "OKX_API_KEY", "from-before");
    assert_variable("empty file", "OKX_API_KEY_FILE", NULL);

    clearenv();
    assert_int_equal(write(file, "k", 1), 1);
    setenv("API_KEY", "from-before", 1);
    setenv("OKX_API_KEY_FILE", path, 1);
    warnings = apply();
    assert_non_null(strstr(warnings, "ignored"));
    assert_null(strstr(warnings, "from-before"));
    assert_variable("file", "OKX_API_KEY", NULL);
    assert_variable("file", "OKX_API_KEY_FILE", path);
    free(warnings);
    close(file);
    unlink(path);
}

static void what_the_program_does_not_read_is_left_alone(void **state)
{
    char *warnings;

    (void)state;
    setenv("SECRET", "somebody's", 1);
    setenv("DB_HOST", "", 1);
    warnings = apply();
    assert_string_equal(warnings, "");
    assert_variable("not ours", "SECRET", "somebody's");
    assert_variable("empty", "PGHOST", NULL);
    free(warnings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_former_name_gives_the_value_in_todays_form, clear_environment),
        cmocka_unit_test_setup(the_new_name_wins, clear_environment),
        cmocka_unit_test_setup(a_secret_file_counts_unless_it_is_empty, clear_environment),
        cmocka_unit_test_setup(what_the_program_does_not_read_is_left_alone, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
