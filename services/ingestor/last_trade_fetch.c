#include "last_trade_fetch.h"

#include <string.h>

static bool is_beginning_asked(const struct fetch_job *job)
{
    return job->since_ms != INT64_MAX;
}

/* Rows that cannot be read are nobody's loss: nothing is published here. */
static int read_row(const struct fetch_job *job, const struct okx_rows *rows, size_t index,
                    struct trade *trade, struct err *err)
{
    if (okx_rows_read_trade(rows, index, trade, err) != 0)
        return -1;
    if (strcmp(trade->inst_id, job->result.command.inst_id) == 0)
        return 0;
    err_set(err, ERR_PROTOCOL, "row is of instrument %s", trade->inst_id);
    trade_clear(trade);
    return -1;
}

/* Notes the newest trade before before_ms. Returns the page's lowest id, or INT64_MAX. */
static int64_t read_page(struct fetch_job *job, const struct okx_rows *rows, int64_t before_ms,
                         struct err *err)
{
    struct last_trade *last = &job->last;
    int64_t lowest_id = INT64_MAX;

    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        struct trade trade;

        if (read_row(job, rows, i, &trade, err) != 0)
            continue;
        if (trade.trade_id < lowest_id)
            lowest_id = trade.trade_id;
        if (trade.event_time_ms < before_ms &&
            (!last->trade_id.present || trade.trade_id > last->trade_id.value)) {
            last->trade_id = (struct optional_int64){true, trade.trade_id};
            last->event_time_ms = (struct optional_int64){true, trade.event_time_ms};
        }
        trade_clear(&trade);
    }
    return lowest_id;
}

/* Only OKX's own refusal is final. */
static enum fetch_step retry(const struct fetch_context *context, struct fetch_job *job,
                             struct err *err)
{
    err->retriable = err->retriable || err->code == ERR_PROTOCOL || err->code == ERR_OUT_OF_RANGE ||
                     err->code == ERR_LIMIT;
    return fetch_retry(context, job, err);
}

static enum fetch_step take_page(const struct fetch_context *context, struct fetch_job *job,
                                 const struct okx_rows *rows, int64_t before_ms)
{
    struct err err = {0};
    int64_t lowest_id = read_page(job, rows, before_ms, &err);

    if (okx_rows_count(rows) > 0 && lowest_id == INT64_MAX)
        return retry(context, job, &err);
    if (job->last.trade_id.present || !is_beginning_asked(job))
        return fetch_finish(job, FETCH_STATUS_DONE);
    if (okx_rows_count(rows) == 0) { /* OKX has none before those that it showed, if any */
        job->last.trade_id = (struct optional_int64){job->below_id != INT64_MAX, job->below_id - 1};
        return fetch_finish(job, FETCH_STATUS_DONE);
    }
    if (lowest_id >= job->below_id) {
        err_set(&err, ERR_PROTOCOL, "OKX answered no trade older than id %lld",
                (long long)job->below_id);
        return retry(context, job, &err);
    }
    job->below_id = lowest_id;
    fetch_note_progress(job);
    return fetch_again(job, 0);
}

enum fetch_step last_trade_fetch_step(const struct fetch_context *context, struct fetch_job *job)
{
    const char *inst_id = job->result.command.inst_id;
    enum okx_endpoint endpoint = OKX_ENDPOINT_TRADES;
    enum fetch_step step = FETCH_STEP_AGAIN;
    int64_t before_ms = INT64_MAX;
    char path[OKX_PATH_BYTES];
    struct err err = {0};

    if (is_beginning_asked(job) &&
        okx_rest_session_time_at(context->session, job->since_ms, &before_ms, &err) != 0)
        return retry(context, job, &err);
    if (job->below_id == INT64_MAX) {
        okx_path_trades(inst_id, is_beginning_asked(job) ? OKX_TRADES_LIMIT : 1, path);
    } else {
        endpoint = OKX_ENDPOINT_HISTORY_TRADES;
        okx_path_history_trades(inst_id, job->below_id, path);
    }
    struct okx_rows *rows = fetch_get(context, job, endpoint, path, &step);
    if (!rows)
        return step;
    step = take_page(context, job, rows, before_ms);
    okx_rows_destroy(rows);
    return step;
}
