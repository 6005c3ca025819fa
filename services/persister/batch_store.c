#include "batch_store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "batch.h"
#include "copy_binary.h"
#include "domain/trade.h"
#include "table_store.h"

enum {
    STEPS_MAX = TABLE_COUNT * 3,        /* copy, merge, settle */
    COPY_BYTES_MAX = 256 * 1024 * 1024, /* of one table in one batch */
    QUICK_MS = 5000,                    /* a transaction that takes less may be twice as long */
};

/* The part of a transaction that concerns one table. */
struct table_part {
    const struct persist_item **rows; /* room for rows_max */
    size_t row_count;
    size_t superseded;   /* left out of rows for a newer state in the same batch */
    struct buf copy;     /* the rows in COPY's form */
    size_t written_step; /* whose row count is that of rows written */
};

/* Items as rows of all tables. */
struct encoded_items {
    struct persist_item *const *items; /* NULL: none */
    size_t count;
    struct table_part parts[TABLE_COUNT];
};

struct batch_store {
    struct pg_client *client;
    struct partition_keeper *partitions;
    struct dead_letter_box *dead_letters;
    const struct persist_metrics *metrics;
    struct encoded_items sets[2];
    struct encoded_items *current, *ahead; /* one of the sets each */
    bool merges;                           /* instead of copying straight into the table */
    size_t rows_max;
    size_t rows_at_once; /* in one transaction; below rows_max while PostgreSQL is too slow */
};

static void init_set(struct encoded_items *set, size_t rows_max)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        set->parts[i].rows = mem_calloc(rows_max, sizeof *set->parts[i].rows);
        buf_init(&set->parts[i].copy, COPY_BYTES_MAX);
    }
}

static void clear_set(struct encoded_items *set)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_clear(&set->parts[i].copy);
        free(set->parts[i].rows);
    }
}

struct batch_store *batch_store_create(const struct batch_store_options *options)
{
    struct batch_store *store = mem_calloc(1, sizeof *store);

    store->client = options->client;
    store->partitions = options->partitions;
    store->dead_letters = options->dead_letters;
    store->metrics = options->metrics;
    store->rows_max = options->rows_max;
    store->rows_at_once = options->rows_max;
    store->current = &store->sets[0];
    store->ahead = &store->sets[1];
    init_set(store->current, options->rows_max);
    init_set(store->ahead, options->rows_max);
    return store;
}

void batch_store_destroy(struct batch_store *store)
{
    if (!store)
        return;
    clear_set(store->current);
    clear_set(store->ahead);
    free(store);
}

int batch_store_prepare_session(struct batch_store *store, struct err *err)
{
    struct pg_step steps[TABLE_COUNT] = {0};

    for (enum table table = 0; table < TABLE_COUNT; table++)
        steps[table].sql = table_store_of(table)->stage_sql;
    return pg_client_run(store->client, steps, TABLE_COUNT, err);
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static int encode_rows(struct table_part *part, const struct table_store *table, struct err *err)
{
    buf_reset(&part->copy);
    copy_begin(&part->copy);
    for (size_t i = 0; i < part->row_count; i++)
        table->append_row(part->rows[i]->record, &part->copy);
    copy_end(&part->copy);
    if (part->copy.overflowed)
        return err_set(err, ERR_LIMIT, "rows for %s take more than %d bytes", table->table,
                       COPY_BYTES_MAX);
    return 0;
}

static int encode_set(struct encoded_items *set, struct persist_item *const *items, size_t count,
                      struct err *err)
{
    set->items = NULL;
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        struct table_part *part = &set->parts[table];

        part->row_count = batch_rows(items, count, table, part->rows, &part->superseded);
        if (part->row_count > 0 && encode_rows(part, table_store_of(table), err) != 0)
            return -1;
    }
    set->items = items;
    set->count = count;
    return 0;
}

void batch_store_encode_ahead(struct batch_store *store, struct persist_item *const *items,
                              size_t count)
{
    struct err ignored = {0}; /* it is found again when the items are written */

    (void)encode_set(store->ahead, items, count, &ignored);
}

void batch_store_forget(struct batch_store *store, struct persist_item *const *items)
{
    if (store->ahead->items == items)
        store->ahead->items = NULL;
}

/* Makes the items the current set. What was encoded ahead serves once: after a refusal some items
 * may be excluded. */
static int encode_items(struct batch_store *store, struct persist_item *const *items, size_t count,
                        struct err *err)
{
    struct encoded_items *ahead = store->ahead;

    if (ahead->items != items || ahead->count != count)
        return encode_set(store->current, items, count, err);
    store->ahead = store->current;
    store->ahead->items = NULL;
    store->current = ahead;
    return 0;
}

/* --- one transaction -----------------------------------------------------------------------------
 */

static size_t add_steps(struct table_part *part, const struct table_store *table, bool merges,
                        struct pg_step *steps)
{
    size_t count = 0;

    if (table->direct_sql && !merges) {
        part->written_step = 0;
        steps[count++] = (struct pg_step){.sql = table->direct_sql, .copy_data = &part->copy};
        return count;
    }
    part->written_step = 1;
    steps[count++] = (struct pg_step){.sql = table->copy_sql, .copy_data = &part->copy};
    steps[count++] = (struct pg_step){.sql = table->merge_sql};
    if (table->settle_sql)
        steps[count++] = (struct pg_step){.sql = table->settle_sql};
    return count;
}

static void observe_latency(struct batch_store *store)
{
    const struct table_part *part = &store->current->parts[TABLE_TRADES];
    int64_t now_us = clock_wall_us();

    for (size_t i = 0; i < part->row_count; i++) {
        const struct trade *trade = part->rows[i]->record;

        if (trade->origin == ORIGIN_STREAM)
            metric_observe_us(store->metrics->end_to_end_seconds, now_us - trade->received_at_us);
    }
}

static void note_success(struct batch_store *store, const struct pg_step *steps)
{
    const struct table_part *trades = &store->current->parts[TABLE_TRADES];

    for (enum table table = 0; table < TABLE_COUNT; table++) {
        const struct table_part *part = &store->current->parts[table];
        int64_t written = 0;

        if (part->row_count > 0) {
            written = steps[part->written_step].rows;
            metric_add(store->metrics->rows_written[table], written);
        }
        metric_add(store->metrics->rows_duplicate[table],
                   (int64_t)(part->row_count + part->superseded) - written);
    }
    if (trades->row_count == 0)
        return;
    if (store->merges)
        metric_increment(store->metrics->merged_batches);
    /* Trades that were there before say nothing about how long the new ones took. */
    if (steps[trades->written_step].rows == (int64_t)trades->row_count) {
        store->merges = false;
        observe_latency(store);
    }
}

static int write_transaction(struct batch_store *store, struct persist_item *const *items,
                             size_t count, struct err *err)
{
    struct pg_step steps[STEPS_MAX];
    size_t step_count = 0;

    if (encode_items(store, items, count, err) != 0)
        return -1;
    for (enum table table = 0; table < TABLE_COUNT; table++) {
        struct table_part *part = &store->current->parts[table];

        if (part->row_count == 0)
            continue;
        size_t added = add_steps(part, table_store_of(table), store->merges, steps + step_count);
        part->written_step += step_count;
        step_count += added;
    }
    if (step_count == 0)
        return 0;
    if (pg_client_run(store->client, steps, step_count, err) != 0)
        return -1;
    note_success(store, steps);
    return 0;
}

/* --- refusals ------------------------------------------------------------------------------------
 */

static bool is_records_fault(const struct err *err)
{
    return !err->retriable && err->code != ERR_STOPPED;
}

static int write_or_merge(struct batch_store *store, struct persist_item *const *items,
                          size_t count, struct err *err)
{
    if (write_transaction(store, items, count, err) == 0)
        return 0;
    if (store->merges || !is_records_fault(err) ||
        !pg_is_unique_violation(pg_client_sqlstate(store->client)))
        return -1;
    store->merges = true;
    return write_transaction(store, items, count, err);
}

/* A missing partition looks like a fault of the row: it may have been dropped behind our back. */
static int write_with_partitions(struct batch_store *store, struct persist_item *const *items,
                                 size_t count, struct err *err)
{
    struct err refusal;

    if (write_or_merge(store, items, count, err) == 0)
        return 0;
    if (!is_records_fault(err) || !pg_is_check_violation(pg_client_sqlstate(store->client)))
        return -1;
    refusal = *err;
    partition_keeper_forget(store->partitions);
    if (partition_keeper_prepare(store->partitions, store->client, items, count, clock_wall_ms(),
                                 err) != 0 &&
        !is_records_fault(err))
        return -1;
    *err = refusal;
    return write_or_merge(store, items, count, err);
}

static int write_range(struct batch_store *store, struct persist_item *const *items, size_t count,
                       struct err *err)
{
    size_t half = count / 2;
    int status = count > 1 ? write_or_merge(store, items, count, err)
                           : write_with_partitions(store, items, count, err);

    if (status == 0)
        return 0;
    if (!is_records_fault(err))
        return -1;
    if (count == 1) {
        dead_letter_box_add(store->dead_letters, items[0], DEAD_STAGE_STORE, err,
                            pg_client_sqlstate(store->client));
        return 0;
    }
    if (write_range(store, items, half, err) != 0)
        return -1;
    return write_range(store, items + half, count - half, err);
}

/* --- one batch -----------------------------------------------------------------------------------
 */

static int write_part(struct batch_store *store, struct persist_item *const *items, size_t count,
                      struct err *err)
{
    if (write_with_partitions(store, items, count, err) == 0)
        return 0;
    return is_records_fault(err) ? write_range(store, items, count, err) : -1;
}

/* Only now that the whole batch is done: on a repetition, rows that are there already are quick. */
static void note_pace(struct batch_store *store, int64_t slowest_ms)
{
    if (store->rows_at_once < store->rows_max && slowest_ms < QUICK_MS)
        store->rows_at_once =
            store->rows_at_once > store->rows_max / 2 ? store->rows_max : 2 * store->rows_at_once;
}

static void note_failure(struct batch_store *store, size_t count, const struct err *err)
{
    if (err->code != ERR_STOPPED && pg_is_query_canceled(pg_client_sqlstate(store->client)))
        store->rows_at_once = count > 1 ? count / 2 : 1;
}

int batch_store_write(struct batch_store *store, struct persist_item *const *items, size_t count,
                      struct err *err)
{
    int64_t slowest_ms = 0;
    size_t done = 0;

    if (partition_keeper_prepare(store->partitions, store->client, items, count, clock_wall_ms(),
                                 err) != 0)
        return -1;
    while (done < count) {
        int64_t start_ms = clock_monotonic_ms();
        size_t left = count - done;
        size_t part = left < store->rows_at_once ? left : store->rows_at_once;

        if (write_part(store, items + done, part, err) != 0) {
            note_failure(store, part, err);
            return -1;
        }
        int64_t elapsed_ms = clock_monotonic_ms() - start_ms;
        slowest_ms = elapsed_ms > slowest_ms ? elapsed_ms : slowest_ms;
        done += part;
    }
    note_pace(store, slowest_ms);
    return 0;
}
