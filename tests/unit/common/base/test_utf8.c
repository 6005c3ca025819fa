#include "tests/support/unit_test.h"

#include <string.h>

#include "base/utf8.h"

static size_t bytes_of(const char *text)
{
    return utf8_character_bytes((const uint8_t *)text, strlen(text));
}

static void knows_the_length_of_characters(void **state)
{
    (void)state;
    assert_int_equal(bytes_of("a€"), 1);
    assert_int_equal(bytes_of("\x7F"), 1);
    assert_int_equal(bytes_of("\xC2\x80"), 2);
    assert_int_equal(bytes_of("\xE0\xA0\x80z"), 3);
    assert_int_equal(bytes_of("\xED\x9F\xBF"), 3);
    assert_int_equal(bytes_of("\xF0\x90\x80\x80"), 4);
    assert_int_equal(bytes_of("\xF4\x8F\xBF\xBF"), 4);
    assert_int_equal(utf8_character_bytes((const uint8_t *)"", 1), 1);
}

static void refuses_what_is_malformed(void **state)
{
    static const char *const malformed[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xF0\x8F\xBF",
        "\xF4\x90\x80",
        "\xF5",
        "\xFF",
        "\xC3",
        "\xC3(",
        "\xE2\x82",
        "\xE2\x82(",
        "\xE2(",
        "\xF0\x90\x80",
        "\xF0\x90\x80(zzz",
        "\xF4\x90\x80\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_int_equal(bytes_of(malformed[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_length_of_characters),
        cmocka_unit_test(refuses_what_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
