#include "tests/support/unit_test.h"

#include "ingestor/repair_plan.h"

static void a_small_hole_is_one_command(void **state)
{
    struct repair_plan plan = repair_plan_make(101, 485, 100000);
    int64_t from_id = 0;
    int64_t to_id = 0;

    (void)state;
    assert_false(plan.is_capped);
    assert_true(repair_plan_next(&plan, &from_id, &to_id));
    assert_int_equal(from_id, 101);
    assert_int_equal(to_id, 485);
    assert_false(repair_plan_next(&plan, &from_id, &to_id));
}

struct plan_case {
    int64_t from_id, to_id, trades_max;
};

static void every_id_is_asked_for_once_newest_first_or_given_up(void **state)
{
    static const struct plan_case cases[] = {
        {1, 1, 1},           {1, 2, 1},           {5, 10004, 100000}, {5, 10005, 100000},
        {1, 100000, 100000}, {1, 100001, 100000}, {7, 987654, 25000}, {0, 30000, 9999},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct plan_case *row = &cases[i];
        struct repair_plan plan = repair_plan_make(row->from_id, row->to_id, row->trades_max);
        int64_t expected_to = row->to_id;
        int64_t asked = 0;
        int64_t from_id = 0;
        int64_t to_id = 0;

        while (repair_plan_next(&plan, &from_id, &to_id)) {
            assert_int_equal(to_id, expected_to);
            assert_true(from_id <= to_id && to_id - from_id < REPAIR_COMMAND_TRADES_MAX);
            asked += to_id - from_id + 1;
            expected_to = from_id - 1;
        }
        assert_true(asked <= row->trades_max);
        if (plan.is_capped) {
            assert_int_equal(asked, row->trades_max);
            assert_int_equal(plan.unfillable_from_id, row->from_id);
            assert_int_equal(plan.unfillable_to_id, expected_to);
        } else {
            assert_int_equal(expected_to, row->from_id - 1);
        }
    }
}

static void a_hole_of_the_whole_number_range_is_capped_without_overflow(void **state)
{
    struct repair_plan plan = repair_plan_make(0, INT64_MAX - 1, 100000);

    (void)state;
    assert_true(plan.is_capped);
    assert_int_equal(plan.unfillable_from_id, 0);
    assert_int_equal(plan.to_id - plan.from_id + 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_hole_is_one_command),
        cmocka_unit_test(every_id_is_asked_for_once_newest_first_or_given_up),
        cmocka_unit_test(a_hole_of_the_whole_number_range_is_capped_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
