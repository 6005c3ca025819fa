#include "domain/candle.h"

void candle_clear(struct candle *candle)
{
    extra_fields_clear(&candle->extra);
}
