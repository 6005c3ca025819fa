#include "early_trades.h"

#include <stdlib.h>

#include "base/mem.h"

bool early_trades_hold(struct early_trades *early, struct trade *trade)
{
    size_t end = early->first + early->count;

    if (early->count > 0 && trade->trade_id <= early->items[end - 1].trade_id) {
        trade_clear(trade);
        return true;
    }
    if (end == EARLY_TRADES_MAX)
        return false;
    if (end == early->capacity) {
        early->capacity = early->capacity ? 2 * early->capacity : 16;
        early->items = mem_realloc_array(early->items, early->capacity, sizeof *early->items);
    }
    early->items[end] = *trade;
    early->count++;
    return true;
}

const struct trade *early_trades_first(const struct early_trades *early)
{
    return early->count > 0 ? &early->items[early->first] : NULL;
}

struct trade early_trades_take(struct early_trades *early)
{
    struct trade trade = early->items[early->first++];

    if (--early->count == 0)
        early_trades_clear(early);
    return trade;
}

void early_trades_clear(struct early_trades *early)
{
    for (size_t i = 0; i < early->count; i++)
        trade_clear(&early->items[early->first + i]);
    free(early->items);
    *early = (struct early_trades){0};
}
