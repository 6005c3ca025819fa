#include "tests/support/unit_test.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_fills_code_and_message_and_returns_minus_one(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(err_set(&err, ERR_PROTOCOL, "unknown side '%s'", "hold"), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_false(err.retriable);
    assert_string_equal(err.message, "unknown side 'hold'");
}

static void set_retriable_marks_the_failure_as_passing(void **state)
{
    struct err err = {0};
    (void)state;
    assert_int_equal(err_set_retriable(&err, ERR_NETWORK, "connection reset"), -1);
    assert_true(err.retriable);
    err_set(&err, ERR_NETWORK, "no such host");
    assert_false(err.retriable);
}

static void set_errno_appends_the_reason(void **state)
{
    struct err err = {0};
    (void)state;
    errno = ENOENT;
    assert_int_equal(err_set_errno(&err, "open '%s'", "/nowhere"), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_string_equal(err.message, "open '/nowhere': No such file or directory");
}

static void wrap_prefixes_and_keeps_code_and_retriable(void **state)
{
    struct err err = {0};
    (void)state;
    err_set_retriable(&err, ERR_TIMEOUT, "no answer");
    assert_int_equal(err_wrap(&err, "fetch page %d", 7), -1);
    assert_string_equal(err.message, "fetch page 7: no answer");
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(err.retriable);
}

static void the_old_message_may_be_an_argument_of_the_new_one(void **state)
{
    struct err err = {0};
    (void)state;
    err_set(&err, ERR_REMOTE, "refused");
    err_set(&err, ERR_REMOTE, "twice: %s", err.message);
    assert_string_equal(err.message, "twice: refused");
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct err err = {0};
    char text[600] = "";
    (void)state;
    for (size_t pad = 0; pad < 4; pad++) {
        memset(text, 'a', pad);
        for (size_t i = pad; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4); /* the euro sign, three bytes */
        err_set(&err, ERR_LIMIT, "%s", text);
        size_t length = strlen(err.message);
        assert_in_range(length, 252, 255);
        assert_int_equal((length - pad) % 3, 0);
        err_wrap(&err, "x");
        assert_int_equal((strlen(err.message) - pad - 3) % 3, 0);
    }
}

static void messages_are_utf8_whatever_they_quote(void **state)
{
    struct err err = {0};
    (void)state;
    err_set(&err, ERR_PROTOCOL, "'%s' is not a number", "1\xFF\xC3");
    assert_string_equal(err.message, "'1\?\?' is not a number");
    err_set(&err, ERR_PROTOCOL, "'%.4s...' is not a number", "1\u20AC\u20AC");
    assert_string_equal(err.message, "'1\u20AC...' is not a number");
    err_set(&err, ERR_PROTOCOL, "'%.5s...' is not a number", "1\u20AC\u20AC");
    assert_string_equal(err.message, "'1\u20AC?...' is not a number");
    err_wrap(&err, "%.2s", "\u20AC");
    assert_string_equal(err.message, "\?\?: '1\u20AC?...' is not a number");
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = ERR_NONE; i <= ERR_SYSTEM; i++) {
        assert_string_not_equal(err_code_name((enum err_code)i), "unknown");
        for (int j = ERR_NONE; j < i; j++)
            assert_string_not_equal(err_code_name((enum err_code)i),
                                    err_code_name((enum err_code)j));
    }
    assert_string_equal(err_code_name(ERR_RATE_LIMIT), "rate_limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_code_and_message_and_returns_minus_one),
        cmocka_unit_test(set_retriable_marks_the_failure_as_passing),
        cmocka_unit_test(set_errno_appends_the_reason),
        cmocka_unit_test(wrap_prefixes_and_keeps_code_and_retriable),
        cmocka_unit_test(the_old_message_may_be_an_argument_of_the_new_one),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(messages_are_utf8_whatever_they_quote),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
