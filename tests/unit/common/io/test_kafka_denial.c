#include "io/kafka_denial.h"

#include "base/clock.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

enum { DEADLINE_MS = 30000 };

/* A consumer of topic "t" that reads partition 0, and knows of partition 1 no more than its name.
 */
struct fixture {
    struct mock_cluster mock;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct partition_set partitions;
    struct kafka_denial denial;
};

static void set_partitions(struct fixture *fixture, int32_t count)
{
    rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new(count), *gained,
                                    *dropped;

    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(assigned, "t", i);
    partition_set_replace(&fixture->partitions, assigned, &gained, &dropped);
    rd_kafka_topic_partition_list_destroy(dropped);
    rd_kafka_topic_partition_list_destroy(gained);
    rd_kafka_topic_partition_list_destroy(assigned);
}

static int setup(void **state)
{
    static struct fixture fixture;
    rd_kafka_conf_t *conf;

    fixture = (struct fixture){0};
    mock_cluster_start(&fixture.mock, 1);
    mock_cluster_create_topic(&fixture.mock, "t", 2);
    conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(fixture.mock.cluster), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "g", NULL, 0);
    fixture.client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    fixture.topic = rd_kafka_topic_new(fixture.client, "t", NULL);
    set_partitions(&fixture, 2);
    kafka_denial_init(&fixture.denial, "g");
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    kafka_denial_clear(&fixture->denial);
    partition_set_clear(&fixture->partitions);
    rd_kafka_topic_destroy(fixture->topic);
    rd_kafka_destroy(fixture->client);
    mock_cluster_stop(&fixture->mock);
    return 0;
}

static bool note(struct fixture *fixture, rd_kafka_resp_err_t err, int32_t partition)
{
    const rd_kafka_message_t error = {
        .err = err, .rkt = partition < 0 ? NULL : fixture->topic, .partition = partition};

    return kafka_denial_note(&fixture->denial, &fixture->partitions, &error);
}

static const char *refreshed(struct fixture *fixture)
{
    kafka_denial_refresh(&fixture->denial, fixture->client, &fixture->partitions);
    return kafka_denial_text(&fixture->denial);
}

static void other_errors_are_no_denial(void **state)
{
    struct fixture *fixture = *state;

    assert_false(note(fixture, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, -1));
    assert_false(note(fixture, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 0));
    assert_false(note(fixture, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, -1));
    assert_false(note(fixture, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 7));
    assert_null(refreshed(fixture));
}

static void a_group_is_denied_until_it_is_joined(void **state)
{
    struct fixture *fixture = *state;

    assert_true(note(fixture, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, -1));
    assert_true(note(fixture, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1));
    assert_string_equal(refreshed(fixture), "not allowed to join group g");
    kafka_denial_joined(&fixture->denial);
    assert_string_equal(refreshed(fixture), "not allowed to read topic t");
}

static void a_partition_that_is_given_up_denies_nothing(void **state)
{
    struct fixture *fixture = *state;

    assert_true(note(fixture, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1));
    assert_string_equal(refreshed(fixture), "not allowed to read topic t");
    set_partitions(fixture, 1);
    assert_null(refreshed(fixture));
}

static void a_partition_is_denied_until_a_fetch_succeeds(void **state)
{
    struct fixture *fixture = *state;
    rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new(1);
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    assert_true(note(fixture, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 0));
    assert_string_equal(refreshed(fixture), "not allowed to read topic t");
    rd_kafka_topic_partition_list_add(assigned, "t", 0)->offset = 0;
    rd_kafka_assign(fixture->client, assigned);
    while (refreshed(fixture) && clock_monotonic_ms() < deadline_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(fixture->client, 20);

        if (message)
            rd_kafka_message_destroy(message);
    }
    assert_null(refreshed(fixture));
    assert_false(fixture->partitions.states[0].is_denied);
    rd_kafka_topic_partition_list_destroy(assigned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(other_errors_are_no_denial, setup, teardown),
        cmocka_unit_test_setup_teardown(a_group_is_denied_until_it_is_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(a_partition_that_is_given_up_denies_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_partition_is_denied_until_a_fetch_succeeds, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
