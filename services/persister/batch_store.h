/*
 * Writes a batch to PostgreSQL: one transaction over all tables, and what to do when it is refused.
 *
 * Trades are copied straight into their table while none of them is there yet. When one is
 * (unique_violation), the transaction is repeated with a merge, and so are the following batches
 * until one of them brings nothing but new rows. A transaction that is refused for its data is
 * halved until the record at fault is alone; that one is put aside and the others are stored.
 *
 * When PostgreSQL is so slow that it gives up on a transaction (statement_timeout), a batch becomes
 * several shorter ones, until they are quick again: repeating the same one would never end.
 */
#ifndef PERSISTER_BATCH_STORE_H
#define PERSISTER_BATCH_STORE_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "dead_letter_box.h"
#include "partition_keeper.h"
#include "persist_item.h"
#include "persist_metrics.h"
#include "pg_client.h"

struct batch_store;

struct batch_store_options {
    struct pg_client *client; /* all borrowed */
    struct partition_keeper *partitions;
    struct dead_letter_box *dead_letters;
    const struct persist_metrics *metrics;
    size_t rows_max; /* of a batch */
};

struct batch_store *batch_store_create(const struct batch_store_options *options) MUST_CHECK;
void batch_store_destroy(struct batch_store *store);

/* Once per connection: the staging tables. */
int batch_store_prepare_session(struct batch_store *store, struct err *err) MUST_CHECK;

/*
 * Encodes the items for a batch_store_write of the same ones to come, while another one is under
 * way. What does not come to that is forgotten by batch_store_forget.
 */
void batch_store_encode_ahead(struct batch_store *store, struct persist_item *const *items,
                              size_t count);
void batch_store_forget(struct batch_store *store, struct persist_item *const *items);

/*
 * On success each item is committed, or excluded with a letter in the box. On failure some of that
 * may be done already; the call may be repeated with the same items, since every write bears
 * repetition. Errors: as pg_client_run, always retriable, or ERR_STOPPED.
 */
int batch_store_write(struct batch_store *store, struct persist_item *const *items, size_t count,
                      struct err *err) MUST_CHECK;

#endif
