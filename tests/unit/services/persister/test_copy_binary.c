#include "tests/support/unit_test.h"

#include <string.h>

#include "persister/copy_binary.h"

enum { BUF_MAX = 4096 };

static int set_up(void **state)
{
    static struct buf out;

    buf_init(&out, BUF_MAX);
    *state = &out;
    return 0;
}

static int tear_down(void **state)
{
    buf_clear(*state);
    return 0;
}

#define assert_content(out, bytes)                                                                 \
    do {                                                                                           \
        assert_int_equal((out)->length, sizeof(bytes) - 1);                                        \
        assert_memory_equal((out)->data, bytes, sizeof(bytes) - 1);                                \
    } while (0)

static void stream_begins_and_ends_as_the_format_says(void **state)
{
    struct buf *out = *state;

    copy_begin(out);
    copy_row(out, 3);
    copy_end(out);
    assert_content(out, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\3\377\377");
}

static void columns_carry_their_length_in_front(void **state)
{
    struct buf *out = *state;

    copy_text(out, "ab");
    copy_bool(out, true);
    copy_int64(out, -2);
    assert_content(out, "\0\0\0\2ab"
                        "\0\0\0\1\1"
                        "\0\0\0\10\377\377\377\377\377\377\377\376");
}

static void absent_values_are_null(void **state)
{
    struct buf *out = *state;

    copy_text(out, NULL);
    copy_text_or_null(out, "");
    copy_optional_int64(out, (struct optional_int64){0});
    copy_optional_decimal(out, (struct optional_decimal){0});
    copy_optional_bool(out, (struct optional_bool){0});
    copy_optional_time_ms(out, (struct optional_int64){0});
    copy_extra_fields(out, &(struct extra_fields){0});
    assert_int_equal(out->length, 7 * 4);
    for (size_t i = 0; i < out->length; i++)
        assert_int_equal((unsigned char)out->data[i], 0xff);
}

static void an_empty_text_is_not_null(void **state)
{
    struct buf *out = *state;

    copy_text(out, "");
    assert_content(out, "\0\0\0\0");
}

static void extra_fields_become_one_json_object_with_everything_escaped(void **state)
{
    struct buf *out = *state;
    struct extra_field fields[] = {{"a\"b", "x\\y"}, {"line", "1\n2\x01\xc3\xa9"}};

    copy_extra_fields(out, &(struct extra_fields){.fields = fields, .count = 2});
    assert_content(out, "\0\0\0\52\1"
                        "{\"a\\\"b\":\"x\\\\y\",\"line\":\"1\\u000a2\\u0001\xc3\xa9\"}");
}

static void bytes_that_are_no_utf8_go_through_for_postgresql_to_refuse(void **state)
{
    struct buf *out = *state;
    struct extra_field fields[] = {{"a", "\xff"}};

    copy_extra_fields(out, &(struct extra_fields){.fields = fields, .count = 1});
    assert_content(out, "\0\0\0\12\1{\"a\":\"\xff\"}");
}

static void a_full_buffer_is_noticed_at_the_end(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    copy_begin(&out);
    copy_int64(&out, 1);
    size_t start = copy_jsonb_begin(&out);
    copy_jsonb_end(&out, start);
    assert_true(out.overflowed);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stream_begins_and_ends_as_the_format_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(columns_carry_their_length_in_front, set_up, tear_down),
        cmocka_unit_test_setup_teardown(absent_values_are_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_text_is_not_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(extra_fields_become_one_json_object_with_everything_escaped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_go_through_for_postgresql_to_refuse,
                                        set_up, tear_down),
        cmocka_unit_test(a_full_buffer_is_noticed_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
