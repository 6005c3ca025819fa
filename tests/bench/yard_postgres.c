/*
 * What PostgreSQL alone makes of the sample trades: yard_postgres MODE FIRST COUNT BATCH START_MS
 *
 *   copy    COPY ... FROM STDIN (FORMAT binary) into the table, a transaction per batch
 *   unnest  INSERT ... SELECT unnest(arrays in binary form) ON CONFLICT DO NOTHING, one per batch
 *
 * Everything is encoded before the clock starts, in the order of the numbers. Connects as libpq's
 * PG* variables say, writes to the table named by YARDSTICK_TABLE (trades), and prints rows,
 * seconds and the CPU seconds of the server's process, which must run on this machine, as JSON.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text_view.h"
#include "persister/copy_binary.h"
#include "persister/table_store.h"
#include "sample_trade.h"

enum { BATCH_BYTES_MAX = 256 * 1024 * 1024, SQL_BYTES = 1024, COLUMN_COUNT = 11 };

struct job {
    const char *mode;
    int64_t first, count, batch, start_ms;
    const char *table;
    PGconn *connection;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "yard_postgres: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void expect(const struct job *job, PGresult *result, ExecStatusType wanted, const char *what)
{
    if (PQresultStatus(result) != wanted)
        die(what, PQerrorMessage(job->connection));
    PQclear(result);
}

static int64_t rows_in(const struct job *job, int64_t from)
{
    int64_t left = job->first + job->count - from;

    return left < job->batch ? left : job->batch;
}

/* --- copy ----------------------------------------------------------------------------------------
 */

static void encode_copy(const struct job *job, int64_t from, struct buf *out)
{
    buf_init(out, BATCH_BYTES_MAX);
    copy_begin(out);
    for (int64_t i = 0; i < rows_in(job, from); i++) {
        struct trade trade = sample_trade(from + i, job->start_ms);

        trade_store.append_row(&trade, out);
    }
    copy_end(out);
}

static void run_copy(const struct job *job, const struct buf *rows)
{
    char sql[SQL_BYTES];

    /* The statement of the persister, for another table where one is asked for. */
    (void)snprintf(sql, sizeof sql, "COPY %s %s", job->table, strchr(trade_store.direct_sql, '('));
    expect(job, PQexec(job->connection, sql), PGRES_COPY_IN, "COPY");
    if (PQputCopyData(job->connection, rows->data, (int)rows->length) != 1 ||
        PQputCopyEnd(job->connection, NULL) != 1)
        die("COPY", PQerrorMessage(job->connection));
    expect(job, PQgetResult(job->connection), PGRES_COMMAND_OK, "COPY");
    while (PQgetResult(job->connection))
        continue;
}

/* --- unnest --------------------------------------------------------------------------------------
 */

static const char unnest_sql[] =
    "INSERT INTO %s (inst_id, trade_id, px, sz, side, ts, count, source, seq_id, origin,"
    " received_at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::numeric[], $4::numeric[],"
    " $5::text[], $6::timestamptz[], $7::bigint[], $8::text[], $9::bigint[], $10::text[],"
    " $11::timestamptz[]) ON CONFLICT DO NOTHING";

enum { OID_INT8 = 20, OID_TEXT = 25, OID_TIMESTAMPTZ = 1184, OID_NUMERIC = 1700 };
static const Oid element_types[COLUMN_COUNT] = {
    OID_TEXT, OID_INT8, OID_NUMERIC, OID_NUMERIC, OID_TEXT,       OID_TIMESTAMPTZ,
    OID_INT8, OID_TEXT, OID_INT8,    OID_TEXT,    OID_TIMESTAMPTZ};

static void append_int32(struct buf *out, int32_t value)
{
    uint8_t bytes[] = {(uint8_t)((uint32_t)value >> 24), (uint8_t)((uint32_t)value >> 16),
                       (uint8_t)((uint32_t)value >> 8), (uint8_t)value};

    buf_append(out, bytes, sizeof bytes);
}

static void append_value(const struct trade *trade, int column, struct buf *out)
{
    switch (column) {
    case 0:
        return copy_text(out, trade->inst_id);
    case 1:
        return copy_int64(out, trade->trade_id);
    case 2:
        return copy_decimal(out, trade->price);
    case 3:
        return copy_decimal(out, trade->size);
    case 4:
        return copy_text(out, trade->side == TRADE_SIDE_BUY ? "buy" : "sell");
    case 5:
        return copy_time_ms(out, trade->event_time_ms);
    case 6:
        return copy_optional_int64(out, trade->count);
    case 7:
        return copy_text_or_null(out, trade->source);
    case 8:
        return copy_optional_int64(out, trade->sequence_id);
    case 9:
        return copy_text(out, trade->origin == ORIGIN_STREAM ? "stream" : "rest");
    default:
        return copy_time_us(out, trade->received_at_us);
    }
}

/* An array in PostgreSQL's binary form: elements stand as in COPY, behind a header. */
static void encode_array(const struct job *job, int64_t from, int column, struct buf *out)
{
    int64_t count = rows_in(job, from);

    buf_init(out, BATCH_BYTES_MAX);
    append_int32(out, 1); /* dimensions */
    append_int32(out, 0); /* no NULL among them */
    append_int32(out, (int32_t)element_types[column]);
    append_int32(out, (int32_t)count);
    append_int32(out, 1); /* the first index */
    for (int64_t i = 0; i < count; i++) {
        struct trade trade = sample_trade(from + i, job->start_ms);

        append_value(&trade, column, out);
    }
}

static void prepare_unnest(const struct job *job)
{
    char sql[SQL_BYTES];

    (void)snprintf(sql, sizeof sql, unnest_sql, job->table);
    expect(job, PQprepare(job->connection, "insert", sql, 0, NULL), PGRES_COMMAND_OK, "PREPARE");
}

static void run_unnest(const struct job *job, const struct buf *columns)
{
    const char *values[COLUMN_COUNT];
    int lengths[COLUMN_COUNT];
    int formats[COLUMN_COUNT];

    for (int i = 0; i < COLUMN_COUNT; i++) {
        values[i] = columns[i].data;
        lengths[i] = (int)columns[i].length;
        formats[i] = 1;
    }
    expect(job,
           PQexecPrepared(job->connection, "insert", COLUMN_COUNT, values, lengths, formats, 0),
           PGRES_COMMAND_OK, "INSERT");
}

/* --- both ----------------------------------------------------------------------------------------
 */

struct result {
    double seconds, server_cpu_seconds;
};

/* What the server's process has used so far; it has one thread. */
static double server_cpu_seconds(const struct job *job)
{
    char path[64];
    unsigned long long nanoseconds = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", PQbackendPID(job->connection));
    file = fopen(path, "re");
    if (!file || fscanf(file, "%llu", &nanoseconds) != 1)
        die(path, "cannot be read");
    (void)fclose(file);
    return (double)nanoseconds / 1e9;
}

static struct result measure(const struct job *job)
{
    bool is_copy = strcmp(job->mode, "copy") == 0;
    size_t columns = is_copy ? 1 : COLUMN_COUNT;
    size_t batches = (size_t)((job->count + job->batch - 1) / job->batch);
    struct buf *bufs = mem_calloc(batches * columns, sizeof *bufs);
    struct result result;
    int64_t start_us;

    for (size_t i = 0; i < batches; i++) {
        int64_t from = job->first + (int64_t)i * job->batch;

        if (is_copy)
            encode_copy(job, from, &bufs[i]);
        for (int column = 0; !is_copy && column < COLUMN_COUNT; column++)
            encode_array(job, from, column, &bufs[i * columns + (size_t)column]);
    }
    if (!is_copy)
        prepare_unnest(job);
    result.server_cpu_seconds = server_cpu_seconds(job);
    start_us = clock_monotonic_us();
    for (size_t i = 0; i < batches; i++) {
        if (is_copy)
            run_copy(job, &bufs[i]);
        else
            run_unnest(job, &bufs[i * columns]);
    }
    result.seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
    result.server_cpu_seconds = server_cpu_seconds(job) - result.server_cpu_seconds;
    for (size_t i = 0; i < batches * columns; i++)
        buf_clear(&bufs[i]);
    free(bufs);
    return result;
}

static int64_t number_of(const char *text)
{
    struct err err = {0};
    int64_t value = 0;

    if (text_view_read_int64(text_view_of(text), &value, &err) != 0)
        die(text, err.message);
    return value;
}

int main(int argc, char **argv)
{
    struct job job = {.table = getenv("YARDSTICK_TABLE")};
    struct result result;

    if (argc != 6)
        die("arguments", "MODE FIRST COUNT BATCH START_MS are wanted");
    job.mode = argv[1];
    job.first = number_of(argv[2]);
    job.count = number_of(argv[3]);
    job.batch = number_of(argv[4]);
    job.start_ms = number_of(argv[5]);
    if (!job.table)
        job.table = "trades";
    job.connection = PQconnectdb("");
    if (PQstatus(job.connection) != CONNECTION_OK)
        die("connect", PQerrorMessage(job.connection));
    result = measure(&job);
    printf("{\"rows\": %lld, \"seconds\": %.6f, \"server_cpu_seconds\": %.6f}\n",
           (long long)job.count, result.seconds, result.server_cpu_seconds);
    PQfinish(job.connection);
    return EXIT_SUCCESS;
}
