/* librdkafka's fetching, on its mock cluster, while its queue runs full and is emptied at once. */
#include "io/fetch_waker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

#define TOPIC "t"
enum {
    QUEUED_MIN = 1000,
    BATCH = 100,
    ROUNDS = 9,
    RECORDS = (ROUNDS + 2) * 2 * QUEUED_MIN, /* a queue may be filled beyond its minimum */
    WAIT_MAX_MS = 300,                       /* librdkafka left to itself takes up to a second */
    DEADLINE_MS = 30000,
    LOOK_MS = 5,
};

struct fixture {
    struct mock_cluster mock;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    struct partition_set partitions;
    struct fetch_waker waker;
};

static void set(rd_kafka_conf_t *conf, const char *name, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    assert_int_equal(rd_kafka_conf_set(conf, name, text, NULL, 0), RD_KAFKA_CONF_OK);
}

static rd_kafka_t *client_of(const struct mock_cluster *mock, rd_kafka_type_t type,
                             rd_kafka_conf_t *conf)
{
    rd_kafka_t *client;

    rd_kafka_conf_set(conf, "bootstrap.servers", mock->settings.bootstrap_servers, NULL, 0);
    client = rd_kafka_new(type, conf, NULL, 0);
    assert_non_null(client);
    return client;
}

static void fill_topic(const struct mock_cluster *mock)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *producer;

    set(conf, "batch.num.messages", BATCH);
    producer = client_of(mock, RD_KAFKA_PRODUCER, conf);
    for (int i = 0; i < RECORDS; i++)
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(TOPIC),
                                           RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE("value", 5),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_END),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_flush(producer, DEADLINE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(producer);
}

static void start_reading(struct fixture *fixture)
{
    rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *gained, *dropped;

    rd_kafka_topic_partition_list_add(assigned, TOPIC, 0)->offset = 0;
    partition_set_replace(&fixture->partitions, assigned, &gained, &dropped);
    assert_int_equal(rd_kafka_assign(fixture->client, assigned), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(dropped);
    rd_kafka_topic_partition_list_destroy(gained);
    rd_kafka_topic_partition_list_destroy(assigned);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    mock_cluster_start(&fixture.mock, 1);
    mock_cluster_create_topic(&fixture.mock, TOPIC, 1);
    fill_topic(&fixture.mock);
    rd_kafka_conf_set(conf, "group.id", "g", NULL, 0);
    set(conf, "queued.min.messages", QUEUED_MIN);
    fixture.client = client_of(&fixture.mock, RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(fixture.client);
    fixture.queue = rd_kafka_queue_get_consumer(fixture.client);
    fetch_waker_init(&fixture.waker, fixture.client);
    start_reading(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    fetch_waker_clear(&fixture->waker);
    rd_kafka_queue_destroy(fixture->queue);
    partition_set_clear(&fixture->partitions);
    rd_kafka_destroy(fixture->client);
    mock_cluster_stop(&fixture->mock);
    return 0;
}

static void await_full_queue(struct fixture *fixture)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (rd_kafka_queue_length(fixture->queue) < QUEUED_MIN)
        assert_false(clock_monotonic_ms() > deadline_ms || shutdown_wait_ms(LOOK_MS));
}

/* Milliseconds until a record came. */
static int64_t take_record(struct fixture *fixture)
{
    int64_t started_at_ms = clock_monotonic_ms();
    rd_kafka_message_t *message = NULL;

    while (!message || message->err) {
        assert_true(clock_monotonic_ms() < started_at_ms + DEADLINE_MS);
        if (message)
            rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(fixture->client, 100);
    }
    rd_kafka_message_destroy(message);
    fetch_waker_note_record(&fixture->waker, &fixture->partitions);
    return clock_monotonic_ms() - started_at_ms;
}

static int compare(const void *left, const void *right)
{
    int64_t difference = *(const int64_t *)left - *(const int64_t *)right;

    return (difference > 0) - (difference < 0);
}

static void a_queue_that_was_full_and_is_emptied_fills_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t waits_ms[ROUNDS];

    if (!fetch_waker_is_needed())
        skip();
    for (int i = 0; i < ROUNDS; i++) {
        size_t waiting;

        await_full_queue(fixture);
        waiting = rd_kafka_queue_length(fixture->queue);
        waits_ms[i] = 0;
        for (size_t taken = 0; taken <= waiting; taken++) {
            int64_t wait_ms = take_record(fixture);

            if (wait_ms > waits_ms[i])
                waits_ms[i] = wait_ms;
        }
        print_message("%zu records, then %lld ms\n", waiting, (long long)waits_ms[i]);
    }
    qsort(waits_ms, ROUNDS, sizeof *waits_ms, compare);
    assert_true(waits_ms[ROUNDS / 2] < WAIT_MAX_MS); /* one may be the machine's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_that_was_full_and_is_emptied_fills_again_at_once,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
