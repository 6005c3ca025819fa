/* candles: a confirmed bar beats an unconfirmed one, then the one received later stays. */
#include <string.h>

#include "compare.h"
#include "copy_binary.h"
#include "domain/candle.h"
#include "table_store.h"

#define COLUMNS                                                                                    \
    "inst_id, bar, ts, open, high, low, close, vol, vol_ccy, vol_ccy_quote, confirm, origin, "     \
    "received_at, extra"
enum { COLUMN_COUNT = 14 };

static int compare_keys(const void *left, const void *right)
{
    const struct candle *a = left, *b = right;
    int order = strcmp(a->inst_id, b->inst_id);

    if (order == 0)
        order = strcmp(a->bar, b->bar);
    return order != 0 ? order : COMPARE(a->open_time_ms, b->open_time_ms);
}

static int compare_states(const void *left, const void *right)
{
    const struct candle *a = left, *b = right;
    int order = COMPARE(a->is_confirmed, b->is_confirmed);

    return order != 0 ? order : COMPARE(a->received_at_us, b->received_at_us);
}

static void append_row(const void *record, struct buf *rows)
{
    const struct candle *candle = record;

    copy_row(rows, COLUMN_COUNT);
    copy_text(rows, candle->inst_id);
    copy_text(rows, candle->bar);
    copy_time_ms(rows, candle->open_time_ms);
    copy_decimal(rows, candle->open);
    copy_decimal(rows, candle->high);
    copy_decimal(rows, candle->low);
    copy_decimal(rows, candle->close);
    copy_decimal(rows, candle->volume);
    copy_optional_decimal(rows, candle->volume_currency);
    copy_optional_decimal(rows, candle->volume_currency_quote);
    copy_bool(rows, candle->is_confirmed);
    copy_text(rows, candle->origin == ORIGIN_STREAM ? "stream" : "rest");
    copy_time_us(rows, candle->received_at_us);
    copy_extra_fields(rows, &candle->extra);
}

const struct table_store candle_store = {
    .table = "candles",
    .stage_sql = "CREATE TEMPORARY TABLE candles_staged (LIKE candles) ON COMMIT DELETE ROWS",
    .copy_sql = "COPY candles_staged (" COLUMNS ") FROM STDIN (FORMAT binary)",
    .merge_sql =
        "INSERT INTO candles AS kept (" COLUMNS ") SELECT " COLUMNS " FROM candles_staged"
        " ON CONFLICT (inst_id, bar, ts) DO UPDATE SET"
        " open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,"
        " vol = excluded.vol, vol_ccy = excluded.vol_ccy, vol_ccy_quote = excluded.vol_ccy_quote,"
        " confirm = excluded.confirm, origin = excluded.origin,"
        " received_at = excluded.received_at, extra = excluded.extra"
        " WHERE (excluded.confirm, excluded.received_at) > (kept.confirm, kept.received_at)",
    .compare_keys = compare_keys,
    .compare_states = compare_states,
    .append_row = append_row,
};
