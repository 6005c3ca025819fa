/* What the persister writes to a real PostgreSQL: replays, conflicts, poison, states, lost
 * backends. */
#include "persister/batch_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/trade.h"
#include "persister/schema_check.h"
#include "tests/support/test_database.h"
#include "tests/support/unit_test.h"

enum { ITEMS_MAX = 5000 };

/* A writer's parts without its thread, and the items of one batch. The dead letters are not
 * delivered here, so no producer is needed. */
struct fixture {
    struct test_database database;
    struct metrics *metrics;
    struct persist_metrics series;
    atomic_bool abandon;
    struct pg_client *client;
    struct partition_keeper partitions;
    struct dead_letter_box *dead_letters;
    struct batch_store *store;
    struct source_partition source;
    struct persist_item items[ITEMS_MAX];
    rd_kafka_message_t messages[ITEMS_MAX];
    struct persist_item *pointers[ITEMS_MAX];
    size_t count;
};

static void open_session(struct fixture *fixture)
{
    struct err err = {0};

    if (pg_client_connect(fixture->client, &err) != 0 || schema_check(fixture->client, &err) != 0 ||
        batch_store_prepare_session(fixture->store, &err) != 0)
        fail_msg("%s", err.message);
    partition_keeper_forget(&fixture->partitions);
}

static int set_up(void **state)
{
    struct fixture *fixture = mem_calloc(1, sizeof *fixture);

    test_database_open(&fixture->database);
    fixture->metrics = metrics_create();
    persist_metrics_init(&fixture->series, fixture->metrics);
    fixture->source.topic_name = "trades";
    fixture->client = pg_client_create(&(struct pg_client_options){
        .application_name = "persister-test", .abandon = &fixture->abandon});
    partition_keeper_init(&fixture->partitions, 0);
    fixture->dead_letters = dead_letter_box_create(NULL, NULL, &fixture->series, &fixture->abandon);
    fixture->store = batch_store_create(&(struct batch_store_options){
        .client = fixture->client,
        .partitions = &fixture->partitions,
        .dead_letters = fixture->dead_letters,
        .metrics = &fixture->series,
        .rows_max = ITEMS_MAX,
    });
    open_session(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    batch_store_destroy(fixture->store);
    dead_letter_box_destroy(fixture->dead_letters);
    pg_client_destroy(fixture->client);
    metrics_destroy(fixture->metrics);
    test_database_close(&fixture->database);
    free(fixture);
    return 0;
}

/* The record must outlive the batch. */
static struct persist_item *add_item(struct fixture *fixture, enum table table, void *record)
{
    size_t i = fixture->count++;

    fixture->messages[i] = (rd_kafka_message_t){.offset = (int64_t)i};
    fixture->items[i] = (struct persist_item){.message = &fixture->messages[i],
                                              .source = &fixture->source,
                                              .table = table,
                                              .sequence = i,
                                              .record = record};
    fixture->pointers[i] = &fixture->items[i];
    return &fixture->items[i];
}

static void new_batch(struct fixture *fixture)
{
    dead_letter_box_empty(fixture->dead_letters);
    fixture->count = 0;
}

static void write_batch(struct fixture *fixture)
{
    struct err err = {0};

    if (batch_store_write(fixture->store, fixture->pointers, fixture->count, &err) != 0)
        fail_msg("%s", err.message);
}

static struct decimal decimal_of(const char *text)
{
    struct decimal value = {0};
    struct err err;

    assert_int_equal(decimal_parse(text_view_of(text), &value, &err), 0);
    return value;
}

static int64_t ms_of(const char *text)
{
    struct err err;
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

static struct trade make_trade(int64_t trade_id)
{
    return (struct trade){.inst_id = "BTC-USDT",
                          .trade_id = trade_id,
                          .price = decimal_of("63921.5"),
                          .size = decimal_of("0.001"),
                          .event_time_ms = ms_of("2024-11-23T08:00:00.123Z") + trade_id,
                          .received_at_us = ms_of("2024-11-23T08:00:01Z") * 1000};
}

static int64_t written(const struct fixture *fixture, enum table table)
{
    return metric_value(fixture->series.rows_written[table]);
}

static int64_t duplicates(const struct fixture *fixture, enum table table)
{
    return metric_value(fixture->series.rows_duplicate[table]);
}

/* --- trades --------------------------------------------------------------------------------------
 */

static void every_digit_and_every_field_arrives(void **state)
{
    struct fixture *fixture = *state;
    struct extra_field extra[] = {{"new\"Field", "a\nb"}};
    struct trade trade = {.inst_id = "BTC-USDT",
                          .trade_id = INT64_MAX,
                          .price = decimal_of("99999999999999999999.999999999999999999"),
                          .size = decimal_of("0.000000000000000001"),
                          .side = TRADE_SIDE_SELL,
                          .event_time_ms = ms_of("2024-11-23T08:00:00.123Z"),
                          .count = {true, 4},
                          .source = "1",
                          .sequence_id = {true, -1},
                          .origin = ORIGIN_REST,
                          .received_at_us = ms_of("2024-11-23T08:00:01Z") * 1000 + 42,
                          .extra = {extra, 1}};
    struct trade plain = make_trade(1);

    plain.price = decimal_of("-0.50");
    plain.size = decimal_of("1000000");
    add_item(fixture, TABLE_TRADES, &trade);
    add_item(fixture, TABLE_TRADES, &plain);
    write_batch(fixture);
    test_database_expect(
        &fixture->database, "SELECT * FROM trades ORDER BY trade_id",
        "BTC-USDT|1|-0.5|1000000|buy|2024-11-23 08:00:00.124+00||||stream|2024-11-23 "
        "08:00:01+00|\n"
        "BTC-USDT|9223372036854775807|99999999999999999999.999999999999999999|"
        "0.000000000000000001|sell|2024-11-23 08:00:00.123+00|4|1|-1|rest|"
        "2024-11-23 08:00:01.000042+00|{\"new\\\"Field\": \"a\\nb\"}\n");
}

static void extreme_decimals_keep_their_digits(void **state)
{
    static const char *const texts[] = {"0",
                                        "1",
                                        "-1",
                                        "0.1",
                                        "10000",
                                        "9999",
                                        "99990000",
                                        "0.0001",
                                        "0.00001",
                                        "1234.5678",
                                        "-0.000000000000000001",
                                        "12345678901234567890",
                                        "-99999999999999999999.999999999999999999",
                                        "100000000000000000000e-1",
                                        "1.772e-05",
                                        "0.100000000000000001",
                                        "18446744073709551616",
                                        "18.446744073709551616"};
    struct fixture *fixture = *state;
    struct trade trades[sizeof texts / sizeof texts[0]];
    char sql[256];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        trades[i] = make_trade((int64_t)i);
        trades[i].price = decimal_of(texts[i]);
        add_item(fixture, TABLE_TRADES, &trades[i]);
    }
    write_batch(fixture);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char expected[DECIMAL_TEXT_BYTES];
        char row[DECIMAL_TEXT_BYTES + 8];

        decimal_format(trades[i].price, expected);
        (void)snprintf(row, sizeof row, "%s|t\n", expected);
        /* Equal by value for PostgreSQL's own parser, and to the digit as text. */
        (void)snprintf(sql, sizeof sql,
                       "SELECT px, px = '%s'::numeric FROM trades WHERE trade_id = %zu", texts[i],
                       i);
        test_database_expect(&fixture->database, sql, row);
    }
}

/* The array of a batch that was dropped serves the next one, of the same length as it may be. */
static void what_is_encoded_ahead_is_written_once_and_only_for_its_items(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[6];

    for (size_t i = 0; i < 6; i++)
        trades[i] = make_trade((int64_t)i);
    add_item(fixture, TABLE_TRADES, &trades[1]);
    add_item(fixture, TABLE_TRADES, &trades[0]);
    batch_store_encode_ahead(fixture->store, fixture->pointers, fixture->count);
    write_batch(fixture);
    write_batch(fixture);
    assert_int_equal(written(fixture, TABLE_TRADES), 2);
    assert_int_equal(duplicates(fixture, TABLE_TRADES), 2);
    new_batch(fixture);
    add_item(fixture, TABLE_TRADES, &trades[2]);
    batch_store_encode_ahead(fixture->store, fixture->pointers, fixture->count);
    add_item(fixture, TABLE_TRADES, &trades[3]); /* came too late to be encoded */
    write_batch(fixture);
    assert_int_equal(written(fixture, TABLE_TRADES), 4);
    new_batch(fixture);
    add_item(fixture, TABLE_TRADES, &trades[4]);
    batch_store_encode_ahead(fixture->store, fixture->pointers, fixture->count);
    batch_store_forget(fixture->store, fixture->pointers);
    new_batch(fixture);
    add_item(fixture, TABLE_TRADES, &trades[5]);
    write_batch(fixture);
    test_database_expect(&fixture->database, "SELECT trade_id FROM trades ORDER BY trade_id",
                         "0\n1\n2\n3\n5\n");
}

static void a_replay_changes_nothing_and_is_counted(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[6];

    for (size_t i = 0; i < 6; i++)
        trades[i] = make_trade((int64_t)i);
    for (size_t i = 0; i < 4; i++)
        add_item(fixture, TABLE_TRADES, &trades[i]);
    add_item(fixture, TABLE_TRADES, &trades[0]); /* twice in a batch */
    write_batch(fixture);
    assert_int_equal(written(fixture, TABLE_TRADES), 4);
    assert_int_equal(duplicates(fixture, TABLE_TRADES), 1);
    new_batch(fixture);
    trades[0].price = decimal_of("1"); /* a trade never changes */
    for (size_t i = 0; i < 6; i++)
        add_item(fixture, TABLE_TRADES, &trades[i]);
    write_batch(fixture);
    assert_int_equal(written(fixture, TABLE_TRADES), 6);
    assert_int_equal(duplicates(fixture, TABLE_TRADES), 5);
    assert_int_equal(metric_value(fixture->series.merged_batches), 1);
    test_database_expect(&fixture->database, "SELECT count(*), min(px) FROM trades", "6|63921.5\n");
}

static void copying_straight_resumes_after_a_batch_without_conflicts(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[4];

    for (size_t i = 0; i < 4; i++) {
        trades[i] = make_trade((int64_t)i);
        new_batch(fixture);
        add_item(fixture, TABLE_TRADES, &trades[i]);
        if (i == 1)
            add_item(fixture, TABLE_TRADES, &trades[0]); /* forces a merge */
        write_batch(fixture);
    }
    /* The second for its conflict, the third to find that there are no more. */
    assert_int_equal(metric_value(fixture->series.merged_batches), 2);
    assert_int_equal(written(fixture, TABLE_TRADES), 4);
}

static void old_months_get_their_partition_when_they_come(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[3] = {make_trade(1), make_trade(2), make_trade(3)};

    trades[0].event_time_ms = ms_of("2017-10-31T23:59:59.999Z");
    trades[1].event_time_ms = ms_of("2017-11-01T00:00:00Z");
    trades[2].event_time_ms = ms_of("2024-01-31T12:00:00Z");
    for (size_t i = 0; i < 3; i++)
        add_item(fixture, TABLE_TRADES, &trades[i]);
    write_batch(fixture);
    test_database_expect(&fixture->database,
                         "SELECT tableoid::regclass, trade_id FROM trades ORDER BY 2",
                         "trades_2017_10|1\ntrades_2017_11|2\ntrades_2024_01|3\n");
}

static void a_partition_dropped_behind_our_back_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[2] = {make_trade(1), make_trade(2)};

    add_item(fixture, TABLE_TRADES, &trades[0]);
    write_batch(fixture);
    test_database_run(&fixture->database, "DROP TABLE trades_2024_11");
    new_batch(fixture);
    add_item(fixture, TABLE_TRADES, &trades[1]);
    write_batch(fixture);
    assert_false(fixture->items[0].is_excluded);
    test_database_expect(&fixture->database, "SELECT trade_id FROM trades", "2\n");
}

static void upkeep_makes_partitions_ahead_and_drops_what_is_past_retention(void **state)
{
    struct fixture *fixture = *state;
    int64_t now_ms = ms_of("2024-11-23T08:00:00Z");
    struct trade trades[2] = {make_trade(1), make_trade(2)};
    struct err err = {0};

    trades[0].event_time_ms = ms_of("2024-07-31T00:00:00Z");
    trades[1].event_time_ms = ms_of("2024-08-25T00:00:00Z");
    add_item(fixture, TABLE_TRADES, &trades[0]);
    add_item(fixture, TABLE_TRADES, &trades[1]);
    write_batch(fixture);
    partition_keeper_init(&fixture->partitions, INT64_C(90) * 24 * 3600 * 1000); /* to 25 August */
    if (partition_keeper_upkeep(&fixture->partitions, fixture->client, now_ms, &err) != 0)
        fail_msg("%s", err.message);
    test_database_expect(
        &fixture->database,
        "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'trades'::regclass"
        " ORDER BY 1::text",
        "trades_2024_08\ntrades_2024_11\ntrades_2024_12\ntrades_2025_01\n");
    assert_true(fixture->partitions.next_upkeep_ms == now_ms + INT64_C(24) * 3600 * 1000);
}

/* --- poison --------------------------------------------------------------------------------------
 */

static void poison_is_put_aside_alone_and_the_rest_is_stored(void **state)
{
    static const size_t poisoned[] = {0, 17, 18, 99};
    struct fixture *fixture = *state;
    struct trade trades[100];
    struct candle candle = {.inst_id = "BTC-USDT", .bar = "1H"};

    for (size_t i = 0; i < 100; i++) {
        trades[i] = make_trade((int64_t)i);
        add_item(fixture, TABLE_TRADES, &trades[i]);
    }
    for (size_t i = 0; i < 4; i++)
        memcpy(trades[poisoned[i]].source, "\xff\xfe", 3); /* no UTF-8 */
    add_item(fixture, TABLE_CANDLES, &candle);
    write_batch(fixture);
    for (size_t i = 0, next = 0; i < fixture->count; i++) {
        bool is_poisoned = next < 4 && poisoned[next] == i;

        assert_int_equal(fixture->items[i].is_excluded, is_poisoned);
        next += is_poisoned;
    }
    assert_int_equal(written(fixture, TABLE_TRADES), 96);
    test_database_expect(&fixture->database, "SELECT count(*) FROM trades", "96\n");
    test_database_expect(&fixture->database, "SELECT count(*) FROM candles", "1\n");
}

static void a_poisoned_newer_state_does_not_hide_the_good_older_one(void **state)
{
    struct fixture *fixture = *state;
    struct extra_field poison[] = {{"\xff", "x"}};
    struct candle older = {.inst_id = "BTC-USDT", .bar = "1H", .close = decimal_of("1")};
    struct candle newer = {.inst_id = "BTC-USDT",
                           .bar = "1H",
                           .close = decimal_of("2"),
                           .is_confirmed = true,
                           .extra = {poison, 1}};

    add_item(fixture, TABLE_CANDLES, &older);
    add_item(fixture, TABLE_CANDLES, &newer);
    write_batch(fixture);
    assert_false(fixture->items[0].is_excluded);
    assert_true(fixture->items[1].is_excluded);
    test_database_expect(&fixture->database, "SELECT close FROM candles", "1\n");
}

static void a_time_beyond_postgresqls_calendar_is_poison_not_infinity(void **state)
{
    struct fixture *fixture = *state;
    struct candle candle = {.inst_id = "BTC-USDT", .bar = "1H", .open_time_ms = INT64_MAX};

    add_item(fixture, TABLE_CANDLES, &candle);
    write_batch(fixture);
    assert_true(fixture->items[0].is_excluded);
    assert_string_equal(pg_client_sqlstate(fixture->client), "22008");
}

/* --- the server's faults -------------------------------------------------------------------------
 */

static void a_killed_backend_is_no_fault_of_the_record_and_the_batch_succeeds_later(void **state)
{
    struct fixture *fixture = *state;
    struct trade trade = make_trade(1);
    struct err err = {0};

    add_item(fixture, TABLE_TRADES, &trade);
    test_database_run(&fixture->database,
                      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                      " WHERE application_name = 'persister-test'");
    assert_int_equal(batch_store_write(fixture->store, fixture->pointers, fixture->count, &err),
                     -1);
    assert_true(err.retriable);
    assert_false(fixture->items[0].is_excluded);
    assert_false(pg_client_is_connected(fixture->client));
    open_session(fixture);
    write_batch(fixture);
    test_database_expect(&fixture->database, "SELECT count(*) FROM trades", "1\n");
}

static void an_idle_connection_that_was_closed_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    int64_t deadline_ms = clock_monotonic_ms() + 5000;

    assert_true(pg_client_is_connected(fixture->client));
    test_database_run(&fixture->database,
                      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                      " WHERE application_name = 'persister-test'");
    while (pg_client_is_connected(fixture->client))
        assert_true(clock_monotonic_ms() < deadline_ms);
}

static void missing_tables_are_waited_for_not_blamed_on_records(void **state)
{
    struct fixture *fixture = *state;
    struct trade trade = make_trade(1);
    struct err err = {0};

    test_database_run(&fixture->database, "ALTER TABLE trades RENAME TO elsewhere");
    add_item(fixture, TABLE_TRADES, &trade);
    assert_int_equal(batch_store_write(fixture->store, fixture->pointers, fixture->count, &err),
                     -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_true(err.retriable);
    assert_false(fixture->items[0].is_excluded);
    test_database_run(&fixture->database, "ALTER TABLE elsewhere RENAME TO trades");
    write_batch(fixture);
}

static void a_schema_that_is_dirty_old_or_missing_is_said_so(void **state)
{
    static const struct {
        const char *sql;
        const char *text;
    } cases[] = {
        {"UPDATE schema_migrations SET dirty = true", "is dirty"},
        {"UPDATE schema_migrations SET dirty = false, version = 1", "it is at version 1, "},
        {"DELETE FROM schema_migrations", "it has no version"},
        {"DROP TABLE schema_migrations", "database schema is not migrated: relation"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        test_database_run(&fixture->database, cases[i].sql);
        assert_int_equal(schema_check(fixture->client, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_true(err.retriable);
        assert_non_null(strstr(err.message, cases[i].text));
    }
}

static void a_batch_is_one_transaction_over_all_tables(void **state)
{
    struct fixture *fixture = *state;
    struct trade trade = make_trade(1);
    struct candle candle = {.inst_id = "BTC-USDT", .bar = "1H"};

    add_item(fixture, TABLE_TRADES, &trade);
    add_item(fixture, TABLE_CANDLES, &candle);
    write_batch(fixture);
    test_database_expect(&fixture->database,
                         "SELECT count(DISTINCT xid) FROM (SELECT xmin::text AS xid FROM trades"
                         " UNION ALL SELECT xmin::text FROM candles) rows",
                         "1\n");
}

static void write_until_done(struct fixture *fixture, int *failures)
{
    enum { FAILURES_MAX = 20 };
    struct err err = {0};

    *failures = 0;
    while (batch_store_write(fixture->store, fixture->pointers, fixture->count, &err) != 0) {
        assert_true(err.retriable);
        if (++*failures == FAILURES_MAX)
            fail_msg("no end of it: %s", err.message);
    }
}

/* PostgreSQL that cannot do more than 100 new rows within its statement_timeout. */
static void a_batch_that_takes_too_long_is_written_in_parts_until_all_is_quick_again(void **state)
{
    enum { COUNT = 1000, BATCHES = 7 };
    static struct trade trades[BATCHES * COUNT];
    struct fixture *fixture = *state;
    int failures = 0;

    test_database_run(&fixture->database,
                      "CREATE FUNCTION too_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                      " IF (SELECT count(*) FROM added) > 100 THEN"
                      " RAISE EXCEPTION 'canceling statement due to statement timeout'"
                      " USING ERRCODE = '57014'; END IF; RETURN NULL; END $$;"
                      "CREATE TRIGGER too_slow AFTER INSERT ON trades REFERENCING NEW TABLE AS"
                      " added FOR EACH STATEMENT EXECUTE FUNCTION too_slow()");
    for (size_t i = 0; i < BATCHES * COUNT; i++)
        trades[i] = make_trade((int64_t)i + 1);
    for (size_t batch = 0; batch < BATCHES; batch++) {
        new_batch(fixture);
        for (size_t i = 0; i < COUNT; i++)
            add_item(fixture, TABLE_TRADES, &trades[batch * COUNT + i]);
        if (batch == 2)
            test_database_run(&fixture->database, "DROP TRIGGER too_slow ON trades");
        write_until_done(fixture, &failures);
        if (batch == 0)
            assert_true(failures >= 4); /* 1000, 500, 250 and 125 at once are too many */
        else if (batch == 1)
            assert_int_equal(failures, 1); /* 124 are tried again, in vain */
        else
            assert_int_equal(failures, 0);
    }
    test_database_expect(
        &fixture->database,
        "SELECT count(*), count(DISTINCT xmin::text) FILTER (WHERE trade_id > 6000)"
        " FROM trades",
        "7000|1\n");
}

/* --- states --------------------------------------------------------------------------------------
 */

static void write_candle(struct fixture *fixture, bool is_confirmed, int64_t received_at_us,
                         const char *close)
{
    struct candle candle = {.inst_id = "BTC-USDT",
                            .bar = "1H",
                            .open_time_ms = ms_of("2024-11-23T08:00:00Z"),
                            .close = decimal_of(close),
                            .is_confirmed = is_confirmed,
                            .received_at_us = received_at_us};

    new_batch(fixture);
    add_item(fixture, TABLE_CANDLES, &candle);
    write_batch(fixture);
}

static void a_candle_is_replaced_only_by_a_newer_state_of_itself(void **state)
{
    static const struct {
        bool is_confirmed;
        int64_t received_at_us;
        const char *close;
        const char *kept;
    } steps[] = {
        {false, 20, "1", "1\n"}, {false, 10, "2", "1\n"}, {false, 30, "3", "3\n"},
        {true, 25, "4", "4\n"},  {false, 99, "5", "4\n"}, {true, 24, "6", "4\n"},
        {true, 26, "7", "7\n"},  {true, 26, "8", "7\n"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        write_candle(fixture, steps[i].is_confirmed, steps[i].received_at_us, steps[i].close);
        test_database_expect(&fixture->database, "SELECT close FROM candles", steps[i].kept);
    }
    assert_int_equal(written(fixture, TABLE_CANDLES), 4);
    assert_int_equal(duplicates(fixture, TABLE_CANDLES), 4);
}

static void write_chain(struct fixture *fixture, const char *chain, int64_t snapshot_time_ms,
                        int64_t snapshot_rows)
{
    struct currency_chain record = {.currency = "BTC",
                                    .can_deposit = {true, true},
                                    .fee = {true, decimal_of("0.0001")},
                                    .snapshot_time_ms = snapshot_time_ms,
                                    .snapshot_rows = snapshot_rows,
                                    .received_at_us = snapshot_time_ms * 1000};

    (void)snprintf(record.chain, sizeof record.chain, "%s", chain);
    new_batch(fixture);
    add_item(fixture, TABLE_CURRENCIES, &record);
    write_batch(fixture);
}

static void a_currency_is_delisted_once_a_whole_newer_snapshot_lacks_it(void **state)
{
    static const char sql[] =
        "SELECT chain, extract(epoch FROM delisted_at)::bigint FROM currencies ORDER BY chain";
    struct fixture *fixture = *state;

    write_chain(fixture, "A", 1000, 3);
    write_chain(fixture, "B", 1000, 3);
    write_chain(fixture, "C", 1000, 3);
    write_chain(fixture, "A", 2000, 2);
    test_database_expect(&fixture->database, sql, "A|\nB|\nC|\n"); /* half of the snapshot */
    write_chain(fixture, "B", 2000, 2);
    test_database_expect(&fixture->database, sql, "A|\nB|\nC|2\n");
    write_chain(fixture, "C", 1000, 3); /* replayed */
    test_database_expect(&fixture->database, sql, "A|\nB|\nC|2\n");
    write_chain(fixture, "C", 3000, 3); /* listed again */
    test_database_expect(&fixture->database, sql, "A|\nB|\nC|\n");
    test_database_expect(&fixture->database, "SELECT fee, can_dep, name FROM currencies LIMIT 1",
                         "0.0001|t|\n");
}

static void write_fetch(struct fixture *fixture, struct fetch_row *row)
{
    new_batch(fixture);
    add_item(fixture, TABLE_FETCHES, row);
    write_batch(fixture);
}

static void a_fetch_shows_what_became_of_its_command(void **state)
{
    static const char sql[] = "SELECT status, attempt, records, missing, retriable, error,"
                              " finished_at IS NULL FROM fetches";
    struct fixture *fixture = *state;
    struct fetch_range hole = {103, 104};
    struct fetch_row command = {0};
    struct fetch_row failed, again, incomplete;

    fetch_command_for_trades(&command.result.command, "BTC-USDT", 100, 109, FETCH_REASON_GAP,
                             ms_of("2024-11-23T08:00:00Z"));
    failed = command;
    failed.is_finished = true;
    failed.result.status = FETCH_STATUS_FAILED;
    failed.result.retriable = true;
    failed.result.finished_at_ms = 5;
    memcpy(failed.result.error, "no answer", 10);
    again = command;
    again.result.command.attempt = 2;
    incomplete = again;
    incomplete.is_finished = true;
    incomplete.result.status = FETCH_STATUS_INCOMPLETE;
    incomplete.result.records = 8;
    incomplete.result.missing = &hole;
    incomplete.result.missing_count = 1;
    incomplete.result.finished_at_ms = 9;

    write_fetch(fixture, &command);
    test_database_expect(&fixture->database, sql, "requested|1|||||t\n");
    write_fetch(fixture, &failed);
    test_database_expect(&fixture->database, sql, "failed|1|0||t|no answer|f\n");
    write_fetch(fixture, &command);
    test_database_expect(&fixture->database, sql, "failed|1|0||t|no answer|f\n");
    write_fetch(fixture, &again);
    test_database_expect(&fixture->database, sql, "requested|2|||||t\n");
    write_fetch(fixture, &incomplete);
    write_fetch(fixture, &again);
    write_fetch(fixture, &failed);
    test_database_expect(&fixture->database, sql,
                         "incomplete|2|8|[{\"to\": 104, \"from\": 103}]|||f\n");
}

/* --- views ---------------------------------------------------------------------------------------
 */

static void store_trades(struct fixture *fixture, int64_t from, int64_t to)
{
    static struct trade trades[ITEMS_MAX];

    new_batch(fixture);
    for (int64_t id = from; id <= to; id++) {
        trades[id - from] = make_trade(id);
        add_item(fixture, TABLE_TRADES, &trades[id - from]);
    }
    write_batch(fixture);
}

static void ask_trades(struct fixture *fixture, int64_t from, int64_t to)
{
    struct fetch_row row = {0};

    fetch_command_for_trades(&row.result.command, "BTC-USDT", from, to, FETCH_REASON_GAP,
                             ms_of("2024-11-23T08:00:00Z") + from);
    write_fetch(fixture, &row);
}

static void trade_gaps_lists_each_missing_id_once(void **state)
{
    static const char sql[] = "SELECT from_id, to_id, trades, state, reason, command_id"
                              " FROM trade_gaps ORDER BY from_id";
    struct fixture *fixture = *state;
    struct fetch_range hole = {302, 305};
    struct fetch_row incomplete = {.is_finished = true};

    store_trades(fixture, 90, 99);
    store_trades(fixture, 110, 120);
    test_database_expect(&fixture->database, sql, "");
    ask_trades(fixture, 100, 109);
    ask_trades(fixture, 105, 112); /* overlaps the first, and trades that are there */
    test_database_expect(&fixture->database, sql, "100|109|10|open|gap|trades/BTC-USDT/100-109\n");
    store_trades(fixture, 103, 104); /* the repair comes in pieces */
    test_database_expect(&fixture->database, sql,
                         "100|102|3|open|gap|trades/BTC-USDT/100-109\n"
                         "105|109|5|open|gap|trades/BTC-USDT/100-109\n");
    store_trades(fixture, 100, 109);
    test_database_expect(&fixture->database, sql, "");

    fetch_command_for_trades(&incomplete.result.command, "BTC-USDT", 300, 309, FETCH_REASON_GAP, 1);
    incomplete.result.status = FETCH_STATUS_INCOMPLETE;
    incomplete.result.missing = &hole;
    incomplete.result.missing_count = 1;
    write_fetch(fixture, &incomplete);
    test_database_expect(&fixture->database, sql,
                         "302|305|4|unfillable|gap|trades/BTC-USDT/300-309\n");
}

static void trade_gaps_counts_an_aggregate_for_all_its_ids(void **state)
{
    struct fixture *fixture = *state;
    struct trade trade = make_trade(109);

    trade.count = (struct optional_int64){true, 6}; /* 104 to 109 */
    add_item(fixture, TABLE_TRADES, &trade);
    write_batch(fixture);
    ask_trades(fixture, 100, 109);
    test_database_expect(&fixture->database, "SELECT from_id, to_id FROM trade_gaps", "100|103\n");
}

static void prices_are_the_newest_and_those_of_the_time_asked(void **state)
{
    struct fixture *fixture = *state;
    struct trade trades[4];
    int64_t now_ms = clock_wall_ms();
    const int64_t hour_ms = INT64_C(3600) * 1000;
    const int64_t ages[] = {8 * 24 * hour_ms, 25 * hour_ms, 2 * hour_ms, 0};
    const char *const prices[] = {"50", "80", "200", "100"};

    for (size_t i = 0; i < 4; i++) {
        trades[i] = make_trade((int64_t)(i * i * 10)); /* ids with holes */
        trades[i].event_time_ms = now_ms - ages[i];
        trades[i].price = decimal_of(prices[i]);
        add_item(fixture, TABLE_TRADES, &trades[i]);
    }
    write_batch(fixture);
    test_database_expect(&fixture->database, "SELECT inst_id, px, trade_id FROM last_prices",
                         "BTC-USDT|100|90\n");
    test_database_expect(&fixture->database,
                         "SELECT change_1h, percent_1h, change_24h, percent_24h, change_7d,"
                         " percent_7d FROM price_changes",
                         "-100|-50.0000|20|25.0000|50|100.0000\n");
    test_database_expect(&fixture->database,
                         "SELECT price_at('BTC-USDT', now() - interval '9 days') IS NULL,"
                         " price_at('ETH-USDT', now()) IS NULL",
                         "t|t\n");
}

static void price_at_finds_every_trade_by_its_time(void **state)
{
    struct fixture *fixture = *state;

    store_trades(fixture, 1, 40);
    store_trades(fixture, 55, 56);
    store_trades(fixture, 100, 1000);
    test_database_run(&fixture->database, "UPDATE trades SET px = trade_id");
    test_database_expect(
        &fixture->database,
        "SELECT count(*) FROM trades WHERE price_at(inst_id, ts) IS DISTINCT FROM px", "0\n");
    test_database_expect(&fixture->database,
                         "SELECT price_at('BTC-USDT', max(ts) + interval '1 day') FROM trades",
                         "1000\n");
}

static void candles_are_built_from_trades_by_the_minute(void **state)
{
    struct fixture *fixture = *state;
    static const char *const prices[] = {"10", "12", "9", "11", "20"};
    struct trade trades[5];

    for (size_t i = 0; i < 5; i++) {
        trades[i] = make_trade((int64_t)i);
        trades[i].price = decimal_of(prices[i]);
        trades[i].event_time_ms =
            ms_of(i < 4 ? "2024-11-23T08:00:59.999Z" : "2024-11-23T08:01:00Z");
        add_item(fixture, TABLE_TRADES, &trades[i]);
    }
    write_batch(fixture);
    test_database_expect(&fixture->database,
                         "SELECT ts, open, high, low, close, vol, vol_ccy, trades"
                         " FROM candles_from_trades ORDER BY ts",
                         "2024-11-23 08:00:00+00|10|12|9|11|0.004|0.042|4\n"
                         "2024-11-23 08:01:00+00|20|20|20|20|0.001|0.020|1\n");
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(every_digit_and_every_field_arrives),
        store_test(extreme_decimals_keep_their_digits),
        store_test(what_is_encoded_ahead_is_written_once_and_only_for_its_items),
        store_test(a_replay_changes_nothing_and_is_counted),
        store_test(copying_straight_resumes_after_a_batch_without_conflicts),
        store_test(old_months_get_their_partition_when_they_come),
        store_test(a_partition_dropped_behind_our_back_is_made_again),
        store_test(upkeep_makes_partitions_ahead_and_drops_what_is_past_retention),
        store_test(poison_is_put_aside_alone_and_the_rest_is_stored),
        store_test(a_poisoned_newer_state_does_not_hide_the_good_older_one),
        store_test(a_time_beyond_postgresqls_calendar_is_poison_not_infinity),
        store_test(a_killed_backend_is_no_fault_of_the_record_and_the_batch_succeeds_later),
        store_test(an_idle_connection_that_was_closed_is_noticed),
        store_test(missing_tables_are_waited_for_not_blamed_on_records),
        store_test(a_schema_that_is_dirty_old_or_missing_is_said_so),
        store_test(a_batch_is_one_transaction_over_all_tables),
        store_test(a_batch_that_takes_too_long_is_written_in_parts_until_all_is_quick_again),
        store_test(a_candle_is_replaced_only_by_a_newer_state_of_itself),
        store_test(a_currency_is_delisted_once_a_whole_newer_snapshot_lacks_it),
        store_test(a_fetch_shows_what_became_of_its_command),
        store_test(trade_gaps_lists_each_missing_id_once),
        store_test(trade_gaps_counts_an_aggregate_for_all_its_ids),
        store_test(prices_are_the_newest_and_those_of_the_time_asked),
        store_test(price_at_finds_every_trade_by_its_time),
        store_test(candles_are_built_from_trades_by_the_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
