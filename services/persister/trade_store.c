/* trades: a trade never changes, so the first state of a row stays. */
#include <string.h>

#include "compare.h"
#include "copy_binary.h"
#include "domain/trade.h"
#include "table_store.h"

#define COLUMNS                                                                                    \
    "inst_id, trade_id, px, sz, side, ts, count, source, seq_id, origin, received_at, extra"
enum { COLUMN_COUNT = 12 };

static int compare_keys(const void *left, const void *right)
{
    const struct trade *a = left, *b = right;
    int order = strcmp(a->inst_id, b->inst_id);

    if (order == 0)
        order = COMPARE(a->trade_id, b->trade_id);
    return order != 0 ? order : COMPARE(a->event_time_ms, b->event_time_ms);
}

static int compare_states(const void *left, const void *right)
{
    (void)left;
    (void)right;
    return 0;
}

static void append_row(const void *record, struct buf *rows)
{
    const struct trade *trade = record;

    copy_row(rows, COLUMN_COUNT);
    copy_text(rows, trade->inst_id);
    copy_int64(rows, trade->trade_id);
    copy_decimal(rows, trade->price);
    copy_decimal(rows, trade->size);
    copy_text(rows, trade->side == TRADE_SIDE_BUY ? "buy" : "sell");
    copy_time_ms(rows, trade->event_time_ms);
    copy_optional_int64(rows, trade->count);
    copy_text_or_null(rows, trade->source);
    copy_optional_int64(rows, trade->sequence_id);
    copy_text(rows, trade->origin == ORIGIN_STREAM ? "stream" : "rest");
    copy_time_us(rows, trade->received_at_us);
    copy_extra_fields(rows, &trade->extra);
}

const struct table_store trade_store = {
    .table = "trades",
    .stage_sql = "CREATE TEMPORARY TABLE trades_staged (LIKE trades) ON COMMIT DELETE ROWS",
    .copy_sql = "COPY trades_staged (" COLUMNS ") FROM STDIN (FORMAT binary)",
    .merge_sql = "INSERT INTO trades (" COLUMNS ") SELECT " COLUMNS
                 " FROM trades_staged ON CONFLICT DO NOTHING",
    .direct_sql = "COPY trades (" COLUMNS ") FROM STDIN (FORMAT binary)",
    .compare_keys = compare_keys,
    .compare_states = compare_states,
    .append_row = append_row,
};
