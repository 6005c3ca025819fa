#include "pg_client.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text_view.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    /* The server gives up before we do, so that it does not go on with what we repeat. */
    ANSWER_TIMEOUT_MS = 75000,
    POLL_SLICE_MS = 100,
    COPY_CHUNK_BYTES = 64 * 1024,
    SCRIPT_BYTES_MAX = 64 * 1024,
};

/* What we ask takes milliseconds. Behind millions of trades the planner thinks otherwise, and would
 * compile it for half a second, or share it among workers that readers may need. */
static const char session_sql[] = "SET TIME ZONE 'UTC'; SET lock_timeout = '10s';"
                                  " SET statement_timeout = '60s'; SET jit = off;"
                                  " SET max_parallel_workers_per_gather = 0";

struct pg_client {
    PGconn *connection; /* NULL: not connected */
    char *password;
    char *application_name;
    const atomic_bool *abandon;
    bool (*work_meanwhile)(void *context);
    void *context;
    struct buf script;
    char sqlstate[SQLSTATE_BYTES];
};

struct pg_client *pg_client_create(const struct pg_client_options *options)
{
    struct pg_client *client = mem_calloc(1, sizeof *client);

    client->password = mem_strdup(options->password);
    client->application_name = mem_strdup(options->application_name);
    client->abandon = options->abandon;
    client->work_meanwhile = options->work_meanwhile;
    client->context = options->context;
    buf_init(&client->script, SCRIPT_BYTES_MAX);
    return client;
}

void pg_client_destroy(struct pg_client *client)
{
    if (!client)
        return;
    pg_client_disconnect(client);
    buf_clear(&client->script);
    free(client->application_name);
    free(client->password);
    free(client);
}

void pg_client_disconnect(struct pg_client *client)
{
    PQfinish(client->connection);
    client->connection = NULL;
}

const char *pg_client_sqlstate(const struct pg_client *client)
{
    return client->sqlstate;
}

/* --- failures ------------------------------------------------------------------------------------
 */

/* libpq's texts have several lines and end in one. */
static struct text_view first_line(const char *text)
{
    return (struct text_view){.data = text, .length = strcspn(text, "\n")};
}

/* The connection is of no more use: it was lost, or an answer is still under way. */
static int fail_connection(struct pg_client *client, enum err_code code, const char *what,
                           struct err *err)
{
    struct text_view reason = first_line(PQerrorMessage(client->connection));

    if (reason.length > 0)
        err_set_retriable(err, code, "%s: %.*s", what, TEXT_VIEW_ARGS(reason));
    else
        err_set_retriable(err, code, "%s", what);
    client->sqlstate[0] = '\0';
    pg_client_disconnect(client);
    return -1;
}

static int fail_result(struct pg_client *client, const PGresult *result, struct err *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    struct text_view where = first_line(context ? context : "");

    if (!sqlstate || !message)
        return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
    memcpy(client->sqlstate, sqlstate, SQLSTATE_BYTES);
    err_set_retriable(err, ERR_REMOTE, "%s (SQLSTATE %s%s%.*s)", message, sqlstate,
                      where.length > 0 ? ", " : "", TEXT_VIEW_ARGS(where));
    switch (pg_fault_of_sqlstate(sqlstate)) {
    case PG_FAULT_RECORD:
        err->retriable = false;
        break;
    case PG_FAULT_SCHEMA:
        err->code = ERR_CONFIG;
        break;
    case PG_FAULT_PASSING:
        break;
    }
    return -1;
}

/* --- waiting -------------------------------------------------------------------------------------
 */

/* Until the socket is ready for one of events. */
static int wait_for_socket(struct pg_client *client, short events, int64_t deadline_ms,
                           struct err *err)
{
    struct pollfd socket = {.fd = PQsocket(client->connection), .events = events};
    bool has_work = client->work_meanwhile;

    for (;;) {
        int ready;

        if (atomic_load(client->abandon)) {
            pg_client_disconnect(client);
            return err_set(err, ERR_STOPPED, "gave up on PostgreSQL: stopping");
        }
        if (clock_monotonic_ms() >= deadline_ms)
            return fail_connection(client, ERR_TIMEOUT, "PostgreSQL does not answer", err);
        ready = poll(&socket, 1, has_work ? 0 : POLL_SLICE_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return fail_connection(client, ERR_SYSTEM, "poll", err);
        if (has_work)
            has_work = client->work_meanwhile(client->context);
    }
}

/* Sends all that libpq holds; reads meanwhile, since the server may not take more until we do. */
static int flush_output(struct pg_client *client, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        int pending = PQflush(client->connection);

        if (pending == 0)
            return 0;
        if (pending < 0)
            return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
        if (wait_for_socket(client, POLLIN | POLLOUT, deadline_ms, err) != 0)
            return -1;
        if (!PQconsumeInput(client->connection))
            return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
    }
}

/* *result: owned, or NULL when the answer is complete. */
static int next_result(struct pg_client *client, int64_t deadline_ms, PGresult **result,
                       struct err *err)
{
    while (PQisBusy(client->connection)) {
        if (wait_for_socket(client, POLLIN, deadline_ms, err) != 0)
            return -1;
        if (!PQconsumeInput(client->connection))
            return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
    }
    *result = PQgetResult(client->connection);
    return 0;
}

/* --- connecting ----------------------------------------------------------------------------------
 */

static void on_notice(void *context, const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    (void)context;
    log_debug("PostgreSQL notice", LOG_STR("text", message));
}

static int await_connection(struct pg_client *client, struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (wait_for_socket(client, events, deadline_ms, err) != 0)
            return -1;
        status = PQconnectPoll(client->connection);
        if (status == PGRES_POLLING_FAILED)
            return fail_connection(client,
                                   PQconnectionNeedsPassword(client->connection) ? ERR_UNAUTHORIZED
                                                                                 : ERR_NETWORK,
                                   "connect to PostgreSQL", err);
    }
    return 0;
}

int pg_client_connect(struct pg_client *client, struct err *err)
{
    /* An idle connection to a host that vanished is noticed within a minute. */
    const char *const keywords[] = {"fallback_application_name",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "tcp_user_timeout",
                                    client->password ? "password" : NULL,
                                    NULL};
    const char *const values[] = {client->application_name, "20", "10", "3", "30000",
                                  client->password,         NULL};
    char ignored[1];

    pg_client_disconnect(client);
    client->connection = PQconnectStartParams(keywords, values, 0);
    if (!client->connection || PQstatus(client->connection) == CONNECTION_BAD)
        return fail_connection(client, ERR_NETWORK, "connect to PostgreSQL", err);
    PQsetNoticeReceiver(client->connection, on_notice, NULL);
    if (await_connection(client, err) != 0)
        return -1;
    if (PQsetnonblocking(client->connection, 1) != 0)
        return fail_connection(client, ERR_SYSTEM, "connect to PostgreSQL", err);
    return pg_client_ask(client, session_sql, ignored, sizeof ignored, err);
}

bool pg_client_is_connected(struct pg_client *client)
{
    struct pollfd socket = {.fd = PQsocket(client->connection), .events = POLLIN};

    if (!client->connection)
        return false;
    if (poll(&socket, 1, 0) > 0 && !PQconsumeInput(client->connection))
        pg_client_disconnect(client);
    return client->connection != NULL;
}

/* --- statements ----------------------------------------------------------------------------------
 */

static int send_query(struct pg_client *client, const char *sql, int64_t deadline_ms,
                      struct err *err)
{
    client->sqlstate[0] = '\0';
    if (!client->connection)
        return err_set_retriable(err, ERR_NETWORK, "not connected to PostgreSQL");
    if (!PQsendQuery(client->connection, sql))
        return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
    return flush_output(client, deadline_ms, err);
}

static int send_copy_data(struct pg_client *client, const struct buf *data, int64_t deadline_ms,
                          struct err *err)
{
    for (size_t sent = 0; sent < data->length;) {
        size_t left = data->length - sent;
        int chunk = (int)(left < COPY_CHUNK_BYTES ? left : COPY_CHUNK_BYTES);

        /* 0: no room now; what waits is sent first. */
        int taken = PQputCopyData(client->connection, data->data + sent, chunk);
        if (taken < 0)
            return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
        if (taken > 0)
            sent += (size_t)chunk;
        if (flush_output(client, deadline_ms, err) != 0)
            return -1;
    }
    for (;;) {
        int ended = PQputCopyEnd(client->connection, NULL);

        if (ended < 0)
            return fail_connection(client, ERR_NETWORK, "PostgreSQL connection", err);
        if (flush_output(client, deadline_ms, err) != 0)
            return -1;
        if (ended > 0)
            return 0;
    }
}

/* "INSERT 0 42" and "COPY 42" both give 42. */
static int64_t touched_rows(PGresult *result)
{
    struct err ignored;
    int64_t rows = 0;

    if (text_view_read_int64(text_view_of(PQcmdTuples(result)), &rows, &ignored) != 0)
        return 0;
    return rows;
}

static const char *build_script(struct pg_client *client, const struct pg_step *steps, size_t count)
{
    buf_reset(&client->script);
    buf_append_text(&client->script, "BEGIN");
    for (size_t i = 0; i < count; i++)
        buf_append_format(&client->script, "; %s", steps[i].sql);
    buf_append_text(&client->script, "; COMMIT");
    return client->script.overflowed ? NULL : client->script.data;
}

/* The answers come in the order of the statements: BEGIN, the steps, COMMIT. After a refusal the
 * server skips the rest. */
static int read_answers(struct pg_client *client, struct pg_step *steps, size_t count,
                        int64_t deadline_ms, struct err *err)
{
    struct pg_step *step = NULL;
    size_t answers = 0;
    int status = 0;
    PGresult *result = NULL;

    for (;;) {
        if (next_result(client, deadline_ms, &result, err) != 0)
            return -1;
        if (!result)
            return status;
        step = answers > 0 && answers <= count ? &steps[answers - 1] : NULL;
        switch (PQresultStatus(result)) {
        case PGRES_COPY_IN:
            PQclear(result);
            if (!step || !step->copy_data) {
                pg_client_disconnect(client); /* nothing of ours asks for data here */
                return err_set(err, ERR_PROTOCOL, "PostgreSQL asks for data out of turn");
            }
            if (send_copy_data(client, step->copy_data, deadline_ms, err) != 0)
                return -1;
            continue;
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
            if (step)
                step->rows = touched_rows(result);
            answers++;
            break;
        default:
            if (status == 0)
                status = fail_result(client, result, err);
        }
        PQclear(result);
        if (!client->connection)
            return -1;
    }
}

static int roll_back(struct pg_client *client, struct err *err)
{
    char failure[SQLSTATE_BYTES];
    char ignored[1];

    memcpy(failure, client->sqlstate, sizeof failure);
    if (pg_client_ask(client, "ROLLBACK", ignored, sizeof ignored, err) != 0)
        return -1;
    memcpy(client->sqlstate, failure, sizeof failure);
    return 0;
}

int pg_client_run(struct pg_client *client, struct pg_step *steps, size_t count, struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + ANSWER_TIMEOUT_MS;
    const char *script = build_script(client, steps, count);
    struct err failure;

    if (!script)
        return err_set(err, ERR_LIMIT, "SQL script is too long");
    if (send_query(client, script, deadline_ms, err) != 0)
        return -1;
    if (read_answers(client, steps, count, deadline_ms, err) == 0)
        return 0;
    /* A transaction that was refused is still open; without its end the next one could not begin.
     */
    if (client->connection && PQtransactionStatus(client->connection) != PQTRANS_IDLE &&
        roll_back(client, &failure) != 0)
        *err = failure;
    return -1;
}

int pg_client_ask(struct pg_client *client, const char *sql, char *text, size_t bytes,
                  struct err *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + ANSWER_TIMEOUT_MS;
    int status = 0;
    PGresult *result = NULL;

    if (send_query(client, sql, deadline_ms, err) != 0)
        return -1;
    text[0] = '\0';
    for (;;) {
        if (next_result(client, deadline_ms, &result, err) != 0)
            return -1;
        if (!result)
            return status;
        switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
            if (PQntuples(result) > 0)
                (void)snprintf(text, bytes, "%s", PQgetvalue(result, 0, 0));
            break;
        case PGRES_COMMAND_OK:
            break;
        default:
            if (status == 0)
                status = fail_result(client, result, err);
        }
        PQclear(result);
        if (!client->connection)
            return -1;
    }
}
