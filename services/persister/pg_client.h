/*
 * One connection to PostgreSQL through libpq, never blocking for longer than its deadlines: a
 * server that stopped answering is an error, and whoever sets *abandon gets the thread back within
 * 100 ms. Where to connect is libpq's own business (PGHOST, PGSERVICE, ...). One thread.
 */
#ifndef PERSISTER_PG_CLIENT_H
#define PERSISTER_PG_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "pg_error.h"

struct pg_client;

struct pg_client_options {
    const char *password; /* NULL: whatever libpq finds; copied, never printed */
    const char *application_name;
    const atomic_bool *abandon; /* borrowed */
    /* Called while PostgreSQL works, for a millisecond's work at a time; false: there is none.
     * Must not use the client. May be NULL. */
    bool (*work_meanwhile)(void *context);
    void *context;
};

struct pg_client *pg_client_create(const struct pg_client_options *options) MUST_CHECK;
void pg_client_destroy(struct pg_client *client);

/* One attempt. Errors: ERR_NETWORK, ERR_TIMEOUT, ERR_UNAUTHORIZED (all retriable: passwords and
 * databases are put right while we wait), ERR_STOPPED. */
int pg_client_connect(struct pg_client *client, struct err *err) MUST_CHECK;
void pg_client_disconnect(struct pg_client *client);
/* Looks for a connection that the server closed while nothing was asked; disconnects it then. */
bool pg_client_is_connected(struct pg_client *client);

/* A statement of a transaction. */
struct pg_step {
    const char *sql;             /* one statement, without ';' */
    const struct buf *copy_data; /* what to send after COPY ... FROM STDIN; NULL: no COPY */
    int64_t rows;                /* out: rows that it touched, by its command tag */
};

/*
 * Runs the steps in one transaction and commits, in one round trip. On success everything is
 * durable. On failure nothing is, except when the connection was lost around the commit: then it
 * may be, so what is written must bear repetition. Errors: retriable unless the data is at fault
 * (PG_FAULT_RECORD); ERR_CONFIG for PG_FAULT_SCHEMA. After a lost connection: disconnected.
 */
int pg_client_run(struct pg_client *client, struct pg_step *steps, size_t count,
                  struct err *err) MUST_CHECK;

/* The first column of the first row as text; "" for NULL or no row. text: room for bytes. */
int pg_client_ask(struct pg_client *client, const char *sql, char *text, size_t bytes,
                  struct err *err) MUST_CHECK;

/* SQLSTATE of the last failure; "" when the server gave none. */
const char *pg_client_sqlstate(const struct pg_client *client);

#endif
