#include "tests/support/unit_test.h"

#include "ingestor/publish_progress.h"

static const struct optional_int64 absent = {0};

static struct optional_int64 present(int64_t value)
{
    return (struct optional_int64){true, value};
}

static struct publish_mark trade_mark(int64_t trade_id)
{
    return (struct publish_mark){.trade_id = present(trade_id), .event_time_ms = present(trade_id)};
}

static void the_position_follows_acknowledgements_in_order(void **state)
{
    struct publish_progress progress;

    (void)state;
    publish_progress_init(&progress);
    uint64_t first = publish_progress_add(&progress, trade_mark(1));
    uint64_t second = publish_progress_add(&progress, trade_mark(2));
    assert_false(progress.position.trade_id.present);
    publish_progress_acknowledge(&progress, second, present(8));
    assert_false(progress.position.trade_id.present);
    publish_progress_acknowledge(&progress, first, present(7));
    assert_int_equal(progress.position.trade_id.value, 2);
    assert_int_equal(progress.position.event_time_ms.value, 2);
    assert_int_equal(progress.position.offset.value, 8);
    assert_int_equal(publish_progress_pending(&progress), 0);
    publish_progress_clear(&progress);
}

static void an_unacknowledged_repair_command_holds_the_position_back(void **state)
{
    const struct publish_mark barrier = {0};
    struct publish_progress progress;

    (void)state;
    publish_progress_init(&progress);
    uint64_t before = publish_progress_add(&progress, trade_mark(10));
    uint64_t command = publish_progress_add(&progress, barrier);
    uint64_t after = publish_progress_add(&progress, trade_mark(20));
    publish_progress_acknowledge(&progress, before, present(1));
    publish_progress_acknowledge(&progress, after, present(2));
    assert_int_equal(progress.position.trade_id.value, 10);
    publish_progress_acknowledge(&progress, command, absent);
    assert_int_equal(progress.position.trade_id.value, 20);
    assert_int_equal(progress.position.offset.value, 2);
    publish_progress_clear(&progress);
}

static void a_command_that_reaches_to_a_trade_moves_the_position_but_not_the_offset(void **state)
{
    struct publish_progress progress;

    (void)state;
    publish_progress_init(&progress);
    uint64_t trade = publish_progress_add(&progress, trade_mark(10));
    uint64_t command = publish_progress_add(&progress, trade_mark(15));
    publish_progress_acknowledge(&progress, trade, present(3));
    publish_progress_acknowledge(&progress, command, absent);
    assert_int_equal(progress.position.trade_id.value, 15);
    assert_int_equal(progress.position.offset.value, 3);
    publish_progress_clear(&progress);
}

static void acknowledgements_from_before_a_new_start_are_ignored(void **state)
{
    struct publish_progress progress;

    (void)state;
    publish_progress_init(&progress);
    uint64_t old = publish_progress_add(&progress, trade_mark(10));
    publish_progress_start(&progress, trade_mark(100));
    publish_progress_acknowledge(&progress, old, present(1));
    assert_int_equal(progress.position.trade_id.value, 100);
    uint64_t next = publish_progress_add(&progress, trade_mark(101));
    publish_progress_acknowledge(&progress, next, present(2));
    assert_int_equal(progress.position.trade_id.value, 101);
    publish_progress_clear(&progress);
}

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* The judge: the position is the last mark before the first unacknowledged record. */
static void a_record_has_passed_once_all_up_to_it_are_acknowledged_or_forgotten(void **state)
{
    struct publish_progress progress;
    const struct publish_mark mark = {.trade_id = {true, 7}};
    const struct optional_int64 none = {0};

    (void)state;
    publish_progress_init(&progress);
    uint64_t first = publish_progress_add(&progress, mark);
    uint64_t second = publish_progress_add(&progress, mark);
    publish_progress_acknowledge(&progress, second, none);
    assert_false(publish_progress_has_passed(&progress, first));
    assert_false(publish_progress_has_passed(&progress, second));
    publish_progress_acknowledge(&progress, first, none);
    assert_true(publish_progress_has_passed(&progress, second));
    uint64_t third = publish_progress_add(&progress, mark);
    assert_false(publish_progress_has_passed(&progress, third));
    publish_progress_start(&progress, mark);
    assert_true(publish_progress_has_passed(&progress, third));
    publish_progress_clear(&progress);
}

static void random_orders_agree_with_a_plain_list(void **state)
{
    enum { RECORDS = 500 };

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = seed;
        bool is_acknowledged[RECORDS] = {false};
        uint64_t sequences[RECORDS];
        size_t sent = 0;
        size_t passed = 0;
        struct publish_progress progress;

        publish_progress_init(&progress);
        while (passed < RECORDS) {
            if (sent < RECORDS && next_random(&random) % 2) {
                struct publish_mark mark = trade_mark((int64_t)sent + 1);

                mark.trade_id.present = sent % 7 != 3;
                sequences[sent++] = publish_progress_add(&progress, mark);
            } else if (sent > 0) {
                size_t index = next_random(&random) % sent;

                publish_progress_acknowledge(&progress, sequences[index], present((int64_t)index));
                is_acknowledged[index] = true;
            }
            while (passed < sent && is_acknowledged[passed])
                passed++;
            int64_t expected = 0;
            for (size_t i = 0; i < passed; i++)
                expected = i % 7 != 3 ? (int64_t)i + 1 : expected;
            assert_int_equal(progress.position.trade_id.value, expected);
            assert_int_equal(publish_progress_pending(&progress), sent - passed);
        }
        publish_progress_clear(&progress);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_position_follows_acknowledgements_in_order),
        cmocka_unit_test(an_unacknowledged_repair_command_holds_the_position_back),
        cmocka_unit_test(a_command_that_reaches_to_a_trade_moves_the_position_but_not_the_offset),
        cmocka_unit_test(acknowledgements_from_before_a_new_start_are_ignored),
        cmocka_unit_test(a_record_has_passed_once_all_up_to_it_are_acknowledged_or_forgotten),
        cmocka_unit_test(random_orders_agree_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
