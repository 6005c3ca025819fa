#include "avrocat/options.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit_test.h"

enum { ARGUMENTS_MAX = 16 };

/* Splits a command line at spaces. */
static int parse(const char *line, struct avrocat_options *options, struct err *err)
{
    static char copy[256];
    char *argv[ARGUMENTS_MAX] = {"avrocat"};
    int argc = 1;
    char *rest = copy;

    snprintf(copy, sizeof copy, "%s", line);
    while (*rest && argc < ARGUMENTS_MAX - 1) {
        argv[argc++] = rest;
        rest += strcspn(rest, " ");
        if (*rest)
            *rest++ = '\0';
    }
    return avrocat_options_parse(argc, argv, options, err);
}

static void nothing_given_reads_all_of_trades_as_json(void **state)
{
    struct avrocat_options options = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(parse("", &options, &err), 0);
    assert_string_equal(options.topic, "trades");
    assert_int_equal(options.start_at, START_AT_BEGINNING);
    assert_int_equal(options.count_max, -1);
    assert_int_equal(options.partition, -1);
    assert_int_equal(options.format, OUTPUT_JSON);
    assert_false(options.ends_at_end || options.value_only || options.is_raw);
    assert_null(options.action);
}

static void every_option_has_a_short_and_a_long_form(void **state)
{
    static const char *const lines[] = {
        "-t candles -p 3 -o 17 -c 5 -e -f csv -V -r",
        "--topic candles --partition=3 --offset 17 --count=5 --exit-at-end --format csv "
        "--value-only --raw",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct avrocat_options options = {0};
        struct err err = {0};

        assert_int_equal(parse(lines[i], &options, &err), 0);
        assert_string_equal(options.topic, "candles");
        assert_int_equal(options.partition, 3);
        assert_int_equal(options.start_at, START_AT_OFFSET);
        assert_int_equal(options.offset, 17);
        assert_int_equal(options.count_max, 5);
        assert_int_equal(options.format, OUTPUT_CSV);
        assert_true(options.ends_at_end && options.value_only && options.is_raw);
    }
}

static void offsets_say_where_to_start(void **state)
{
    static const struct {
        const char *line;
        enum start_at start_at;
        int64_t offset;
    } cases[] = {
        {"-o beginning", START_AT_BEGINNING, 0},
        {"-o end", START_AT_END, 0},
        {"-o 0", START_AT_OFFSET, 0},
        {"-o 9223372036854775807", START_AT_OFFSET, INT64_MAX},
        {"-o -10", START_AT_BEFORE_END, 10},
        {"-o-10", START_AT_BEFORE_END, 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avrocat_options options = {0};
        struct err err = {0};

        print_message("%s\n", cases[i].line);
        assert_int_equal(parse(cases[i].line, &options, &err), 0);
        assert_int_equal(options.start_at, cases[i].start_at);
        assert_true(options.offset == cases[i].offset);
    }
}

static void the_actions_of_every_program_are_passed_on(void **state)
{
    static const struct {
        const char *line, *action;
    } cases[] = {
        {"--help", "--help"},
        {"-h", "--help"},
        {"--version", "--version"},
        {"-t x --check-config", "--check-config"},
        {"--print-config -c 1", "--print-config"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avrocat_options options = {0};
        struct err err = {0};

        assert_int_equal(parse(cases[i].line, &options, &err), 0);
        assert_string_equal(options.action, cases[i].action);
    }
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"-x", "unknown argument '-x', see avrocat --help"},
        {"-t trades -z", "unknown argument '-z', see avrocat --help"},
        {"-zr", "unknown argument '-z', see avrocat --help"},
        {"-rze", "unknown argument '-z', see avrocat --help"},
        {"--raw -rz", "unknown argument '-z', see avrocat --help"},
        {"--format=csv -zr", "unknown argument '-z', see avrocat --help"},
        {"--raw=yes", "unknown argument '--raw=yes', see avrocat --help"},
        {"-rt", "-t needs a value, see avrocat --help"},
        {"--topic", "--topic needs a value, see avrocat --help"},
        {"--frobnicate", "unknown argument '--frobnicate', see avrocat --help"},
        {"trades", "unknown argument 'trades', see avrocat --help"},
        {"-t", "-t needs a value, see avrocat --help"},
        {"-c 0", "-c 0 is no number from 1 to 9223372036854775807"},
        {"-c 1.5", "-c 1.5 is no number from 1 to 9223372036854775807"},
        {"-p -1", "-p -1 is no number from 0 to 2147483647"},
        {"-o middle", "-o middle is not beginning, end, an offset, or -N"},
        {"-o 9223372036854775808",
         "-o 9223372036854775808 is not beginning, end, an offset, or -N"},
        {"-f xml", "-f xml is neither json nor csv"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct avrocat_options options = {.partition = 42};
        struct err err = {0};

        assert_int_equal(parse(cases[i].line, &options, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(options.partition, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_reads_all_of_trades_as_json),
        cmocka_unit_test(every_option_has_a_short_and_a_long_form),
        cmocka_unit_test(offsets_say_where_to_start),
        cmocka_unit_test(the_actions_of_every_program_are_passed_on),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests_name("avrocat options", tests, NULL, NULL);
}
