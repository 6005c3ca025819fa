#include "ingestor/stream_publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "domain/trade.h"
#include "tests/support/http_stub.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

enum { INSTRUMENTS = 50, TRADES_EACH = 20, WAIT_MS = 20000, PAUSE_MS = 5, REPAIR_MAX = 1000 };

struct fixture {
    struct mock_cluster mock;
    struct http_stub *stub;
    struct schema_registry *registry;
    struct metrics *metrics;
    struct ingestor_metrics series;
    struct service_failure failure;
    struct kafka_producer *producer;
    struct record_writer *writer;
    struct stream_publisher *publisher;
    struct publish_target *targets[INSTRUMENTS];
};

static const enum record_kind kinds[] = {RECORD_TRADE, RECORD_TRADE_POSITION};

static void register_kinds(struct fixture *fixture)
{
    struct schema_registry_settings settings = {0};
    struct err err = {0};

    fixture->stub = http_stub_start();
    settings.url = (char *)http_stub_url(fixture->stub);
    fixture->registry = schema_registry_create(&settings, &err);
    assert_non_null(fixture->registry);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{}");
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{\"id\":7}");
    }
    if (record_writer_register(fixture->writer, fixture->registry, kinds,
                               sizeof kinds / sizeof *kinds, &err) != 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct err err = {0};

    memset(&fixture, 0, sizeof fixture);
    mock_cluster_start(&fixture.mock, 1);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        mock_cluster_create_topic(
            &fixture.mock, topic_name(&fixture.mock.settings.topics, record_kind_topic(kinds[i])),
            1);
    fixture.metrics = metrics_create();
    ingestor_metrics_init(&fixture.series, fixture.metrics);
    fixture.producer = kafka_producer_create(&fixture.mock.settings, "test", fixture.metrics, &err);
    assert_non_null(fixture.producer);
    fixture.writer = record_writer_create(fixture.producer, &fixture.mock.settings.topics);
    register_kinds(&fixture);
    fixture.publisher =
        stream_publisher_create(fixture.writer, &fixture.series, &fixture.failure, REPAIR_MAX);
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        char inst_id[INST_ID_BYTES];

        snprintf(inst_id, sizeof inst_id, "T%zu-USDT", i);
        fixture.targets[i] = stream_publisher_add_target(fixture.publisher, inst_id);
        stream_publisher_start(fixture.publisher, fixture.targets[i], NULL);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    kafka_producer_destroy(fixture->producer);
    stream_publisher_destroy(fixture->publisher);
    record_writer_destroy(fixture->writer);
    schema_registry_destroy(fixture->registry);
    http_stub_stop(fixture->stub);
    metrics_destroy(fixture->metrics);
    mock_cluster_stop(&fixture->mock);
    return 0;
}

static void send_trade(struct fixture *fixture, size_t instrument, int64_t trade_id)
{
    struct trade trade = {.trade_id = trade_id, .received_at_us = clock_wall_us()};

    snprintf(trade.inst_id, sizeof trade.inst_id, "T%zu-USDT", instrument);
    stream_publisher_send_trade(fixture->publisher, fixture->targets[instrument], &trade, true);
}

static void begin(struct fixture *fixture, size_t instrument)
{
    const struct publish_mark mark = {.trade_id = {true, 0}};

    stream_publisher_begin(fixture->publisher, fixture->targets[instrument], &mark);
}

/* The owner's turns until nothing is kept. */
static void drain(struct fixture *fixture)
{
    int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;

    while (!stream_publisher_drain(fixture->publisher)) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("records are still kept after %d ms", WAIT_MS);
        (void)shutdown_wait_ms(PAUSE_MS);
    }
}

static void await_published(struct fixture *fixture, int64_t trades)
{
    struct err err = {0};
    char labels[] = "topic=\"trades\"";

    if (kafka_producer_flush(fixture->producer, WAIT_MS, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(metric_value(metrics_counter(
                         fixture->metrics, "currency_trends_records_published_total", "", labels)),
                     trades);
    assert_false(atomic_load(&fixture->failure.has_happened));
}

static void beginnings_of_many_instruments_wait_together(void **state)
{
    struct fixture *fixture = *state;

    mock_cluster_set_up(&fixture->mock, 1, false);
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        begin(fixture, i);
        send_trade(fixture, i, 1);
    }
    /* Nothing is acknowledged, so every position must be under way, and no trade. */
    assert_int_equal(kafka_producer_queue_length(fixture->producer), INSTRUMENTS);
    assert_true(stream_publisher_is_blocked(fixture->publisher));
    mock_cluster_set_up(&fixture->mock, 1, true);
    drain(fixture);
    await_published(fixture, INSTRUMENTS);
}

static void trades_wait_behind_those_of_their_instrument_only(void **state)
{
    struct fixture *fixture = *state;

    mock_cluster_set_up(&fixture->mock, 1, false);
    begin(fixture, 0);
    for (int64_t id = 1; id <= TRADES_EACH; id++) {
        send_trade(fixture, 0, id); /* waits for its position */
        send_trade(fixture, 1, id); /* goes on from an earlier one */
    }
    assert_int_equal(kafka_producer_queue_length(fixture->producer), 1 + TRADES_EACH);
    mock_cluster_set_up(&fixture->mock, 1, true);
    drain(fixture);
    await_published(fixture, 2 * TRADES_EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beginnings_of_many_instruments_wait_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(trades_wait_behind_those_of_their_instrument_only, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
