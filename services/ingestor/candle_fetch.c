#include "range_fetch.h"

#include <inttypes.h>

#include "base/clock.h"

enum {
    CANDLE_RANGE_MAX = 100000,
    CANDLE_CONFIRM_MS = 180 * 1000, /* how long after its end OKX may confirm a bar */
    CANDLE_ASK_AGAIN_MS = 1000,
};

static int begin(struct fetch_job *job, struct err *err)
{
    const struct fetch_command *command = &job->result.command;
    int64_t from_ms = command->from_time_ms.value;
    int64_t to_ms = command->to_time_ms.value;

    job->bar = candle_bar_find(command->bar);
    if (!job->bar)
        return err_set(err, ERR_PROTOCOL, "OKX has no bar '%s'", command->bar);
    if (!command->from_time_ms.present || !command->to_time_ms.present || to_ms <= from_ms ||
        candle_bar_floor(job->bar, from_ms) != from_ms ||
        candle_bar_floor(job->bar, to_ms) != to_ms)
        return err_set(err, ERR_PROTOCOL, "the command's range of bars is invalid");

    int64_t count = candle_bar_count(job->bar, from_ms, to_ms);
    if (count > CANDLE_RANGE_MAX)
        return err_set(err, ERR_LIMIT, "the command asks for more than %d bars", CANDLE_RANGE_MAX);
    range_cover_init(&job->cover, (size_t)count);
    job->bound = job->cover.count;
    return 0;
}

static int64_t open_time_at(const struct fetch_job *job, size_t position)
{
    int64_t open_ms = job->result.command.from_time_ms.value;

    if (job->bar->months == 0)
        return open_ms + (int64_t)position * job->bar->duration_ms;
    for (size_t i = 0; i < position; i++)
        open_ms = candle_bar_next(job->bar, open_ms);
    return open_ms;
}

static size_t position_of(const struct fetch_job *job, int64_t open_time_ms)
{
    return (size_t)candle_bar_count(job->bar, job->result.command.from_time_ms.value, open_time_ms);
}

/* Bars that ended so recently that OKX may still bring them. */
static bool is_fresh(const struct fetch_job *job, size_t position, int64_t now_ms)
{
    return candle_bar_next(job->bar, open_time_at(job, position)) > now_ms - CANDLE_CONFIRM_MS;
}

static enum fetch_step report_holes(struct fetch_job *job)
{
    size_t begin_hole = 0;
    size_t end_hole = 0;

    while (range_cover_next_hole(&job->cover, end_hole, &begin_hole, &end_hole))
        fetch_result_add_missing(&job->result, open_time_at(job, begin_hole),
                                 open_time_at(job, end_hole));
    return fetch_finish(job, FETCH_STATUS_INCOMPLETE);
}

static enum fetch_step end_pass(struct fetch_job *job)
{
    size_t newest = 0;
    bool was_unconfirmed = job->saw_unconfirmed;
    bool is_late = clock_monotonic_ms() - job->begun_at_ms > CANDLE_CONFIRM_MS &&
                   clock_wall_ms() - job->result.command.to_time_ms.value > CANDLE_CONFIRM_MS;
    bool has_holes = range_cover_last_missing(&job->cover, job->cover.count, &newest);

    if (!has_holes)
        return fetch_finish(job, FETCH_STATUS_DONE);
    job->pass++;
    job->bound = job->cover.count;
    job->saw_unconfirmed = false;
    if (was_unconfirmed && is_late) {
        struct err err = {0};

        err_set_retriable(&err, ERR_TIMEOUT, "OKX has not confirmed a bar that is over");
        return fetch_fail(job, &err);
    }
    if (was_unconfirmed || is_fresh(job, newest, clock_wall_ms()))
        return fetch_again(job, CANDLE_ASK_AGAIN_MS);
    return report_holes(job);
}

/* Publishes the row if the command wants it. Returns its open time, or -1 when it is unusable. */
static int64_t take_row(const struct fetch_context *context, struct fetch_job *job,
                        enum okx_endpoint endpoint, const struct okx_rows *rows, size_t index,
                        bool *is_stopped)
{
    const struct fetch_command *command = &job->result.command;
    struct candle candle;
    struct err err = {0};

    int status = okx_rows_read_candle(rows, index, command->inst_id, command->bar, &candle, &err);
    if (status == 0 && candle_bar_floor(job->bar, candle.open_time_ms) != candle.open_time_ms) {
        status = err_set(&err, ERR_PROTOCOL, "no %s bar opens at %" PRId64, command->bar,
                         candle.open_time_ms);
        candle_clear(&candle);
    }
    if (status != 0) {
        if (job->pass == 0)
            fetch_reject_row(context, job, endpoint, rows, index, &err);
        return -1;
    }
    if (candle.open_time_ms >= command->from_time_ms.value &&
        candle.open_time_ms < command->to_time_ms.value) {
        size_t position = position_of(job, candle.open_time_ms);

        candle.origin = ORIGIN_REST;
        candle.received_at_us = clock_wall_us();
        if (!candle.is_confirmed) {
            job->saw_unconfirmed = true;
        } else if (!range_cover_has(&job->cover, position)) {
            *is_stopped = fetch_publish(context, job, RECORD_CANDLE, &candle) != 0;
            if (!*is_stopped)
                range_cover_add(&job->cover, position);
        }
    }
    candle_clear(&candle);
    return candle.open_time_ms;
}

static enum fetch_step take_page(const struct fetch_context *context, struct fetch_job *job,
                                 enum okx_endpoint endpoint, const struct okx_rows *rows,
                                 int64_t before_ms)
{
    int64_t from_ms = job->result.command.from_time_ms.value;
    int64_t oldest_ms = INT64_MAX;
    bool is_stopped = false;

    for (size_t i = 0; i < okx_rows_count(rows) && !is_stopped; i++) {
        int64_t open_ms = take_row(context, job, endpoint, rows, i, &is_stopped);

        if (open_ms >= 0 && open_ms < oldest_ms)
            oldest_ms = open_ms;
    }
    if (is_stopped)
        return fetch_again(job, 0);
    if (okx_rows_count(rows) > 0 && oldest_ms >= before_ms) {
        struct err err = {0};

        err_set_retriable(&err, ERR_PROTOCOL, "OKX answered no bar older than %" PRId64, before_ms);
        return fetch_retry(context, job, &err);
    }
    fetch_note_progress(job);
    if (okx_rows_count(rows) == 0 || oldest_ms <= from_ms)
        return end_pass(job);
    job->bound = position_of(job, oldest_ms);
    return fetch_again(job, 0);
}

/* The command's last bar is still open: wait for its end if that is near. */
static enum fetch_step wait_for_end(struct fetch_job *job, int64_t now_ms)
{
    struct err err = {0};
    int64_t left_ms = job->result.command.to_time_ms.value - now_ms;

    if (left_ms <= CANDLE_CONFIRM_MS)
        return fetch_again(job, left_ms);
    err_set_retriable(&err, ERR_PROTOCOL, "the command's range ends in the future");
    return fetch_fail(job, &err);
}

enum fetch_step candle_fetch_step(const struct fetch_context *context, struct fetch_job *job)
{
    const struct fetch_command *command = &job->result.command;
    enum fetch_step step = FETCH_STEP_AGAIN;
    char path[OKX_PATH_BYTES];
    struct err err = {0};
    int64_t now_ms = clock_wall_ms();
    size_t newest = 0;
    size_t oldest = 0;
    size_t oldest_end = 0;

    if (!job->cover.bits && begin(job, &err) != 0)
        return fetch_fail(job, &err);
    if (command->to_time_ms.value > now_ms)
        return wait_for_end(job, now_ms);
    /* Later passes are for what has just ended; older holes stay holes. */
    if (!range_cover_last_missing(&job->cover, job->bound, &newest) ||
        (job->pass > 0 && job->bound < job->cover.count && !is_fresh(job, newest, now_ms)))
        return end_pass(job);

    bool is_recent =
        candle_bar_count(job->bar, command->from_time_ms.value, now_ms) <= OKX_RECENT_BARS;
    enum okx_endpoint endpoint = is_recent ? OKX_ENDPOINT_CANDLES : OKX_ENDPOINT_HISTORY_CANDLES;
    int64_t before_ms = candle_bar_next(job->bar, open_time_at(job, newest));
    range_cover_next_hole(&job->cover, 0, &oldest, &oldest_end);
    int64_t wanted = (int64_t)(newest - oldest) + 1;
    okx_path_candles(endpoint, command->inst_id, command->bar, before_ms,
                     wanted < OKX_CANDLES_LIMIT ? wanted : OKX_CANDLES_LIMIT, path);
    struct okx_rows *rows = fetch_get(context, job, endpoint, path, &step);
    if (!rows)
        return step;
    step = take_page(context, job, endpoint, rows, before_ms);
    okx_rows_destroy(rows);
    return step;
}
