#include "domain/trade.h"

void trade_clear(struct trade *trade)
{
    extra_fields_clear(&trade->extra);
}

int64_t trade_first_id(const struct trade *trade)
{
    bool is_aggregate = trade->count.present && trade->count.value > 1;
    return is_aggregate ? trade->trade_id - trade->count.value + 1 : trade->trade_id;
}
