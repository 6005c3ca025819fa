#include "io/record_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/wire_format.h"
#include "domain/currency_chain.h"
#include "domain/fetch_result.h"
#include "domain/trade_position.h"
#include "io/record_reader.h"
#include "io/topic_reader.h"
#include "tests/support/http_stub.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

enum { WAIT_MS = 20000, SENDERS = 4, SENT_BY_EACH = 200 };

struct fixture {
    struct mock_cluster mock;
    struct http_stub *stub;
    struct schema_registry *registry;
    struct metrics *metrics;
    struct kafka_producer *producer;
    struct record_writer *writer;
};

static const enum record_kind all_kinds[] = {RECORD_TRADE,          RECORD_CANDLE,
                                             RECORD_CURRENCY_CHAIN, RECORD_FETCH_COMMAND,
                                             RECORD_FETCH_RESULT,   RECORD_TRADE_POSITION};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct schema_registry_settings settings = {0};
    struct err err = {0};

    memset(&fixture, 0, sizeof fixture);
    mock_cluster_start(&fixture.mock, 1);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++)
        mock_cluster_create_topic(
            &fixture.mock, topic_name(&fixture.mock.settings.topics, record_kind_topic(kind)), 1);
    fixture.stub = http_stub_start();
    settings.url = (char *)http_stub_url(fixture.stub);
    fixture.registry = schema_registry_create(&settings, &err);
    fixture.metrics = metrics_create();
    fixture.producer = kafka_producer_create(&fixture.mock.settings, "test", fixture.metrics, &err);
    assert_non_null(fixture.registry);
    assert_non_null(fixture.producer);
    fixture.writer = record_writer_create(fixture.producer, &fixture.mock.settings.topics);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    record_writer_destroy(fixture->writer);
    kafka_producer_destroy(fixture->producer);
    metrics_destroy(fixture->metrics);
    schema_registry_destroy(fixture->registry);
    http_stub_stop(fixture->stub);
    mock_cluster_stop(&fixture->mock);
    return 0;
}

/* Kinds get the ids 101, 102 and so on. */
static void register_kinds(struct fixture *fixture, size_t count)
{
    struct err err = {0};

    for (size_t i = 0; i < count; i++) {
        char body[32];
        snprintf(body, sizeof body, "{\"id\":%zu}", 101 + i);
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{}");
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, body);
    }
    if (record_writer_register(fixture->writer, fixture->registry, all_kinds, count, &err) != 0)
        fail_msg("%s", err.message);
}

/* Returns owned the next record of partition 0. */
static rd_kafka_message_t *next_message(struct topic_reader *reader)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
    rd_kafka_message_t *message = NULL;

    while (!message && clock_monotonic_ms() < deadline_ms)
        message = topic_reader_poll(reader, 100);
    assert_non_null(message);
    return message;
}

static struct topic_reader *read_topic(struct fixture *fixture, enum topic topic)
{
    struct err err = {0};
    struct topic_reader *reader = topic_reader_create(
        &fixture->mock.settings, "test", topic_name(&fixture->mock.settings.topics, topic), &err);

    assert_non_null(reader);
    assert_int_equal(topic_reader_add(reader, 0, RD_KAFKA_OFFSET_BEGINNING, &err), 0);
    return reader;
}

static void each_kind_goes_to_its_topic_with_its_key_in_the_wire_format(void **state)
{
    struct trade trade = {.inst_id = "BTC-USDT", .trade_id = 1};
    struct candle candle = {.inst_id = "ETH-USDT", .bar = "1H"};
    struct currency_chain chain = {.currency = "BTC", .chain = "BTC-Bitcoin"};
    struct fetch_command currencies = {.id = "currencies/x", .kind = FETCH_KIND_CURRENCIES};
    struct fetch_result result = {.command = {.id = "trades/TON-USDT/1-2"}};
    struct trade_position position = {.inst_id = "SOL-USDT"};
    const struct {
        const void *record;
        const char *key;
    } cases[RECORD_KIND_COUNT] = {
        [RECORD_TRADE] = {&trade, "BTC-USDT"},
        [RECORD_CANDLE] = {&candle, "ETH-USDT"},
        [RECORD_CURRENCY_CHAIN] = {&chain, "BTC/BTC-Bitcoin"},
        [RECORD_FETCH_COMMAND] = {&currencies, "currencies"},
        [RECORD_FETCH_RESULT] = {&result, "trades/TON-USDT/1-2"},
        [RECORD_TRADE_POSITION] = {&position, "SOL-USDT"},
    };
    struct fixture *fixture = *state;
    struct record_reader *records = record_reader_create(fixture->registry);
    struct err err = {0};

    register_kinds(fixture, RECORD_KIND_COUNT);
    assert_non_null(strstr(http_stub_request(fixture->stub, 1), "/subjects/trades-value/versions"));
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct topic_reader *reader = read_topic(fixture, record_kind_topic(kind));
        void *copy = mem_calloc(1, avro_record_bytes(kind));
        rd_kafka_message_t *message = NULL;

        assert_int_equal(
            record_writer_send(fixture->writer, kind, cases[kind].record, NULL, NULL, &err), 0);
        message = next_message(reader);
        assert_int_equal(message->key_len, strlen(cases[kind].key));
        assert_memory_equal(message->key, cases[kind].key, message->key_len);
        assert_int_equal(((const uint8_t *)message->payload)[4], 101 + (int)kind);
        if (record_reader_read(records, kind, message->payload, message->len, copy, &err) != 0)
            fail_msg("kind %d: %s", kind, err.message);
        avro_record_clear(kind, copy);
        free(copy);
        rd_kafka_message_destroy(message);
        topic_reader_destroy(reader);
    }
    record_reader_destroy(records);
}

static void what_is_registered_already_is_not_registered_again(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};

    register_kinds(fixture, 2);
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 503, "");
    assert_int_equal(record_writer_register(fixture->writer, fixture->registry, all_kinds, 3, &err),
                     -1);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "register the schema of currencies-value: "));
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{}");
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{\"id\":7}");
    assert_int_equal(record_writer_register(fixture->writer, fixture->registry, all_kinds, 3, &err),
                     0);
    assert_int_equal(http_stub_request_count(fixture->stub), 7);
}

static void *send_many(void *context)
{
    struct fixture *fixture = context;

    for (int i = 0; i < SENT_BY_EACH; i++) {
        struct trade trade = {.inst_id = "BTC-USDT", .trade_id = i};
        struct err err = {0};

        if (record_writer_send(fixture->writer, RECORD_TRADE, &trade, NULL, NULL, &err) != 0)
            return "a send failed";
    }
    return NULL;
}

static void threads_may_share_a_writer(void **state)
{
    struct fixture *fixture = *state;
    struct record_reader *records = record_reader_create(fixture->registry);
    struct topic_reader *reader = read_topic(fixture, TOPIC_TRADES);
    int seen[SENT_BY_EACH] = {0};
    pthread_t threads[SENDERS];
    void *problem = NULL;

    register_kinds(fixture, 1);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, fixture), 0);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], &problem), 0);
        assert_null(problem);
    }
    for (int i = 0; i < SENDERS * SENT_BY_EACH; i++) {
        rd_kafka_message_t *message = next_message(reader);
        struct trade trade;
        struct err err = {0};

        assert_int_equal(
            record_reader_read(records, RECORD_TRADE, message->payload, message->len, &trade, &err),
            0);
        seen[trade.trade_id]++;
        rd_kafka_message_destroy(message);
    }
    for (int i = 0; i < SENT_BY_EACH; i++)
        assert_int_equal(seen[i], SENDERS);
    topic_reader_destroy(reader);
    record_reader_destroy(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_goes_to_its_topic_with_its_key_in_the_wire_format,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_registered_already_is_not_registered_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(threads_may_share_a_writer, set_up, tear_down),
    };
    log_configure("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT); /* the mock brokers are old ones */
    return cmocka_run_group_tests_name("record_writer", tests, NULL, NULL);
}
