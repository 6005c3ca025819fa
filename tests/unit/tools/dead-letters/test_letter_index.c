#include "dead-letters/letter_index.h"

#include "tests/support/unit_test.h"

static const struct letter_filter any = {0};

static void add_letter(struct letter_index *index, int32_t partition, int64_t offset)
{
    const struct letter letter = {.kind = LETTER_OF_RECORD, .position = {partition, offset}};

    letter_index_add(index, &letter, &any);
}

static void add_mark(struct letter_index *index, struct letter_position settles,
                     enum letter_state outcome)
{
    const struct letter mark = {.kind = LETTER_MARK, .settles = settles, .outcome = outcome};

    letter_index_add(index, &mark, &any);
}

static void marks_settle_the_letters_before_them(void **state)
{
    struct letter_index index = {0};

    (void)state;
    for (int64_t i = 0; i < 1000; i += 2) /* marks and gaps lie between */
        add_letter(&index, 0, i);
    add_letter(&index, 1, 0);
    add_mark(&index, (struct letter_position){0, 500}, LETTER_PUT_BACK);
    add_mark(&index, (struct letter_position){1, 0}, LETTER_DISMISSED);
    add_mark(&index, (struct letter_position){0, 501}, LETTER_DISMISSED); /* no letter there */
    assert_int_equal(index.count, 501);
    assert_null(letter_index_find(&index, (struct letter_position){0, 501}));
    assert_null(letter_index_find(&index, (struct letter_position){2, 0}));
    for (size_t i = 0; i < index.count; i++) {
        struct letter_position position = index.entries[i].position;
        enum letter_state expected = position.partition == 1  ? LETTER_DISMISSED
                                     : position.offset == 500 ? LETTER_PUT_BACK
                                                              : LETTER_OPEN;

        assert_int_equal(index.entries[i].state, expected);
        assert_ptr_equal(letter_index_find(&index, position), &index.entries[i]);
    }
    letter_index_clear(&index);
    assert_null(letter_index_find(&index, (struct letter_position){0, 0}));
}

static void filters_choose_by_all_that_they_name(void **state)
{
    const struct letter letter = {
        .kind = LETTER_OF_RECORD,
        .timestamp_ms = 1000,
        .source_topic = "trades",
        .stage = "store",
        .reason = "remote",
        .sqlstate = "23514",
    };
    const struct letter mark = {.kind = LETTER_MARK};

    (void)state;
    assert_true(letter_matches(&letter, &any));
    assert_false(letter_matches(&mark, &any));
    assert_true(letter_matches(
        &letter, &(struct letter_filter){"trades", "store", .reason = "23514", .since_ms = 1000}));
    assert_true(letter_matches(&letter, &(struct letter_filter){.reason = "remote"}));
    assert_false(letter_matches(&letter, &(struct letter_filter){.topic = "trade"}));
    assert_false(letter_matches(&letter, &(struct letter_filter){.stage = "decode"}));
    assert_false(letter_matches(&letter, &(struct letter_filter){.reason = "22003"}));
    assert_false(letter_matches(&letter, &(struct letter_filter){.since_ms = 1001}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_settle_the_letters_before_them),
        cmocka_unit_test(filters_choose_by_all_that_they_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
