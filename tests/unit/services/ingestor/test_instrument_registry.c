#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "ingestor/instrument_registry.h"
#include "io/kafka_producer.h"

enum { PARTITIONS = 12, IDS = 5 };

static const char inst_ids[IDS][INST_ID_BYTES] = {"BTC-USDT", "ETH-USDT", "TON-USDT", "SOL-USDT",
                                                  "XRP-USDT"};

/* What was reported since the last look: "+BTC-USDT@7 -ETH-USDT " */
struct changes {
    char text[1024];
};

static void on_follow(const char *inst_id, const struct trade_position *position, void *context)
{
    struct changes *changes = context;
    size_t length = strlen(changes->text);

    if (position && position->trade_id.present)
        snprintf(changes->text + length, sizeof changes->text - length, "+%s@%lld ", inst_id,
                 (long long)position->trade_id.value);
    else
        snprintf(changes->text + length, sizeof changes->text - length, "+%s%s ", inst_id,
                 position ? "@none" : "");
}

static void on_leave(const char *inst_id, void *context)
{
    struct changes *changes = context;
    size_t length = strlen(changes->text);

    snprintf(changes->text + length, sizeof changes->text - length, "-%s ", inst_id);
}

static const char *apply(struct instrument_registry *registry, struct changes *changes)
{
    const struct instrument_changes handler = {on_follow, on_leave, changes};

    changes->text[0] = '\0';
    instrument_registry_apply(registry, &handler);
    return changes->text;
}

static int32_t partition_of(const char *inst_id)
{
    return kafka_partition_for_key(inst_id, strlen(inst_id), PARTITIONS);
}

static void own(struct instrument_registry *registry, int32_t partition)
{
    instrument_registry_gain(registry, partition);
    instrument_registry_ready(registry, partition);
}

static void note(struct instrument_registry *registry, const char *inst_id, int64_t trade_id)
{
    struct trade_position position = {.trade_id = {trade_id > 0, trade_id}};

    snprintf(position.inst_id, sizeof position.inst_id, "%s", inst_id);
    instrument_registry_note(registry, &position);
}

static void follows_only_what_is_selected_owned_and_read(void **state)
{
    struct instrument_registry *registry = instrument_registry_create(PARTITIONS);
    struct changes changes;
    int32_t btc = partition_of("BTC-USDT");

    (void)state;
    assert_string_equal(apply(registry, &changes), "");
    instrument_registry_select(registry, inst_ids, 1);
    assert_string_equal(apply(registry, &changes), "");
    instrument_registry_gain(registry, btc);
    assert_true(instrument_registry_is_waiting(registry, btc));
    assert_string_equal(apply(registry, &changes), "");
    note(registry, "BTC-USDT", 5);
    note(registry, "BTC-USDT", 7); /* the later record counts */
    instrument_registry_ready(registry, btc);
    assert_false(instrument_registry_is_waiting(registry, btc));
    assert_string_equal(apply(registry, &changes), "+BTC-USDT@7 ");
    assert_int_equal(instrument_registry_followed(registry), 1);
    assert_string_equal(apply(registry, &changes), "");
    instrument_registry_destroy(registry);
}

static void only_differences_are_reported(void **state)
{
    struct instrument_registry *registry = instrument_registry_create(PARTITIONS);
    struct changes changes;

    (void)state;
    instrument_registry_select(registry, inst_ids, IDS);
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        own(registry, partition);
    assert_string_equal(apply(registry, &changes),
                        "+BTC-USDT +ETH-USDT +SOL-USDT +TON-USDT +XRP-USDT ");
    instrument_registry_select(registry, inst_ids + 1, IDS - 1); /* delisted, say */
    assert_string_equal(apply(registry, &changes), "-BTC-USDT ");
    instrument_registry_select(registry, inst_ids, IDS);
    assert_string_equal(apply(registry, &changes), "+BTC-USDT ");
    instrument_registry_destroy(registry);
}

static void a_lost_partition_takes_its_instruments_and_their_positions(void **state)
{
    struct instrument_registry *registry = instrument_registry_create(PARTITIONS);
    struct changes changes;
    int32_t eth = partition_of("ETH-USDT");

    (void)state;
    instrument_registry_select(registry, inst_ids + 1, 1);
    instrument_registry_gain(registry, eth);
    note(registry, "ETH-USDT", 9);
    instrument_registry_ready(registry, eth);
    assert_string_equal(apply(registry, &changes), "+ETH-USDT@9 ");
    instrument_registry_lose(registry, eth);
    assert_string_equal(apply(registry, &changes), "-ETH-USDT ");
    instrument_registry_gain(registry, eth);
    note(registry, "ETH-USDT", 0);
    instrument_registry_ready(registry, eth);
    assert_string_equal(apply(registry, &changes), "+ETH-USDT@none ");
    instrument_registry_destroy(registry);
}

static void shares_of_two_owners_are_disjoint_and_complete(void **state)
{
    (void)state;
    for (int32_t split = 0; split <= PARTITIONS; split++) {
        struct instrument_registry *left = instrument_registry_create(PARTITIONS);
        struct instrument_registry *right = instrument_registry_create(PARTITIONS);
        struct changes changes;

        instrument_registry_select(left, inst_ids, IDS);
        instrument_registry_select(right, inst_ids, IDS);
        for (int32_t partition = 0; partition < PARTITIONS; partition++)
            own(partition < split ? left : right, partition);
        apply(left, &changes);
        apply(right, &changes);
        assert_int_equal(instrument_registry_followed(left) + instrument_registry_followed(right),
                         IDS);
        instrument_registry_destroy(left);
        instrument_registry_destroy(right);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_only_what_is_selected_owned_and_read),
        cmocka_unit_test(only_differences_are_reported),
        cmocka_unit_test(a_lost_partition_takes_its_instruments_and_their_positions),
        cmocka_unit_test(shares_of_two_owners_are_disjoint_and_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
