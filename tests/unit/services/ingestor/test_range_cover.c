#include "tests/support/unit_test.h"

#include "ingestor/range_cover.h"

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static void an_empty_cover_is_one_hole(void **state)
{
    struct range_cover cover;
    size_t from = 0;
    size_t to = 0;

    (void)state;
    range_cover_init(&cover, 8);
    assert_true(range_cover_next_hole(&cover, 0, &from, &to));
    assert_int_equal(from, 0);
    assert_int_equal(to, 8);
    assert_false(range_cover_next_hole(&cover, to, &from, &to));
    range_cover_clear(&cover);
}

static void random_additions_agree_with_a_plain_array(void **state)
{
    (void)state;
    for (size_t count = 1; count < 70; count++) {
        uint64_t random = count;
        bool members[70] = {false};
        size_t missing = count;
        struct range_cover cover;

        range_cover_init(&cover, count);
        while (cover.missing > 0) {
            size_t position = next_random(&random) % count;
            size_t bound = next_random(&random) % (count + 3);
            size_t expected = bound < count ? bound : count;
            size_t found = 0;

            assert_int_equal(range_cover_add(&cover, position), !members[position]);
            missing -= !members[position];
            members[position] = true;
            assert_int_equal(cover.missing, missing);
            while (expected > 0 && members[expected - 1])
                expected--;
            assert_int_equal(range_cover_last_missing(&cover, bound, &found), expected > 0);
            if (expected > 0)
                assert_int_equal(found, expected - 1);

            size_t in_holes = 0;
            size_t from = 0;
            size_t to = 0;
            while (range_cover_next_hole(&cover, to, &from, &to)) {
                for (size_t i = from; i < to; i++)
                    assert_false(members[i]);
                in_holes += to - from;
            }
            assert_int_equal(in_holes, missing);
        }
        range_cover_clear(&cover);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_cover_is_one_hole),
        cmocka_unit_test(random_additions_agree_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
