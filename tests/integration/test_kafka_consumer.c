/* Group membership, offsets and pausing: rebalances on the real Kafka of
 * KAFKA_BOOTSTRAP_SERVERS, outages on librdkafka's mock cluster. */
#include "io/kafka_consumer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "io/topic_admin.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/test_topics.h"
#include "tests/support/unit_test.h"

enum { BROKERS = 1, PARTITIONS = 4, PER_PARTITION = 25, DEADLINE_MS = 30000 };

/* A member and what it has seen. */
struct member {
    struct kafka_consumer *consumer;
    const char *topic;
    int revokes, assignments;
    int gained, dropped; /* by the last assignment */
    bool owns[PARTITIONS];
    int64_t next[PARTITIONS]; /* behind the last record seen; -1: none */
    int records;
    bool stores; /* stores the offset of each record when asked to give up its partitions */
    bool stores_at_once;
};

struct fixture {
    struct mock_cluster mock;
    struct kafka_settings settings;
    const char *topic;
    struct metrics *metrics;
    struct member first, second;
};

static void on_revoke(const rd_kafka_topic_partition_list_t *revoked, bool lost, void *context)
{
    struct member *member = context;

    (void)lost;
    member->revokes++;
    for (int i = 0; i < revoked->cnt; i++) {
        int32_t partition = revoked->elems[i].partition;

        if (member->stores && member->next[partition] >= 0)
            kafka_consumer_store_offset(member->consumer, member->topic, partition,
                                        member->next[partition]);
    }
}

static void on_assigned(const rd_kafka_topic_partition_list_t *gained,
                        const rd_kafka_topic_partition_list_t *dropped, void *context)
{
    struct member *member = context;

    member->assignments++;
    member->gained = gained->cnt;
    member->dropped = dropped->cnt;
    for (int i = 0; i < gained->cnt; i++)
        member->owns[gained->elems[i].partition] = true;
    for (int i = 0; i < dropped->cnt; i++)
        member->owns[dropped->elems[i].partition] = false;
}

static void join(struct fixture *fixture, struct member *member, bool starts_at_beginning)
{
    const struct kafka_consumer_options options = {
        .client_id = "test",
        .group_id = fixture->topic,
        .topics = &fixture->topic,
        .topic_count = 1,
        .offset_reset = "earliest",
        .starts_at_beginning = starts_at_beginning,
        .handler = {.on_revoke = on_revoke, .on_assigned = on_assigned, .context = member},
    };
    struct err err = {0};

    member->topic = fixture->topic;
    for (int i = 0; i < PARTITIONS; i++)
        member->next[i] = -1;
    member->consumer = kafka_consumer_create(&fixture->settings, &options, fixture->metrics, &err);
    if (!member->consumer)
        fail_msg("%s", err.message);
}

static void leave(struct member *member)
{
    kafka_consumer_destroy(member->consumer);
    member->consumer = NULL;
}

/* Polls once; records must come in order and without holes. */
static void poll_member(struct member *member)
{
    struct err err = {0};
    rd_kafka_message_t *message;

    if (!member->consumer)
        return;
    message = kafka_consumer_poll(member->consumer, 20, &err);
    assert_int_equal(err.code, ERR_NONE);
    if (!message)
        return;
    assert_string_equal(rd_kafka_topic_name(message->rkt), member->topic);
    assert_true(member->owns[message->partition]);
    if (member->next[message->partition] >= 0)
        assert_true(message->offset <= member->next[message->partition]); /* no hole */
    member->next[message->partition] = message->offset + 1;
    member->records++;
    if (member->stores_at_once)
        kafka_consumer_store_offset(member->consumer, member->topic, message->partition,
                                    message->offset + 1);
    rd_kafka_message_destroy(message);
}

static void poll_both(struct fixture *fixture)
{
    poll_member(&fixture->first);
    poll_member(&fixture->second);
}

typedef bool condition_fn(const struct fixture *fixture);

static void run_until(struct fixture *fixture, condition_fn *holds)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (!holds(fixture)) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("not in time: %d and %d records", fixture->first.records,
                     fixture->second.records);
        poll_both(fixture);
    }
}

static void run_for(struct fixture *fixture, int64_t duration_ms)
{
    int64_t end_ms = clock_monotonic_ms() + duration_ms;

    while (clock_monotonic_ms() < end_ms) {
        poll_both(fixture);
    }
}

static void produce(struct fixture *fixture, int per_partition)
{
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        test_topics_produce(&fixture->settings, fixture->topic, partition, per_partition);
}

static int start_real(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};

    test_topics_init(&fixture->settings, PARTITIONS);
    if (topic_admin_ensure(&fixture->settings, &err) != 0)
        fail_msg("%s", err.message);
    fixture->topic = topic_name(&fixture->settings.topics, TOPIC_CONTROL);
    fixture->metrics = metrics_create();
    produce(fixture, PER_PARTITION);
    *state = fixture;
    return 0;
}

static int start_mock(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    mock_cluster_start(&fixture->mock, BROKERS);
    mock_cluster_create_topic(&fixture->mock, "control", PARTITIONS);
    fixture->settings = fixture->mock.settings;
    fixture->topic = "control";
    fixture->metrics = metrics_create();
    produce(fixture, PER_PARTITION);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    leave(&fixture->first);
    leave(&fixture->second);
    metrics_destroy(fixture->metrics);
    if (fixture->mock.client) {
        mock_cluster_stop(&fixture->mock);
    } else {
        test_topics_clear(&fixture->settings);
    }
    free(fixture);
    return 0;
}

static bool first_has_all(const struct fixture *fixture)
{
    return fixture->first.records >= PER_PARTITION * PARTITIONS;
}

static bool second_has_all(const struct fixture *fixture)
{
    return fixture->second.records >= PER_PARTITION * PARTITIONS;
}

static bool first_is_caught_up(const struct fixture *fixture)
{
    return kafka_consumer_lag(fixture->first.consumer) == 0;
}

static bool second_is_caught_up(const struct fixture *fixture)
{
    return kafka_consumer_lag(fixture->second.consumer) == 0;
}

static int owned(const struct member *member)
{
    int count = 0;

    for (int i = 0; i < PARTITIONS; i++)
        count += member->owns[i];
    return count;
}

static bool both_own_half(const struct fixture *fixture)
{
    return owned(&fixture->first) == PARTITIONS / 2 && owned(&fixture->second) == PARTITIONS / 2 &&
           kafka_consumer_has_assignment(fixture->first.consumer) &&
           kafka_consumer_has_assignment(fixture->second.consumer);
}

static bool first_owns_all_again(const struct fixture *fixture)
{
    return owned(&fixture->first) == PARTITIONS && fixture->first.assignments >= 3;
}

static void stored_offsets_are_where_the_next_member_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};

    fixture->first.stores_at_once = true;
    join(fixture, &fixture->first, false);
    assert_false(kafka_consumer_has_assignment(fixture->first.consumer));
    assert_int_equal(kafka_consumer_lag(fixture->first.consumer), -1);
    run_until(fixture, first_has_all);
    assert_true(kafka_consumer_has_assignment(fixture->first.consumer));
    assert_true(kafka_consumer_is_connected(fixture->first.consumer));
    run_until(fixture, first_is_caught_up);
    assert_int_equal(kafka_consumer_commit(fixture->first.consumer, &err), 0);
    leave(&fixture->first);
    assert_int_equal(fixture->first.revokes, 1);

    produce(fixture, 1);
    join(fixture, &fixture->second, false);
    while (fixture->second.records < PARTITIONS)
        poll_member(&fixture->second);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(fixture->second.next[i], PER_PARTITION + 1);
    assert_int_equal(fixture->second.records, PARTITIONS); /* none of the old ones */
}

static void what_was_not_stored_comes_again(void **state)
{
    struct fixture *fixture = *state;

    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    assert_true(kafka_consumer_lag(fixture->first.consumer) != 0);
    leave(&fixture->first);
    join(fixture, &fixture->second, false);
    run_until(fixture, second_has_all);
}

static void what_on_revoke_stores_is_committed_on_leaving(void **state)
{
    struct fixture *fixture = *state;

    fixture->first.stores = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    leave(&fixture->first);
    join(fixture, &fixture->second, false);
    run_until(fixture, second_is_caught_up); /* known without a single record */
    assert_int_equal(fixture->second.records, 0);
}

static void a_rebalance_tells_only_the_differences(void **state)
{
    struct fixture *fixture = *state;

    fixture->first.stores_at_once = fixture->second.stores_at_once = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    assert_int_equal(fixture->first.gained, PARTITIONS);
    join(fixture, &fixture->second, false);
    run_until(fixture, both_own_half);
    assert_int_equal(fixture->first.gained, 0); /* those that stayed are not news */
    assert_int_equal(fixture->first.dropped, PARTITIONS / 2);
    assert_int_equal(fixture->second.gained, PARTITIONS / 2);
    leave(&fixture->second);
    run_until(fixture, first_owns_all_again);
    assert_int_equal(fixture->first.gained, PARTITIONS / 2);
    assert_int_equal(fixture->first.dropped, 0);
    run_for(fixture, 500);
    assert_int_equal(fixture->first.records, PER_PARTITION * PARTITIONS); /* nothing again */
}

static void starting_at_the_beginning_ignores_committed_offsets(void **state)
{
    struct fixture *fixture = *state;

    fixture->first.stores = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    leave(&fixture->first);
    join(fixture, &fixture->second, true);
    run_until(fixture, second_has_all);
    run_until(fixture, second_is_caught_up);
}

static void from_the_beginning_a_partition_that_stays_is_not_read_twice(void **state)
{
    struct fixture *fixture = *state;
    int records;

    join(fixture, &fixture->first, true);
    run_until(fixture, first_has_all);
    join(fixture, &fixture->second, true);
    run_until(fixture, both_own_half);
    records = fixture->first.records;
    while (fixture->second.records < PER_PARTITION * PARTITIONS / 2)
        poll_both(fixture);
    run_for(fixture, 500);
    assert_int_equal(fixture->first.records, records);
    assert_int_equal(fixture->second.records, PER_PARTITION * PARTITIONS / 2);
}

static void paused_partitions_are_silent_and_lose_nothing(void **state)
{
    struct fixture *fixture = *state;

    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    kafka_consumer_pause_all(fixture->first.consumer);
    kafka_consumer_pause_all(fixture->first.consumer);
    produce(fixture, PER_PARTITION);
    run_for(fixture, 1000);
    assert_int_equal(fixture->first.records, PER_PARTITION * PARTITIONS);

    kafka_consumer_resume(fixture->first.consumer, fixture->topic, 1);
    while (fixture->first.next[1] < 2 * PER_PARTITION)
        poll_member(&fixture->first);
    assert_int_equal(fixture->first.records, PER_PARTITION * (PARTITIONS + 1));
    kafka_consumer_resume(fixture->first.consumer, fixture->topic, 1); /* refetches nothing */
    kafka_consumer_resume_all(fixture->first.consumer);
    kafka_consumer_resume(fixture->first.consumer, fixture->topic, 99);
    while (fixture->first.records < 2 * PER_PARTITION * PARTITIONS)
        poll_member(&fixture->first);
    run_for(fixture, 500);
    assert_int_equal(fixture->first.records, 2 * PER_PARTITION * PARTITIONS);
}

static bool first_is_two_records_behind_in_each(const struct fixture *fixture)
{
    return kafka_consumer_lag(fixture->first.consumer) == 2 * PARTITIONS;
}

/* The first record may be told by a fetch that was under way, the second by none. */
static void what_is_paused_falls_behind(void **state)
{
    struct fixture *fixture = *state;

    fixture->first.stores_at_once = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    run_until(fixture, first_is_caught_up);
    kafka_consumer_pause_all(fixture->first.consumer);
    produce(fixture, 1);
    run_for(fixture, 200);
    produce(fixture, 1);
    run_until(fixture, first_is_two_records_behind_in_each);
    assert_int_equal(fixture->first.records, PER_PARTITION * PARTITIONS);
    kafka_consumer_resume_all(fixture->first.consumer);
    run_until(fixture, first_is_caught_up);
    assert_int_equal(fixture->first.records, (PER_PARTITION + 2) * PARTITIONS);
}

/* All of the first one's partitions are read and paused; then the second one gets half of them. */
static void lose_half_while_paused(struct fixture *fixture)
{
    fixture->first.stores_at_once = fixture->second.stores_at_once = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    kafka_consumer_pause_all(fixture->first.consumer);
    join(fixture, &fixture->second, false);
    run_until(fixture, both_own_half);
}

static void a_pause_outlives_a_rebalance(void **state)
{
    struct fixture *fixture = *state;

    lose_half_while_paused(fixture);
    produce(fixture, PER_PARTITION);
    while (fixture->second.records < PER_PARTITION * PARTITIONS / 2)
        poll_both(fixture);
    run_for(fixture, 500);
    assert_int_equal(fixture->first.records, PER_PARTITION * PARTITIONS);
    kafka_consumer_resume_all(fixture->first.consumer);
    while (fixture->first.records < PER_PARTITION * PARTITIONS * 3 / 2)
        poll_both(fixture);
}

static bool first_has_both_halves_twice(const struct fixture *fixture)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (fixture->first.next[i] < 2 * PER_PARTITION)
            return false;
    }
    return true;
}

static void a_partition_that_was_lost_while_paused_is_read_when_it_comes_back(void **state)
{
    struct fixture *fixture = *state;

    lose_half_while_paused(fixture);
    kafka_consumer_resume_all(fixture->first.consumer);
    leave(&fixture->second);
    run_until(fixture, first_owns_all_again);
    produce(fixture, PER_PARTITION);
    run_until(fixture, first_has_both_halves_twice);
}

static void leaving_is_quick_while_brokers_are_away(void **state)
{
    struct fixture *fixture = *state;
    int64_t begun_ms;

    fixture->first.stores_at_once = true;
    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    mock_cluster_set_up(&fixture->mock, BROKERS, false);
    begun_ms = clock_monotonic_ms();
    leave(&fixture->first);
    assert_true(clock_monotonic_ms() - begun_ms < 7000);
    mock_cluster_set_up(&fixture->mock, BROKERS, true);
}

static bool first_is_disconnected(const struct fixture *fixture)
{
    return !kafka_consumer_is_connected(fixture->first.consumer);
}

static bool first_is_connected(const struct fixture *fixture)
{
    return kafka_consumer_is_connected(fixture->first.consumer);
}

static void being_connected_follows_the_brokers(void **state)
{
    struct fixture *fixture = *state;

    join(fixture, &fixture->first, false);
    run_until(fixture, first_has_all);
    mock_cluster_set_up(&fixture->mock, BROKERS, false);
    run_until(fixture, first_is_disconnected);
    mock_cluster_set_up(&fixture->mock, BROKERS, true);
    run_until(fixture, first_is_connected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define REAL(name) cmocka_unit_test_setup_teardown(name, start_real, stop)
#define MOCK(name) cmocka_unit_test_setup_teardown(name, start_mock, stop)
        REAL(stored_offsets_are_where_the_next_member_goes_on),
        REAL(what_was_not_stored_comes_again),
        REAL(what_on_revoke_stores_is_committed_on_leaving),
        REAL(a_rebalance_tells_only_the_differences),
        REAL(starting_at_the_beginning_ignores_committed_offsets),
        REAL(from_the_beginning_a_partition_that_stays_is_not_read_twice),
        REAL(paused_partitions_are_silent_and_lose_nothing),
        REAL(what_is_paused_falls_behind),
        REAL(a_pause_outlives_a_rebalance),
        REAL(a_partition_that_was_lost_while_paused_is_read_when_it_comes_back),
        MOCK(leaving_is_quick_while_brokers_are_away),
        MOCK(being_connected_follows_the_brokers),
    };

    shutdown_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
