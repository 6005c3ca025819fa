#include "range_fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
    TRADE_RANGE_MAX = 1000000,
    TRADE_PASSES_MAX = 5,
    TRADE_LAG_MS = 3000, /* what OKX's REST side may lag behind (okx-v5.md, 4.2) */
};

static int begin(struct fetch_job *job, struct err *err)
{
    const struct fetch_command *command = &job->result.command;
    int64_t from_id = command->from_id.value;
    int64_t to_id = command->to_id.value;

    if (!command->from_id.present || !command->to_id.present || from_id < 0 || to_id < from_id ||
        to_id == INT64_MAX)
        return err_set(err, ERR_PROTOCOL, "the command's range of trade ids is invalid");
    if (to_id - from_id >= TRADE_RANGE_MAX)
        return err_set(err, ERR_LIMIT, "the command asks for more than %d trades", TRADE_RANGE_MAX);
    range_cover_init(&job->cover, (size_t)(to_id - from_id + 1));
    job->bound = job->cover.count;
    return 0;
}

static enum fetch_step end_pass(struct fetch_job *job)
{
    int64_t from_id = job->result.command.from_id.value;
    size_t begin_hole = 0;
    size_t end_hole = 0;

    if (job->cover.missing == 0)
        return fetch_finish(job, FETCH_STATUS_DONE);
    job->pass++;
    job->bound = job->cover.count;
    if (job->pass < TRADE_PASSES_MAX)
        return fetch_again(job, TRADE_LAG_MS);
    while (range_cover_next_hole(&job->cover, end_hole, &begin_hole, &end_hole))
        fetch_result_add_missing(&job->result, from_id + (int64_t)begin_hole,
                                 from_id + (int64_t)end_hole - 1);
    snprintf(job->result.error, sizeof job->result.error,
             "OKX does not have %zu of these trades, asked %d times", job->cover.missing,
             TRADE_PASSES_MAX);
    return fetch_finish(job, FETCH_STATUS_INCOMPLETE);
}

/* One row of the page: published if the command wants it. Returns its id, or -1 when it is
 * unusable; *is_stopped when it could not be published. */
static int64_t take_row(const struct fetch_context *context, struct fetch_job *job,
                        const struct okx_rows *rows, size_t index, bool *is_stopped)
{
    const struct fetch_command *command = &job->result.command;
    struct trade trade;
    struct err err = {0};

    int status = okx_rows_read_trade(rows, index, &trade, &err);
    if (status == 0 && strcmp(trade.inst_id, command->inst_id) != 0) {
        status = err_set(&err, ERR_PROTOCOL, "row is of instrument %s", trade.inst_id);
        trade_clear(&trade);
    }
    if (status != 0) {
        if (job->pass == 0)
            fetch_reject_row(context, job, OKX_ENDPOINT_HISTORY_TRADES, rows, index, &err);
        return -1;
    }
    if (trade.trade_id >= command->from_id.value && trade.trade_id <= command->to_id.value) {
        size_t position = (size_t)(trade.trade_id - command->from_id.value);

        trade.origin = ORIGIN_REST;
        trade.received_at_us = clock_wall_us();
        if (!range_cover_has(&job->cover, position)) {
            *is_stopped = fetch_publish(context, job, RECORD_TRADE, &trade) != 0;
            if (!*is_stopped)
                range_cover_add(&job->cover, position);
        }
    }
    trade_clear(&trade);
    return trade.trade_id;
}

static enum fetch_step take_page(const struct fetch_context *context, struct fetch_job *job,
                                 const struct okx_rows *rows, int64_t before_id)
{
    int64_t from_id = job->result.command.from_id.value;
    int64_t lowest_id = INT64_MAX;
    bool is_stopped = false;

    for (size_t i = 0; i < okx_rows_count(rows) && !is_stopped; i++) {
        int64_t id = take_row(context, job, rows, i, &is_stopped);

        if (id >= 0 && id < lowest_id)
            lowest_id = id;
    }
    if (is_stopped)
        return fetch_again(job, 0);
    if (okx_rows_count(rows) > 0 && lowest_id >= before_id) {
        struct err err = {0};

        err_set_retriable(&err, ERR_PROTOCOL, "OKX answered no trade older than id %lld",
                          (long long)before_id);
        return fetch_retry(context, job, &err);
    }
    fetch_note_progress(job);
    if (okx_rows_count(rows) == 0 || lowest_id <= from_id)
        return end_pass(job);
    job->bound = (size_t)(lowest_id - from_id);
    return fetch_again(job, 0);
}

enum fetch_step trade_fetch_step(const struct fetch_context *context, struct fetch_job *job)
{
    const struct fetch_command *command = &job->result.command;
    enum fetch_step step = FETCH_STEP_AGAIN;
    char path[OKX_PATH_BYTES];
    struct err err = {0};
    size_t position = 0;

    if (!job->cover.bits && begin(job, &err) != 0)
        return fetch_fail(job, &err);
    if (!range_cover_last_missing(&job->cover, job->bound, &position))
        return end_pass(job);

    int64_t before_id = command->from_id.value + (int64_t)position + 1;
    okx_path_history_trades(command->inst_id, before_id, path);
    struct okx_rows *rows = fetch_get(context, job, OKX_ENDPOINT_HISTORY_TRADES, path, &step);
    if (!rows)
        return step;
    step = take_page(context, job, rows, before_id);
    okx_rows_destroy(rows);
    return step;
}
