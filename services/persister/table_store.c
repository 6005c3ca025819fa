#include "table_store.h"

const struct table_store *table_store_of(enum table table)
{
    static const struct table_store *const stores[TABLE_COUNT] = {
        [TABLE_TRADES] = &trade_store,
        [TABLE_CANDLES] = &candle_store,
        [TABLE_CURRENCIES] = &currency_store,
        [TABLE_FETCHES] = &fetch_store,
    };

    return stores[table];
}
