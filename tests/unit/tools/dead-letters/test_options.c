#include "dead-letters/options.h"

#include <string.h>

#include "tests/support/unit_test.h"

enum { NOW_MS = 1000000000 };

static int parse(struct dead_letters_options *options, struct err *err, const char *first,
                 const char *second, const char *third, const char *fourth)
{
    char *argv[] = {"dead-letters", (char *)first,  (char *)second,
                    (char *)third,  (char *)fourth, NULL};
    int argc = 0;

    while (argv[argc])
        argc++;
    return dead_letters_options_parse(argc, argv, NOW_MS, options, err);
}

static void options_and_positions_stand_in_any_order(void **state)
{
    struct dead_letters_options options = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(parse(&options, &err, "retry", "0:17", "-n", "3:9223372036854775807"), 0);
    assert_int_equal(options.verb, VERB_RETRY);
    assert_int_equal(options.position_count, 2);
    assert_int_equal(options.positions[0].offset, 17);
    assert_int_equal(options.positions[1].partition, 3);
    assert_true(options.positions[1].offset == INT64_MAX);
    assert_true(options.is_dry_run && !options.all && !options.is_forced);
    assert_int_equal(options.attempts_max, ATTEMPTS_MAX_FALLBACK);
    dead_letters_options_clear(&options);
}

static void since_is_a_date_or_so_long_ago(void **state)
{
    static const struct {
        const char *text;
        int64_t since_ms;
    } cases[] = {
        {"10s", NOW_MS - 10000},
        {"2m", NOW_MS - 120000},
        {"1h", NOW_MS - 3600000},
        {"1d", NOW_MS - 86400000},
        {"999d", 0},
        {"1970-01-02", 86400000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dead_letters_options options = {0};
        struct err err = {0};

        assert_int_equal(parse(&options, &err, "list", "--since", cases[i].text, NULL), 0);
        assert_true(options.filter.since_ms == cases[i].since_ms);
    }
}

static void nonsense_is_refused_by_name(void **state)
{
    static const char *const cases[][5] = {
        {"nonsense", NULL, NULL, NULL, "'nonsense' is none of"},
        {"--", NULL, NULL, NULL, "the verb comes first"},
        {"-n", "retry", NULL, NULL, "the verb comes first"},
        {"list", "--since", "5", NULL, "--since 5 "},
        {"list", "--since", "-5m", NULL, "--since -5m "},
        {"list", "--since", "9223372036854775807d", NULL, "neither a date"},
        {"list", "--since", "", NULL, "neither a date"},
        {"list", "-t", NULL, NULL, "-t needs a value"},
        {"list", "-f", "csv", NULL, "neither text nor json"},
        {"explain", "17", NULL, NULL, "17 is no position"},
        {"explain", "0:17x", NULL, NULL, "0:17x is no position"},
        {"explain", "-1:17", NULL, NULL, "unknown option -1"},
        {"list", "--nonsense", NULL, NULL, "unknown option --nonsense, "},
        {"retry", "-nx", NULL, NULL, "unknown option -x, "},
        {"list", "-t", "x", "-qx", "unknown option -q, "},
        {"list", "-fx", NULL, NULL, "-f x is neither"},
        {"list", "--all", NULL, NULL, "list does not take --all, "},
        {"list", "-t", "x", "-yx", "list does not take -y, "},
        {"explain", "0:-1", NULL, NULL, "0:-1 is no position"},
        {"explain", "2147483648:0", NULL, NULL, "is no position"},
        {"explain", "0:1", "0:2", NULL, "one letter"},
        {"retry", "--all", "--attempts-max", "0", "no number from 1"},
        {"retry", "--all", "--json", "x", "belongs to one letter"},
        {"dismiss", "--json", "x", NULL, "dismiss does not take --json, "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dead_letters_options options = {.attempts_max = 42};
        struct err err = {0};

        assert_int_equal(parse(&options, &err, cases[i][0], cases[i][1], cases[i][2], cases[i][3]),
                         -1);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.message, cases[i][4]))
            fail_msg("'%s' does not say '%s'", err.message, cases[i][4]);
        assert_int_equal(options.attempts_max, 42);
    }
}

static void every_verb_answers_to_help(void **state)
{
    static const char *const verbs[] = {"list", "explain", "retry", "dismiss"};

    (void)state;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        struct dead_letters_options options = {0};
        struct err err = {0};

        assert_int_equal(parse(&options, &err, verbs[i], "--help", NULL, NULL), 0);
        assert_string_equal(options.action, "--help");
        assert_non_null(strstr(dead_letters_options_help, verbs[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_positions_stand_in_any_order),
        cmocka_unit_test(since_is_a_date_or_so_long_ago),
        cmocka_unit_test(nonsense_is_refused_by_name),
        cmocka_unit_test(every_verb_answers_to_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
