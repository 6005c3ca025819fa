#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"

static void content_grows_and_ends_in_nul(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 100000);
    assert_null(buf.data);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_append_format(&buf, "%03d,", i), 0);
    assert_int_equal(buf.length, 4000);
    assert_int_equal(buf.data[4000], '\0');
    assert_memory_equal(buf.data + 3996, "999,", 5);
    buf_clear(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.max_bytes, 100000);
}

static void the_maximum_is_reached_but_not_passed(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 8);
    assert_int_equal(buf_append_text(&buf, "12345678"), 0);
    assert_false(buf.overflowed);
    assert_int_equal(buf_append(&buf, "", 0), 0);
    assert_int_equal(buf_append_char(&buf, '9'), -1);
    assert_true(buf.overflowed);
    assert_string_equal(buf.data, "12345678");
    buf_clear(&buf);
}

static void after_an_overflow_nothing_is_appended_until_reset(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 4);
    assert_int_equal(buf_append_text(&buf, "ab"), 0);
    assert_int_equal(buf_append_text(&buf, "cde"), -1);
    assert_int_equal(buf_append_text(&buf, "c"), -1);
    assert_int_equal(buf_append_format(&buf, "%d", 1), -1);
    assert_int_equal(buf_append_json_escaped(&buf, "x", 1), -1);
    assert_null(buf_reserve(&buf, 1));
    assert_string_equal(buf.data, "ab");
    buf_reset(&buf);
    assert_false(buf.overflowed);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf_append_text(&buf, "wxyz"), 0);
    assert_string_equal(buf.data, "wxyz");
    buf_clear(&buf);
}

static void huge_lengths_overflow_instead_of_wrapping(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 16);
    assert_int_equal(buf_append_text(&buf, "abc"), 0);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_null(buf_reserve(&buf, SIZE_MAX - 2));
    assert_true(buf.overflowed);
    buf_clear(&buf);
}

static void a_format_that_does_not_fit_changes_nothing(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 10);
    assert_int_equal(buf_append_format(&buf, "%s", "1234567"), 0);
    assert_int_equal(buf_append_format(&buf, "%04d", 5), -1);
    assert_string_equal(buf.data, "1234567");
    buf_clear(&buf);
}

static void reserved_room_is_claimed_by_advance(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 1000);
    char *room = buf_reserve(&buf, 500);
    assert_non_null(room);
    memcpy(room, "abc", 3);
    assert_int_equal(buf.length, 0);
    buf_advance(&buf, 3);
    assert_string_equal(buf.data, "abc");
    buf_clear(&buf);
}

static void consume_takes_from_the_front(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 100);
    buf_consume(&buf, 0);
    buf_append_text(&buf, "headtail");
    buf_consume(&buf, 4);
    assert_string_equal(buf.data, "tail");
    buf_consume(&buf, 4);
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
    buf_clear(&buf);
}

static void take_hands_the_content_over(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 100);
    char *empty = buf_take(&buf);
    assert_string_equal(empty, "");
    buf_append_text(&buf, "content");
    char *content = buf_take(&buf);
    assert_string_equal(content, "content");
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf_append_text(&buf, "again"), 0);
    assert_string_equal(buf.data, "again");
    assert_string_equal(content, "content");
    free(empty);
    free(content);
    buf_clear(&buf);
}

static void json_escapes_are_as_the_standard_wants(void **state)
{
    static const struct {
        const char *name, *text, *escaped;
    } cases[] = {
        {"plain", "BTC-USDT", "BTC-USDT"},
        {"quote and backslash", "a\"b\\c", "a\\\"b\\\\c"},
        {"control characters", "\n\r\t\x01\x1f", "\\n\\r\\t\\u0001\\u001f"},
        {"two, three and four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
         "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"lone continuation", "a\x80z", "a\xEF\xBF\xBDz"},
        {"cut sequence", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"overlong slash", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"overlong three", "\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"beyond Unicode", "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"never a lead", "\xFF", "\xEF\xBF\xBD"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf buf;
        buf_init(&buf, 1000);
        assert_int_equal(buf_append_json_escaped(&buf, cases[i].text, strlen(cases[i].text)), 0);
        if (strcmp(buf.data, cases[i].escaped) != 0)
            fail_msg("%s: %s", cases[i].name, buf.data);
        buf_clear(&buf);
    }
}

static void json_escaping_of_any_bytes_is_read_back_by_a_json_parser(void **state)
{
    unsigned random = 12345;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        struct buf buf;
        size_t length = (size_t)round % sizeof bytes;
        for (size_t i = 0; i < length; i++) {
            random = random * 1103515245 + 12345;
            bytes[i] = (char)(random >> 16);
        }
        buf_init(&buf, 10000);
        buf_append_text(&buf, "[\"");
        buf_append_json_escaped(&buf, bytes, length);
        buf_append_text(&buf, "\"]");
        json_t *json = json_loadb(buf.data, buf.length, JSON_ALLOW_NUL, NULL);
        assert_non_null(json);
        json_decref(json);
        buf_clear(&buf);
    }
}

static void json_escaping_that_does_not_fit_changes_nothing(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 10);
    buf_append_text(&buf, "abc");
    assert_int_equal(buf_append_json_escaped(&buf,
                                             "de\x01"
                                             "f",
                                             4),
                     -1);
    assert_int_equal(buf.length, 3);
    assert_string_equal(buf.data, "abc");
    buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_grows_and_ends_in_nul),
        cmocka_unit_test(the_maximum_is_reached_but_not_passed),
        cmocka_unit_test(after_an_overflow_nothing_is_appended_until_reset),
        cmocka_unit_test(huge_lengths_overflow_instead_of_wrapping),
        cmocka_unit_test(a_format_that_does_not_fit_changes_nothing),
        cmocka_unit_test(reserved_room_is_claimed_by_advance),
        cmocka_unit_test(consume_takes_from_the_front),
        cmocka_unit_test(take_hands_the_content_over),
        cmocka_unit_test(json_escapes_are_as_the_standard_wants),
        cmocka_unit_test(json_escaping_of_any_bytes_is_read_back_by_a_json_parser),
        cmocka_unit_test(json_escaping_that_does_not_fit_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
