#include "gap_watch.h"

#include "base/text_view.h"

enum { INTERVAL_MS = 60 * 1000, ANSWER_BYTES = 64 };

int gap_watch_refresh(struct gap_watch *watch, struct pg_client *client, int64_t now_ms,
                      const struct persist_metrics *metrics, struct err *err)
{
    static const char sql[] =
        "SELECT coalesce(sum(trades) FILTER (WHERE state = 'open'), 0) || ' ' ||"
        " coalesce(sum(trades) FILTER (WHERE state = 'unfillable'), 0) FROM trade_gaps";
    char answer[ANSWER_BYTES];
    struct text_view rest, open;
    int64_t open_count = 0;
    int64_t unfillable_count = 0;

    if (now_ms < watch->next_ms)
        return 0;
    watch->next_ms = now_ms + INTERVAL_MS;
    if (pg_client_ask(client, sql, answer, sizeof answer, err) != 0)
        return err_wrap(err, "count missing trades");
    rest = text_view_of(answer);
    if (!text_view_split(&rest, ' ', &open) || text_view_read_int64(open, &open_count, err) != 0 ||
        text_view_read_int64(rest, &unfillable_count, err) != 0)
        return err_wrap(err, "count missing trades");
    metric_set(metrics->open_gap_trades, open_count);
    metric_set(metrics->unfillable_gap_trades, unfillable_count);
    return 0;
}
