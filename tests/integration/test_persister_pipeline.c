/*
 * The persister as it runs, between a real Kafka, registry and PostgreSQL (KAFKA_BOOTSTRAP_SERVERS,
 * SCHEMA_REGISTRY_URL, PG*): its promises when records are bad, the database goes away, and it is
 * told to stop. Topics and schema are the test's own.
 */
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "domain/candle.h"
#include "domain/fetch_result.h"
#include "domain/trade.h"
#include "io/http_client.h"
#include "io/record_writer.h"
#include "io/topic_admin.h"
#include "io/topic_reader.h"
#include "tests/support/test_database.h"
#include "tests/support/unit_test.h"

enum {
    DEADLINE_MS = 30000,
    STOP_DEADLINE_MS = 10000,
    PARTITIONS = 3,
    PREFIX_BYTES = 64,
    POLL_MS = 20,
};

struct fixture {
    struct test_database database;
    struct kafka_settings kafka;
    char prefix[PREFIX_BYTES];
    struct metrics *metrics;
    struct schema_registry *registry;
    struct kafka_producer *producer;
    struct record_writer *writer;
    pid_t persister; /* 0: not running */
};

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000 * 1000}, NULL);
}

/* --- neighbours ----------------------------------------------------------------------------------
 */

static void connect_kafka(struct fixture *fixture)
{
    static const enum record_kind kinds[] = {RECORD_TRADE, RECORD_CANDLE, RECORD_FETCH_COMMAND,
                                             RECORD_FETCH_RESULT};
    struct schema_registry_settings registry = {.url = getenv("SCHEMA_REGISTRY_URL")};
    struct err err = {0};

    fixture->kafka = (struct kafka_settings){.bootstrap_servers = getenv("KAFKA_BOOTSTRAP_SERVERS"),
                                             .topic_prefix = fixture->prefix,
                                             .topic_partitions = PARTITIONS,
                                             .topic_replication_factor = 1};
    if (topic_names_init(&fixture->kafka.topics, fixture->prefix, &err) != 0 ||
        topic_admin_ensure(&fixture->kafka, &err) != 0)
        fail_msg("%s", err.message);
    fixture->registry = schema_registry_create(&registry, &err);
    fixture->producer = kafka_producer_create(&fixture->kafka, "test", fixture->metrics, &err);
    assert_non_null(fixture->registry);
    assert_non_null(fixture->producer);
    fixture->writer = record_writer_create(fixture->producer, &fixture->kafka.topics);
    if (record_writer_register(fixture->writer, fixture->registry, kinds,
                               sizeof kinds / sizeof kinds[0], &err) != 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    static int counter;
    struct fixture *fixture = mem_calloc(1, sizeof *fixture);

    (void)snprintf(fixture->prefix, sizeof fixture->prefix, "t%d-%d-", (int)getpid(), counter++);
    test_database_open(&fixture->database);
    fixture->metrics = metrics_create();
    connect_kafka(fixture);
    *state = fixture;
    return 0;
}

static void flush(struct fixture *fixture)
{
    struct err err = {0};

    if (kafka_producer_flush(fixture->producer, DEADLINE_MS, &err) != 0)
        fail_msg("%s", err.message);
}

static void publish(struct fixture *fixture, enum record_kind kind, const void *record)
{
    struct err err = {0};

    if (record_writer_send(fixture->writer, kind, record, NULL, NULL, &err) != 0)
        fail_msg("%s", err.message);
}

static struct trade make_trade(const char *inst_id, int64_t trade_id)
{
    struct trade trade = {.trade_id = trade_id,
                          .price = decimal_from_int64(trade_id),
                          .size = decimal_from_int64(1),
                          .event_time_ms = clock_wall_ms(),
                          .received_at_us = clock_wall_us()};

    (void)snprintf(trade.inst_id, sizeof trade.inst_id, "%s", inst_id);
    return trade;
}

static void publish_trades(struct fixture *fixture, int64_t from, int64_t to)
{
    static const char *const instruments[] = {"BTC-USDT", "ETH-USDT", "TON-USDT", "SOL-USDT"};

    for (int64_t id = from; id <= to; id++) {
        for (size_t i = 0; i < sizeof instruments / sizeof instruments[0]; i++) {
            struct trade trade = make_trade(instruments[i], id);

            publish(fixture, RECORD_TRADE, &trade);
        }
    }
}

/* --- the process ---------------------------------------------------------------------------------
 */

static void start_persister(struct fixture *fixture)
{
    char program[PATH_MAX] = "";
    char path[PATH_MAX + 32];
    char partitions[16];

    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    (void)snprintf(path, sizeof path, "%s/../../bin/persister", dirname(program));
    (void)snprintf(partitions, sizeof partitions, "%d", PARTITIONS);
    fixture->persister = fork();
    assert_true(fixture->persister >= 0);
    if (fixture->persister > 0)
        return;
    setenv("TOPIC_PREFIX", fixture->prefix, 1);
    setenv("TOPIC_PARTITIONS", partitions, 1);
    setenv("STATUS_ADDRESS", "127.0.0.1:0", 1);
    setenv("WRITERS", "2", 1);
    execl(path, path, (char *)NULL);
    _exit(127);
}

/* The exit status, or 128 + signal; fails when it takes longer than it may. */
static int stop_persister(struct fixture *fixture, int signal)
{
    int64_t deadline_ms = clock_monotonic_ms() + STOP_DEADLINE_MS;
    int status = 0;
    pid_t ended = 0;

    kill(fixture->persister, signal);
    while ((ended = waitpid(fixture->persister, &status, WNOHANG)) == 0) {
        if (clock_monotonic_ms() > deadline_ms) {
            kill(fixture->persister, SIGKILL);
            waitpid(fixture->persister, &status, 0);
            fixture->persister = 0;
            fail_msg("persister did not stop within %d ms", STOP_DEADLINE_MS);
        }
        pause_briefly();
    }
    assert_int_equal(ended, fixture->persister);
    fixture->persister = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->persister > 0)
        stop_persister(fixture, SIGKILL);
    record_writer_destroy(fixture->writer);
    kafka_producer_destroy(fixture->producer);
    schema_registry_destroy(fixture->registry);
    metrics_destroy(fixture->metrics);
    test_database_close(&fixture->database);
    free(fixture);
    return 0;
}

static void await_rows(struct fixture *fixture, const char *sql, const char *rows)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    for (;;) {
        char *actual = test_database_rows(&fixture->database, sql);
        bool is_there = strcmp(actual, rows) == 0;

        if (!is_there && clock_monotonic_ms() > deadline_ms)
            fail_msg("%s gives %s instead of %s", sql, actual, rows);
        free(actual);
        if (is_there)
            return;
        pause_briefly();
    }
}

/* --- dead letters --------------------------------------------------------------------------------
 */

static bool has_header(const rd_kafka_message_t *message, const char *name, const char *expected)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t length = 0;

    return rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           length == strlen(expected) && memcmp(value, expected, length) == 0;
}

/* Reads that many dead letters; how many have that stage. */
static size_t count_letters(struct fixture *fixture, size_t wanted, const char *stage)
{
    struct err err = {0};
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    struct topic_reader *reader = topic_reader_create(
        &fixture->kafka, "test", topic_name(&fixture->kafka.topics, TOPIC_DEAD_LETTERS), &err);
    size_t seen = 0;
    size_t with_stage = 0;

    assert_non_null(reader);
    assert_int_equal(topic_reader_add(reader, 0, RD_KAFKA_OFFSET_BEGINNING, &err), 0);
    while (seen < wanted && clock_monotonic_ms() < deadline_ms) {
        rd_kafka_message_t *message = topic_reader_poll(reader, 100);

        if (!message)
            continue;
        seen++;
        with_stage += has_header(message, "__connect.errors.stage", stage);
        rd_kafka_message_destroy(message);
    }
    topic_reader_destroy(reader);
    assert_int_equal(seen, wanted);
    return with_stage;
}

static void publish_bytes(struct fixture *fixture, enum topic topic, const void *value,
                          size_t length)
{
    struct err err = {0};
    struct kafka_record record = {.topic = topic_name(&fixture->kafka.topics, topic),
                                  .key = "BTC-USDT",
                                  .key_length = 8,
                                  .value = value,
                                  .value_length = length,
                                  .partition = RD_KAFKA_PARTITION_UA};

    if (kafka_producer_send(fixture->producer, &record, NULL, NULL, &err) != 0)
        fail_msg("%s", err.message);
}

static void bad_records_go_to_dead_letters_and_the_others_are_stored(void **state)
{
    struct fixture *fixture = *state;
    struct trade ancient = make_trade("BTC-USDT", 7);
    struct candle beyond = {.inst_id = "BTC-USDT", .bar = "1H", .open_time_ms = INT64_MAX};
    struct candle candle = {.inst_id = "BTC-USDT", .bar = "1H"};
    struct fetch_command command;

    ancient.event_time_ms = 1;
    publish_trades(fixture, 1, 50);
    publish_bytes(fixture, TOPIC_TRADES, "\x01", 1); /* not the wire format */
    publish_bytes(fixture, TOPIC_TRADES,
                  "\0\x7f\xff\xff\xff"
                  "abc",
                  8);                              /* unknown schema */
    publish_bytes(fixture, TOPIC_TRADES, NULL, 0); /* no value */
    publish(fixture, RECORD_TRADE, &ancient);      /* 1970 */
    publish(fixture, RECORD_CANDLE, &beyond);      /* PostgreSQL refuses it */
    publish(fixture, RECORD_CANDLE, &candle);
    publish_bytes(fixture, TOPIC_CURRENCIES, NULL, 0); /* a tombstone, no fault */
    fetch_command_for_trades(&command, "BTC-USDT", 60, 69, FETCH_REASON_GAP, clock_wall_ms());
    publish(fixture, RECORD_FETCH_COMMAND, &command);
    publish_trades(fixture, 51, 59);
    flush(fixture);
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*), count(DISTINCT (inst_id, trade_id)) FROM trades",
               "236|236\n");
    await_rows(fixture, "SELECT count(*) FROM candles", "1\n");
    await_rows(fixture, "SELECT from_id, to_id, state FROM trade_gaps", "60|69|open\n");
    assert_int_equal(count_letters(fixture, 5, "store"), 1);
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
}

/* --- faults --------------------------------------------------------------------------------------
 */

/* A persister's backend waits in the middle of its transaction. */
static void await_lock_wait(struct fixture *fixture)
{
    await_rows(fixture,
               "SELECT count(*) > 0 FROM pg_locks"
               " WHERE NOT granted AND relation = 'trades'::regclass",
               "t\n");
}

static void backends_killed_within_their_transactions_lose_and_double_nothing(void **state)
{
    struct fixture *fixture = *state;

    start_persister(fixture);
    for (int64_t round = 0; round < 5; round++) {
        test_database_run(&fixture->database, "BEGIN; LOCK TABLE trades");
        publish_trades(fixture, round * 500 + 1, round * 500 + 500);
        flush(fixture);
        await_lock_wait(fixture);
        await_rows(fixture,
                   "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_locks"
                   " WHERE NOT granted AND relation = 'trades'::regclass",
                   "t\n");
        test_database_run(&fixture->database, "COMMIT");
    }
    await_rows(fixture,
               "SELECT inst_id, count(*), min(trade_id), max(trade_id) FROM trades"
               " GROUP BY inst_id ORDER BY inst_id",
               "BTC-USDT|2500|1|2500\nETH-USDT|2500|1|2500\nSOL-USDT|2500|1|2500\n"
               "TON-USDT|2500|1|2500\n");
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
}

static void told_to_stop_while_postgresql_hangs_it_ends_in_time_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;

    publish_trades(fixture, 1, 10);
    flush(fixture);
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*) FROM trades", "40\n");
    test_database_run(&fixture->database, "BEGIN; LOCK TABLE trades");
    publish_trades(fixture, 11, 20);
    flush(fixture);
    await_lock_wait(fixture);
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
    test_database_run(&fixture->database, "COMMIT");
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*), count(DISTINCT (inst_id, trade_id)) FROM trades",
               "80|80\n");
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
}

static void told_to_stop_while_postgresql_is_away_it_ends_in_time(void **state)
{
    struct fixture *fixture = *state;
    char *port = mem_strdup(getenv("PGPORT") ? getenv("PGPORT") : "5432");

    publish_trades(fixture, 1, 10);
    flush(fixture);
    setenv("PGPORT", "1", 1); /* nobody listens there */
    start_persister(fixture);
    for (int64_t end_ms = clock_monotonic_ms() + 1500; clock_monotonic_ms() < end_ms;)
        pause_briefly(); /* somewhere in its waiting */
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
    setenv("PGPORT", port, 1);
    free(port);
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*) FROM trades", "40\n");
}

static void killed_again_and_again_it_stores_every_trade_once(void **state)
{
    struct fixture *fixture = *state;

    for (int64_t round = 0; round < 5; round++) {
        start_persister(fixture);
        publish_trades(fixture, round * 200 + 1, round * 200 + 200);
        flush(fixture);
        await_rows(fixture,
                   round % 2 == 0 ? "SELECT count(*) > 0 FROM trades"
                                  : "SELECT count(*) >= 800 FROM trades",
                   "t\n");
        assert_int_equal(stop_persister(fixture, SIGKILL), 128 + SIGKILL);
    }
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*), count(DISTINCT (inst_id, trade_id)) FROM trades",
               "4000|4000\n");
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
}

static void a_stopped_persister_has_committed_what_it_stored(void **state)
{
    struct fixture *fixture = *state;

    publish_trades(fixture, 1, 100);
    flush(fixture);
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*) FROM trades", "400\n");
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
    /* What is read again would come back. */
    test_database_run(&fixture->database, "DELETE FROM trades");
    publish_trades(fixture, 101, 101);
    flush(fixture);
    start_persister(fixture);
    await_rows(fixture, "SELECT count(*) > 0 FROM trades", "t\n");
    await_rows(fixture, "SELECT count(*), min(trade_id) FROM trades", "4|101\n");
    assert_int_equal(stop_persister(fixture, SIGTERM), 0);
}

#define pipeline_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(bad_records_go_to_dead_letters_and_the_others_are_stored),
        pipeline_test(backends_killed_within_their_transactions_lose_and_double_nothing),
        pipeline_test(told_to_stop_while_postgresql_hangs_it_ends_in_time_and_loses_nothing),
        pipeline_test(told_to_stop_while_postgresql_is_away_it_ends_in_time),
        pipeline_test(killed_again_and_again_it_stores_every_trade_once),
        pipeline_test(a_stopped_persister_has_committed_what_it_stored),
    };

    http_client_global_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
