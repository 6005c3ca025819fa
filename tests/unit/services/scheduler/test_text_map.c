#include "tests/support/unit_test.h"

#include <stdbool.h>
#include <stdio.h>

#include "scheduler/text_map.h"

enum { KEYS = 500, ROUNDS = 50000 };

static void random_changes_agree_with_a_plain_array(void **state)
{
    static char keys[KEYS][16];
    bool is_there[KEYS] = {false};
    struct text_map *map = text_map_create();
    uint64_t random = 5;
    size_t count = 0;

    (void)state;
    for (int i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof keys[i], "key-%d", i);
    for (int i = 0; i < ROUNDS; i++) {
        int index;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        index = (int)((random >> 33) % KEYS);
        assert_ptr_equal(text_map_find(map, keys[index]), is_there[index] ? keys[index] : NULL);
        if (is_there[index]) {
            assert_ptr_equal(text_map_remove(map, keys[index]), keys[index]);
            count--;
        } else {
            text_map_insert(map, keys[index], keys[index]);
            count++;
        }
        is_there[index] = !is_there[index];
        assert_int_equal(text_map_count(map), count);
    }
    for (int i = 0; i < KEYS; i++)
        assert_ptr_equal(text_map_find(map, keys[i]), is_there[i] ? keys[i] : NULL);
    text_map_destroy(map);
}

static void iteration_gives_every_value_once(void **state)
{
    static char keys[KEYS][16];
    int seen[KEYS] = {0};
    struct text_map *map = text_map_create();
    char *value = NULL;

    (void)state;
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        text_map_insert(map, keys[i], keys[i]);
    }
    for (size_t cursor = 0; (value = text_map_next(map, &cursor));)
        seen[(size_t)(value - keys[0]) / sizeof keys[0]]++;
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(seen[i], 1);
    text_map_destroy(map);
}

static void what_is_absent_is_null(void **state)
{
    struct text_map *map = text_map_create();

    (void)state;
    assert_null(text_map_find(map, "x"));
    assert_null(text_map_find(map, ""));
    assert_null(text_map_remove(map, "x"));
    text_map_destroy(map);
    text_map_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_a_plain_array),
        cmocka_unit_test(iteration_gives_every_value_once),
        cmocka_unit_test(what_is_absent_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
