#include "tests/support/unit_test.h"

#include "ingestor/offset_tracker.h"

static void the_mark_is_what_lies_before_the_oldest_unfinished_command(void **state)
{
    struct offset_tracker tracker;
    int64_t next = -1;

    (void)state;
    offset_tracker_init(&tracker, 2);
    for (int64_t offset = 10; offset < 14; offset++)
        assert_true(offset_tracker_begin(&tracker, 1, offset));
    offset_tracker_finish(&tracker, 1, 12);
    offset_tracker_finish(&tracker, 1, 11);
    assert_false(offset_tracker_take_mark(&tracker, 1, &next));
    offset_tracker_finish(&tracker, 1, 10);
    assert_true(offset_tracker_take_mark(&tracker, 1, &next));
    assert_int_equal(next, 13);
    assert_false(offset_tracker_take_mark(&tracker, 1, &next)); /* only when it has moved */
    offset_tracker_finish(&tracker, 1, 13);
    assert_true(offset_tracker_take_mark(&tracker, 1, &next));
    assert_int_equal(next, 14);
    assert_false(offset_tracker_take_mark(&tracker, 0, &next));
    offset_tracker_clear(&tracker);
}

static void a_record_delivered_again_is_known(void **state)
{
    struct offset_tracker tracker;
    int64_t next = 0;

    (void)state;
    offset_tracker_init(&tracker, 1);
    assert_true(offset_tracker_begin(&tracker, 0, 5));
    assert_true(offset_tracker_begin(&tracker, 0, 6));
    offset_tracker_finish(&tracker, 0, 5);
    assert_false(offset_tracker_begin(&tracker, 0, 5)); /* finished */
    assert_false(offset_tracker_begin(&tracker, 0, 6)); /* under way */
    assert_true(offset_tracker_begin(&tracker, 0, 9));  /* offsets may have holes */
    offset_tracker_finish(&tracker, 0, 6);
    assert_true(offset_tracker_take_mark(&tracker, 0, &next));
    assert_int_equal(next, 7);
    offset_tracker_clear(&tracker);
}

static void a_forgotten_partition_begins_anew(void **state)
{
    struct offset_tracker tracker;
    int64_t next = 0;

    (void)state;
    offset_tracker_init(&tracker, 1);
    assert_true(offset_tracker_begin(&tracker, 0, 5));
    offset_tracker_forget(&tracker, 0);
    offset_tracker_finish(&tracker, 0, 5); /* the late end of what ran when it was ours */
    assert_false(offset_tracker_take_mark(&tracker, 0, &next));
    assert_true(offset_tracker_begin(&tracker, 0, 3));
    assert_true(offset_tracker_begin(&tracker, 0, 5));
    offset_tracker_finish(&tracker, 0, 3);
    assert_true(offset_tracker_take_mark(&tracker, 0, &next));
    assert_int_equal(next, 4);
    offset_tracker_clear(&tracker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_is_what_lies_before_the_oldest_unfinished_command),
        cmocka_unit_test(a_record_delivered_again_is_known),
        cmocka_unit_test(a_forgotten_partition_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
