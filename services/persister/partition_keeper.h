/*
 * Sees to it that trades has the partitions that rows need, and drops those that are past
 * retention. One per writer; the SQL functions that it calls take a lock, so several may work at
 * once.
 */
#ifndef PERSISTER_PARTITION_KEEPER_H
#define PERSISTER_PARTITION_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "partition_plan.h"
#include "persist_item.h"
#include "pg_client.h"

struct partition_keeper {
    struct month_set known;
    int64_t retention_ms;   /* 0: keep everything */
    int64_t next_upkeep_ms; /* Unix time */
};

/* retention_ms: how long trades are kept; 0: for ever, or another keeper's business. */
void partition_keeper_init(struct partition_keeper *keeper, int64_t retention_ms);
/* Forgets what is known: someone else may have dropped partitions. Upkeep is due again. */
void partition_keeper_forget(struct partition_keeper *keeper);

/* Makes the partitions of the trades among the items that are not known to exist. */
int partition_keeper_prepare(struct partition_keeper *keeper, struct pg_client *client,
                             struct persist_item *const *items, size_t count, int64_t now_ms,
                             struct err *err) MUST_CHECK;
/* Once a day: makes the partitions of this and the coming months, drops the old ones. What fails is
 * due again after a minute; rows need not wait for it. */
int partition_keeper_upkeep(struct partition_keeper *keeper, struct pg_client *client,
                            int64_t now_ms, struct err *err) MUST_CHECK;

#endif
