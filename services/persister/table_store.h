/*
 * What the writer knows of a table: its SQL and how a record becomes a row. The SQL runs in the
 * writer's session; the staging tables are temporary, made once per connection, emptied by each
 * commit. Pure but for naming SQL.
 *
 * All states of a row are ordered, and of two states the greater one stays: in a batch by
 * compare_states, in the table by the same rule in merge_sql. Equal states are the same, so a
 * replay changes nothing.
 */
#ifndef PERSISTER_TABLE_STORE_H
#define PERSISTER_TABLE_STORE_H

#include "base/buf.h"
#include "persist_item.h"

struct table_store {
    const char *table;      /* name, also the metrics' label */
    const char *stage_sql;  /* makes the staging table */
    const char *copy_sql;   /* COPY into the staging table */
    const char *merge_sql;  /* staging table to table; its row count is that of rows written */
    const char *direct_sql; /* COPY into the table itself while no row is there yet; NULL: never */
    const char *settle_sql; /* follows merge_sql in the same transaction; NULL: nothing */
    int (*compare_keys)(const void *left, const void *right);
    int (*compare_states)(const void *left, const void *right); /* of the same key */
    void (*append_row)(const void *record, struct buf *rows);
};

extern const struct table_store trade_store, candle_store, currency_store, fetch_store;

const struct table_store *table_store_of(enum table table);

#endif
