/*
 * fetches: the newest state of each command. Of two states of an id stays, in this order: the one
 * that reaches further (the newest chunk of candles keeps its id while its end grows); a final
 * result (done, incomplete) over anything else; the later attempt, so that a failure that is asked
 * again shows as requested; a result over its command; the result that came later.
 */
#include <string.h>

#include "compare.h"
#include "copy_binary.h"
#include "table_store.h"

#define STATE_COLUMNS                                                                              \
    "kind, inst_id, bar, from_id, to_id, from_ts, to_ts, reason, status, attempt, records, "       \
    "requests, missing, retriable, error, created_at, finished_at"
#define COLUMNS "id, " STATE_COLUMNS
enum { COLUMN_COUNT = 18 };

static int compare_keys(const void *left, const void *right)
{
    const struct fetch_row *a = left, *b = right;

    return strcmp(a->result.command.id, b->result.command.id);
}

static int64_t end_of(const struct fetch_row *row)
{
    const struct optional_int64 *to = &row->result.command.to_time_ms;

    return to->present ? to->value : INT64_MIN;
}

static bool is_final(const struct fetch_row *row)
{
    return row->is_finished && (row->result.status == FETCH_STATUS_DONE ||
                                row->result.status == FETCH_STATUS_INCOMPLETE);
}

static int compare_states(const void *left, const void *right)
{
    const struct fetch_row *a = left, *b = right;
    int order = COMPARE(end_of(a), end_of(b));

    if (order == 0)
        order = COMPARE(is_final(a), is_final(b));
    if (order == 0)
        order = COMPARE(a->result.command.attempt, b->result.command.attempt);
    if (order == 0)
        order = COMPARE(a->is_finished, b->is_finished);
    if (order == 0 && a->is_finished)
        order = COMPARE(a->result.finished_at_ms, b->result.finished_at_ms);
    return order;
}

static const char *reason_name(enum fetch_reason reason)
{
    switch (reason) {
    case FETCH_REASON_SCHEDULE:
        return "schedule";
    case FETCH_REASON_BACKFILL:
        return "backfill";
    default:
        return "gap";
    }
}

static void append_missing(const struct fetch_result *result, struct buf *rows)
{
    size_t start;

    if (result->missing_count == 0) {
        copy_null(rows);
        return;
    }
    start = copy_jsonb_begin(rows);
    for (size_t i = 0; i < result->missing_count; i++)
        buf_append_format(rows, "%c{\"from\":%lld,\"to\":%lld}", i == 0 ? '[' : ',',
                          (long long)result->missing[i].from, (long long)result->missing[i].to);
    buf_append_char(rows, ']');
    copy_jsonb_end(rows, start);
}

static void append_outcome(const struct fetch_result *result, struct buf *rows)
{
    copy_int64(rows, result->records);
    copy_int64(rows, result->requests);
    append_missing(result, rows);
    if (result->status == FETCH_STATUS_FAILED)
        copy_bool(rows, result->retriable);
    else
        copy_null(rows);
    copy_text_or_null(rows, result->error);
}

static void append_row(const void *record, struct buf *rows)
{
    const struct fetch_row *row = record;
    const struct fetch_command *command = &row->result.command;

    copy_row(rows, COLUMN_COUNT);
    copy_text(rows, command->id);
    copy_text(rows, fetch_kind_name(command->kind));
    copy_text_or_null(rows, command->inst_id);
    copy_text_or_null(rows, command->bar);
    copy_optional_int64(rows, command->from_id);
    copy_optional_int64(rows, command->to_id);
    copy_optional_time_ms(rows, command->from_time_ms);
    copy_optional_time_ms(rows, command->to_time_ms);
    copy_text(rows, reason_name(command->reason));
    copy_text(rows, row->is_finished ? fetch_status_name(row->result.status) : "requested");
    copy_int64(rows, command->attempt);
    if (row->is_finished) {
        append_outcome(&row->result, rows);
    } else {
        for (int i = 0; i < 5; i++) /* records to error */
            copy_null(rows);
    }
    copy_time_ms(rows, command->created_at_ms);
    if (row->is_finished)
        copy_time_ms(rows, row->result.finished_at_ms);
    else
        copy_null(rows);
}

#define STATE_OF(row)                                                                              \
    "(coalesce(" row ".to_ts, '-infinity'), " row ".status IN ('done', 'incomplete'), " row        \
    ".attempt, " row ".status <> 'requested', coalesce(" row ".finished_at, '-infinity'))"

const struct table_store fetch_store = {
    .table = "fetches",
    .stage_sql = "CREATE TEMPORARY TABLE fetches_staged (LIKE fetches) ON COMMIT DELETE ROWS",
    .copy_sql = "COPY fetches_staged (" COLUMNS ") FROM STDIN (FORMAT binary)",
    .merge_sql = "INSERT INTO fetches AS kept (" COLUMNS ") SELECT " COLUMNS " FROM fetches_staged"
                 " ON CONFLICT (id) DO UPDATE SET (" STATE_COLUMNS ") ="
                 " (SELECT " STATE_COLUMNS " FROM (SELECT excluded.*) AS state)"
                 " WHERE " STATE_OF("excluded") " > " STATE_OF("kept"),
    .compare_keys = compare_keys,
    .compare_states = compare_states,
    .append_row = append_row,
};
