/* The producer's promises against librdkafka's mock cluster. */
#include "io/kafka_producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "io/dead_letter.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

enum { BROKERS = 3, DEADLINE_MS = 20000 };

struct fixture {
    struct mock_cluster mock;
    struct metrics *metrics;
    struct kafka_producer *producer;
};

static int start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};

    mock_cluster_start(&fixture->mock, BROKERS);
    mock_cluster_create_topic(&fixture->mock, "trades", 4);
    mock_cluster_create_topic(&fixture->mock, "dead-letters", 1);
    fixture->metrics = metrics_create();
    fixture->producer =
        kafka_producer_create(&fixture->mock.settings, "test", fixture->metrics, &err);
    assert_non_null(fixture->producer);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    kafka_producer_destroy(fixture->producer);
    metrics_destroy(fixture->metrics);
    mock_cluster_stop(&fixture->mock);
    free(fixture);
    return 0;
}

/* Counts reports; each record's context must be reported exactly once. */
struct tally {
    atomic_int reports;
    atomic_int failures;
    atomic_int repeats;
};

struct tracked {
    struct tally *tally;
    atomic_int reports;
    struct kafka_delivery delivery;
};

static void on_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct tracked *tracked = context;

    tracked->delivery = *delivery;
    if (atomic_fetch_add(&tracked->reports, 1) > 0)
        atomic_fetch_add(&tracked->tally->repeats, 1);
    if (delivery->error)
        atomic_fetch_add(&tracked->tally->failures, 1);
    atomic_fetch_add(&tracked->tally->reports, 1);
}

static int send_one(struct fixture *fixture, const char *key, const char *value,
                    struct tracked *tracked, struct err *err)
{
    const struct kafka_record record = {
        .topic = "trades",
        .key = key,
        .key_length = key ? strlen(key) : 0,
        .value = value,
        .value_length = value ? strlen(value) : 0,
        .partition = RD_KAFKA_PARTITION_UA,
    };

    return kafka_producer_send(fixture->producer, &record, tracked ? on_delivery : NULL, tracked,
                               err);
}

static void await(bool (*holds)(struct fixture *fixture), struct fixture *fixture)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (!holds(fixture)) {
        assert_true(clock_monotonic_ms() < deadline_ms);
        shutdown_wait_ms(10);
    }
}

static void every_record_is_reported_once_with_its_place(void **state)
{
    enum { COUNT = 5000 };
    struct fixture *fixture = *state;
    struct tally tally = {0};
    struct tracked *tracked = calloc(COUNT, sizeof *tracked);
    struct err err = {0};
    static const char *const keys[] = {"BTC-USDT", "ETH-USDT", "TON-USDT"};

    for (int i = 0; i < COUNT; i++) {
        tracked[i].tally = &tally;
        assert_int_equal(send_one(fixture, keys[i % 3], "value", &tracked[i], &err), 0);
    }
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    assert_int_equal(tally.reports, COUNT);
    assert_int_equal(tally.failures, 0);
    assert_int_equal(tally.repeats, 0);
    assert_int_equal(kafka_producer_queue_length(fixture->producer), 0);
    for (int i = 0; i < COUNT; i++) {
        const char *key = keys[i % 3];

        assert_int_equal(tracked[i].delivery.partition,
                         kafka_partition_for_key(key, strlen(key), 4));
        if (i >= 3) /* in the order sent */
            assert_int_equal(tracked[i].delivery.offset > tracked[i - 3].delivery.offset, 1);
    }
    free(tracked);
    assert_true(kafka_producer_is_connected(fixture->producer));
    assert_int_equal(
        metric_value(metrics_counter(fixture->metrics, "currency_trends_records_published_total",
                                     "", "topic=\"trades\"")),
        COUNT);
}

struct sender {
    struct fixture *fixture;
    struct tally tally;
    struct tracked tracked[1000];
};

static void *send_many(void *argument)
{
    struct sender *sender = argument;
    struct err err = {0};

    for (int i = 0; i < 1000; i++) {
        sender->tracked[i].tally = &sender->tally;
        if (send_one(sender->fixture, "k", "v", &sender->tracked[i], &err) != 0)
            return sender;
    }
    return NULL;
}

static void several_threads_may_send(void **state)
{
    enum { THREADS = 4 };
    struct fixture *fixture = *state;
    struct sender *senders = calloc(THREADS, sizeof *senders);
    pthread_t threads[THREADS];
    struct err err = {0};

    for (int i = 0; i < THREADS; i++) {
        senders[i].fixture = fixture;
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(senders[i].tally.reports, 1000);
        assert_int_equal(senders[i].tally.failures + senders[i].tally.repeats, 0);
    }
    free(senders);
}

static void an_outage_and_broker_errors_delay_records_but_lose_none(void **state)
{
    enum { COUNT = 500 };
    struct fixture *fixture = *state;
    struct tally tally = {0};
    struct tracked *tracked = calloc(COUNT, sizeof *tracked);
    struct err err = {0};

    for (int i = 0; i < COUNT; i++) {
        tracked[i].tally = &tally;
        if (i == COUNT / 4)
            rd_kafka_mock_push_request_errors(
                fixture->mock.cluster, 0 /* Produce */, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
        if (i == COUNT / 2)
            mock_cluster_set_up(&fixture->mock, BROKERS, false);
        assert_int_equal(send_one(fixture, "k", "v", &tracked[i], &err), 0);
    }
    assert_int_equal(kafka_producer_flush(fixture->producer, 300, &err), -1);
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(err.retriable);
    assert_int_equal(tally.failures, 0);
    mock_cluster_set_up(&fixture->mock, BROKERS, true);
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    assert_int_equal(tally.reports, COUNT);
    assert_int_equal(tally.failures + tally.repeats, 0);
    free(tracked);
}

static void a_full_queue_pushes_back_and_takes_nothing(void **state)
{
    static struct kafka_property bound[] = {{"queue.buffering.max.messages", "100"}};
    struct fixture *fixture = *state;
    struct tally tally = {0};
    struct tracked *tracked = calloc(101, sizeof *tracked);
    struct err err = {0};

    kafka_producer_destroy(fixture->producer);
    fixture->mock.settings.properties = bound;
    fixture->mock.settings.property_count = 1;
    fixture->producer =
        kafka_producer_create(&fixture->mock.settings, "test", fixture->metrics, &err);
    assert_non_null(fixture->producer);
    mock_cluster_set_up(&fixture->mock, BROKERS, false);
    for (int i = 0; i < 100; i++) {
        tracked[i].tally = &tally;
        assert_int_equal(send_one(fixture, "k", "v", &tracked[i], &err), 0);
    }
    tracked[100].tally = &tally;
    assert_int_equal(send_one(fixture, "k", "v", &tracked[100], &err), -1);
    assert_int_equal(err.code, ERR_FULL);
    assert_true(err.retriable);
    assert_int_equal(kafka_producer_queue_length(fixture->producer), 100);
    mock_cluster_set_up(&fixture->mock, BROKERS, true);
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    assert_int_equal(tally.reports, 100);
    assert_int_equal(tracked[100].reports, 0);
    free(tracked);
}

static void destroying_reports_what_was_not_sent(void **state)
{
    struct fixture *fixture = *state;
    struct tally tally = {0};
    struct tracked tracked[10] = {0};
    struct err err = {0};
    int64_t begun_ms;

    mock_cluster_set_up(&fixture->mock, BROKERS, false);
    for (int i = 0; i < 10; i++) {
        tracked[i].tally = &tally;
        assert_int_equal(send_one(fixture, "k", "v", &tracked[i], &err), 0);
    }
    begun_ms = clock_monotonic_ms();
    kafka_producer_destroy(fixture->producer);
    fixture->producer = NULL;
    assert_true(clock_monotonic_ms() - begun_ms < 5000);
    assert_int_equal(tally.reports, 10);
    assert_int_equal(tally.failures, 10);
    assert_int_equal(tally.repeats, 0);
}

static void a_record_beyond_the_limit_is_refused_at_once(void **state)
{
    enum { BYTES = 2000000 };
    struct fixture *fixture = *state;
    struct err err = {0};
    char *value = malloc(BYTES + 1);

    memset(value, 'x', BYTES);
    value[BYTES] = '\0';
    assert_int_equal(send_one(fixture, "k", value, NULL, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(err.retriable);
    assert_int_equal(kafka_producer_queue_length(fixture->producer), 0);
    free(value);
}

static bool is_connected(struct fixture *fixture)
{
    return kafka_producer_is_connected(fixture->producer);
}

static bool is_disconnected(struct fixture *fixture)
{
    return !kafka_producer_is_connected(fixture->producer);
}

static void being_connected_follows_the_brokers(void **state)
{
    struct fixture *fixture = *state;

    await(is_connected, fixture);
    mock_cluster_set_up(&fixture->mock, BROKERS, false);
    await(is_disconnected, fixture);
    mock_cluster_set_up(&fixture->mock, BROKERS, true);
    await(is_connected, fixture);
}

static void promises_cannot_be_undone_by_properties(void **state)
{
    static struct kafka_property user[] = {
        {"acks", "0"}, {"message.timeout.ms", "1"}, {"partitioner", "random"}};
    struct fixture *fixture = *state;
    struct tally tally = {0};
    struct tracked tracked[20] = {0};
    struct err err = {0};

    kafka_producer_destroy(fixture->producer);
    fixture->mock.settings.properties = user;
    fixture->mock.settings.property_count = 3;
    fixture->producer =
        kafka_producer_create(&fixture->mock.settings, "test", fixture->metrics, &err);
    assert_non_null(fixture->producer);
    for (int i = 0; i < 20; i++) {
        tracked[i].tally = &tally;
        assert_int_equal(send_one(fixture, "BTC-USDT", "v", &tracked[i], &err), 0);
    }
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    assert_int_equal(tally.failures, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(tracked[i].delivery.partition, kafka_partition_for_key("BTC-USDT", 8, 4));
        assert_true(tracked[i].delivery.offset >= 0); /* unknown with acks=0 */
    }
}

static void settings_that_contradict_idempotence_are_configuration_errors(void **state)
{
    static struct kafka_property user[] = {{"max.in.flight", "100"}};
    struct fixture *fixture = *state;
    struct err err = {0};

    fixture->mock.settings.properties = user;
    fixture->mock.settings.property_count = 1;
    assert_null(kafka_producer_create(&fixture->mock.settings, "test", fixture->metrics, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.message, "max.in.flight"));
}

/* Reads the first record of a topic's partition 0. */
static rd_kafka_message_t *read_first(struct fixture *fixture, rd_kafka_t **client,
                                      const char *name)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_message_t *message = NULL;
    rd_kafka_topic_t *topic;
    struct err err = {0};
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    char reason[256];

    assert_int_equal(
        kafka_conf_set(conf, "bootstrap.servers", fixture->mock.settings.bootstrap_servers, &err),
        0);
    *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    assert_non_null(*client);
    topic = rd_kafka_topic_new(*client, name, NULL);
    assert_int_equal(rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING), 0);
    while (!message && clock_monotonic_ms() < deadline_ms)
        message = rd_kafka_consume(topic, 0, 100);
    rd_kafka_consume_stop(topic, 0);
    rd_kafka_topic_destroy(topic);
    assert_non_null(message);
    assert_int_equal(message->err, 0);
    return message;
}

static void assert_header(const rd_kafka_headers_t *headers, const char *name, const char *expected)
{
    const void *value;
    size_t length;
    rd_kafka_resp_err_t error = rd_kafka_header_get_last(headers, name, &value, &length);

    if (error || length != strlen(expected) || memcmp(value, expected, length) != 0)
        fail_msg("header %s is not '%s'", name, expected);
}

static void dead_letters_keep_the_bytes_and_say_why(void **state)
{
    struct fixture *fixture = *state;
    rd_kafka_headers_t *original = rd_kafka_headers_new(1), *headers;
    struct tally tally = {0};
    struct tracked tracked = {.tally = &tally};
    struct err err = {0};
    rd_kafka_message_t *message;
    rd_kafka_t *client;

    rd_kafka_header_add(original, "traceparent", -1, "00-ab", -1);
    const struct dead_letter letter = {.service = "persister",
                                       .source_topic = "trades",
                                       .source_partition = 3,
                                       .source_offset = 12345678901,
                                       .stage = "store",
                                       .reason = ERR_REMOTE,
                                       .message = "numeric field overflow",
                                       .sqlstate = "22003",
                                       .key = "BTC-USDT",
                                       .key_length = 8,
                                       .value = "\0\1\2",
                                       .value_length = 3,
                                       .headers = original};

    assert_int_equal(dead_letter_send(fixture->producer, &fixture->mock.settings.topics, &letter,
                                      on_delivery, &tracked, &err),
                     0);
    rd_kafka_headers_destroy(original);
    assert_int_equal(kafka_producer_flush(fixture->producer, DEADLINE_MS, &err), 0);
    assert_int_equal(tally.failures, 0);

    message = read_first(fixture, &client, "dead-letters");
    assert_int_equal(message->key_len, 8);
    assert_memory_equal(message->key, "BTC-USDT", 8);
    assert_int_equal(message->len, 3);
    assert_memory_equal(message->payload, "\0\1\2", 3);
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_header(headers, "traceparent", "00-ab");
    assert_header(headers, "__connect.errors.topic", "trades");
    assert_header(headers, "__connect.errors.partition", "3");
    assert_header(headers, "__connect.errors.offset", "12345678901");
    assert_header(headers, "__connect.errors.stage", "store");
    assert_header(headers, "__connect.errors.connector.name", "persister");
    assert_header(headers, "__connect.errors.exception.class.name", "remote");
    assert_header(headers, "__connect.errors.exception.message", "numeric field overflow");
    assert_header(headers, "__connect.errors.sqlstate", "22003");
    rd_kafka_message_destroy(message);
    rd_kafka_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        TEST(every_record_is_reported_once_with_its_place),
        TEST(several_threads_may_send),
        TEST(an_outage_and_broker_errors_delay_records_but_lose_none),
        TEST(a_full_queue_pushes_back_and_takes_nothing),
        TEST(destroying_reports_what_was_not_sent),
        TEST(a_record_beyond_the_limit_is_refused_at_once),
        TEST(being_connected_follows_the_brokers),
        TEST(promises_cannot_be_undone_by_properties),
        TEST(settings_that_contradict_idempotence_are_configuration_errors),
        TEST(dead_letters_keep_the_bytes_and_say_why),
    };

    shutdown_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
