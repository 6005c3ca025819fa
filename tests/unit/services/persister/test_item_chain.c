/* Items that travel together keep their order, and lose those that are stale. */
#include "persister/item_chain.h"

#include "tests/support/unit_test.h"

struct fixture {
    struct source_partition kept, given_up;
    struct item_chain chain;
};

static void append(struct fixture *fixture, struct source_partition *source, size_t number)
{
    struct persist_item *item = persist_item_create(NULL, source);

    item->sequence = number;
    item_chain_append(&fixture->chain, item);
}

static void expect(const struct item_chain *chain, const size_t *numbers, size_t count)
{
    const struct persist_item *item = chain->first;

    assert_int_equal(chain->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(item);
        assert_int_equal(item->sequence, numbers[i]);
        if (i == count - 1)
            assert_ptr_equal(item, chain->last);
        item = item->next;
    }
    assert_null(item);
    if (count == 0)
        assert_null(chain->last);
}

static void stale_items_go_wherever_they_stand(void **state)
{
    struct fixture fixture = {.kept = {.topic = TOPIC_TRADES}, .given_up = {.topic = TOPIC_TRADES}};

    (void)state;
    append(&fixture, &fixture.given_up, 0);
    append(&fixture, &fixture.kept, 1);
    append(&fixture, &fixture.given_up, 2);
    append(&fixture, &fixture.kept, 3);
    append(&fixture, &fixture.given_up, 4);
    item_chain_drop_stale(&fixture.chain);
    expect(&fixture.chain, (const size_t[]){0, 1, 2, 3, 4}, 5);
    atomic_fetch_add(&fixture.given_up.generation, 1);
    item_chain_drop_stale(&fixture.chain);
    expect(&fixture.chain, (const size_t[]){1, 3}, 2);
    append(&fixture, &fixture.given_up, 5); /* of the new generation */
    item_chain_drop_stale(&fixture.chain);
    expect(&fixture.chain, (const size_t[]){1, 3, 5}, 3);
    item_chain_clear(&fixture.chain);
    expect(&fixture.chain, NULL, 0);
}

static void a_chain_of_stale_items_ends_empty(void **state)
{
    struct fixture fixture = {.given_up = {.topic = TOPIC_CANDLES}};

    (void)state;
    append(&fixture, &fixture.given_up, 0);
    append(&fixture, &fixture.given_up, 1);
    atomic_fetch_add(&fixture.given_up.generation, 1);
    item_chain_drop_stale(&fixture.chain);
    expect(&fixture.chain, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_items_go_wherever_they_stand),
        cmocka_unit_test(a_chain_of_stale_items_ends_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
