/*
 * How many trades are known to be missing, as metrics: asks the view trade_gaps once a minute.
 * Every persister shows the same figures, those of the database.
 */
#ifndef PERSISTER_GAP_WATCH_H
#define PERSISTER_GAP_WATCH_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "persist_metrics.h"
#include "pg_client.h"

struct gap_watch {
    int64_t next_ms; /* Unix time; zero at first */
};

/* Sets the metrics when it is time to. Errors: pg_client_ask's; it is asked again in a minute. */
int gap_watch_refresh(struct gap_watch *watch, struct pg_client *client, int64_t now_ms,
                      const struct persist_metrics *metrics, struct err *err) MUST_CHECK;

#endif
