#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include "ingestor/ingestor_config.h"
#include "tests/support/captured_child.h"

struct variable {
    const char *name, *value;
};

static const struct variable required[] = {
    {"KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"},
    {"SCHEMA_REGISTRY_URL", "http://localhost:8081"},
};

/* In a child: --check-config under these variables and the required ones. */
static int check_config(void *context)
{
    const struct variable *variable = context;
    char name[] = "ingestor";
    char argument[] = "--check-config";
    char *arguments[] = {name, argument, NULL};
    struct ingestor_config config = {0};

    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        setenv(required[i].name, required[i].value, 1);
    for (; variable->name; variable++)
        setenv(variable->name, variable->value, 1);
    return program_start(&ingestor_program, 2, arguments, &config);
}

static void defaults_fit_the_real_okx(void **state)
{
    struct variable none[] = {{NULL, NULL}};
    struct captured_child child = captured_child_run(check_config, none);

    (void)state;
    assert_string_equal(child.err, "");
    assert_int_equal(child.exit_status, 0);
    captured_child_clear(&child);
}

struct mistake_case {
    struct variable variables[4]; /* ends with a NULL name */
    const char *expected;
};

static void mistakes_name_the_setting(void **state)
{
    static const struct mistake_case cases[] = {
        {{{"OKX_WS_URL", "https://ws.okx.com"}}, "OKX_WS_URL is 'https://ws.okx.com'"},
        {{{"OKX_WS_URL", "wss://"}}, "OKX_WS_URL is 'wss://'"},
        {{{"OKX_REST_URL", "openapi.okx.com"}}, "OKX_REST_URL is 'openapi.okx.com'"},
        {{{"OKX_CA_FILE", "/does/not/exist"}}, "OKX_CA_FILE: /does/not/exist cannot be read"},
        {{{"OKX_API_KEY", "k"}}, "must be set together or not at all"},
        {{{"OKX_API_KEY", "k"}, {"OKX_API_SECRET", "s"}}, "must be set together or not at all"},
        {{{"OKX_TRADES_CHANNEL", "trade"}}, "OKX_TRADES_CHANNEL is 'trade'"},
        {{{"OKX_LIMIT_CANDLES", "0"}}, "OKX_LIMIT_CANDLES is '0'"},
        {{{"OKX_URL", "wss://x"}}, "OKX_URL is no setting of any service"},
        {{{"OKX_API_KEYS_FILE", "x"}}, "OKX_API_KEYS_FILE is no setting of any service"},
        {{{"OKX_CA_FILE_FILE", "x"}}, "OKX_CA_FILE_FILE is no setting of any service"},
        {{{"CURRENCIES", "BTC;ETH"}}, "CURRENCIES"},
        {{{"FETCH_WORKERS", "many"}}, "FETCH_WORKERS is 'many'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct captured_child child =
            captured_child_run(check_config, (void *)(uintptr_t)cases[i].variables);

        if (child.exit_status != PROGRAM_EXIT_CONFIG || !strstr(child.err, cases[i].expected))
            fail_msg("%s: status %d: %s", cases[i].expected, child.exit_status, child.err);
        captured_child_clear(&child);
    }
}

static void all_mistakes_are_reported_together_and_no_secret_with_them(void **state)
{
    struct variable variables[] = {
        {"OKX_WS_URL", "x"}, {"OKX_REST_URL", "y"}, {"OKX_API_SECRET", "geheim"}, {NULL, NULL}};
    struct captured_child child = captured_child_run(check_config, variables);

    (void)state;
    assert_non_null(strstr(child.err, "OKX_WS_URL"));
    assert_non_null(strstr(child.err, "OKX_REST_URL"));
    assert_non_null(strstr(child.err, "OKX_API_KEY"));
    assert_null(strstr(child.err, "geheim"));
    captured_child_clear(&child);
}

static void secrets_may_come_from_files(void **state)
{
    struct variable variables[] = {{"OKX_API_KEY_FILE", "/dev/null"}, {NULL, NULL}};
    struct captured_child child = captured_child_run(check_config, variables);

    (void)state;
    assert_null(strstr(child.err, "no setting of any service"));
    captured_child_clear(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fit_the_real_okx),
        cmocka_unit_test(mistakes_name_the_setting),
        cmocka_unit_test(all_mistakes_are_reported_together_and_no_secret_with_them),
        cmocka_unit_test(secrets_may_come_from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
