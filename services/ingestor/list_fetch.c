#include "list_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static enum fetch_step skip_currencies(struct fetch_job *job)
{
    static atomic_flag is_said = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&is_said))
        log_warn("currencies are skipped: OKX_API_KEY, OKX_API_SECRET and OKX_API_PASSPHRASE are "
                 "not set");
    snprintf(job->result.error, sizeof job->result.error, "OKX_API_KEY is not set");
    return fetch_finish(job, FETCH_STATUS_SKIPPED);
}

/* snapshot_rows counts unusable rows too: a list that we could not read in full must not make
 * anything look delisted. */
static size_t publish_currencies(const struct fetch_context *context, struct fetch_job *job,
                                 const struct okx_rows *rows, bool *is_stopped)
{
    int64_t snapshot_time_ms = clock_wall_ms();
    size_t unusable = 0;

    for (size_t i = 0; i < okx_rows_count(rows) && !*is_stopped; i++) {
        struct currency_chain chain;
        struct err err = {0};

        if (okx_rows_read_currency_chain(rows, i, &chain, &err) != 0) {
            fetch_reject_row(context, job, OKX_ENDPOINT_CURRENCIES, rows, i, &err);
            unusable++;
            continue;
        }
        chain.snapshot_time_ms = snapshot_time_ms;
        chain.snapshot_rows = (int64_t)okx_rows_count(rows);
        chain.received_at_us = clock_wall_us();
        *is_stopped = fetch_publish(context, job, RECORD_CURRENCY_CHAIN, &chain) != 0;
        currency_chain_clear(&chain);
    }
    return unusable;
}

enum fetch_step currency_fetch_step(const struct fetch_context *context, struct fetch_job *job)
{
    enum fetch_step step = FETCH_STEP_AGAIN;
    char path[OKX_PATH_BYTES];
    bool is_stopped = false;

    if (!okx_rest_client_has_key(context->rest))
        return skip_currencies(job);
    okx_path_currencies(path);
    struct okx_rows *rows = fetch_get(context, job, OKX_ENDPOINT_CURRENCIES, path, &step);
    if (!rows)
        return step;
    size_t unusable = publish_currencies(context, job, rows, &is_stopped);
    okx_rows_destroy(rows);
    if (is_stopped)
        return fetch_again(job, 0);
    if (unusable > 0)
        snprintf(job->result.error, sizeof job->result.error, "%zu rows could not be used",
                 unusable);
    return fetch_finish(job, FETCH_STATUS_DONE);
}

void instrument_list_destroy(struct instrument_list *list)
{
    if (!list)
        return;
    free(list->ids);
    free(list);
}

enum fetch_step instrument_fetch_step(const struct fetch_context *context, struct fetch_job *job,
                                      const char *base_currency, struct instrument_list **list)
{
    enum fetch_step step = FETCH_STEP_AGAIN;
    char path[OKX_PATH_BYTES];

    okx_path_spot_instruments(path);
    struct okx_rows *rows = fetch_get(context, job, OKX_ENDPOINT_INSTRUMENTS, path, &step);
    if (!rows)
        return step;
    struct instrument_list *found = mem_calloc(1, sizeof *found);
    found->ids = mem_calloc(okx_rows_count(rows) + 1, sizeof *found->ids);
    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        struct okx_instrument instrument;
        struct err err = {0};

        if (okx_rows_read_instrument(rows, i, &instrument, &err) != 0)
            fetch_reject_row(context, job, OKX_ENDPOINT_INSTRUMENTS, rows, i, &err);
        else if (strcmp(instrument.quote_currency, base_currency) == 0 &&
                 strcmp(instrument.state, "live") == 0)
            snprintf(found->ids[found->count++], INST_ID_BYTES, "%s", instrument.inst_id);
    }
    okx_rows_destroy(rows);
    *list = found;
    return fetch_finish(job, FETCH_STATUS_DONE);
}
