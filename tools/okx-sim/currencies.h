/* What asset/currencies tells: a made-up but constant list in OKX's shape. Pure. */
#ifndef OKX_SIM_CURRENCIES_H
#define OKX_SIM_CURRENCIES_H

#include "base/buf.h"
#include "base/text_view.h"

/* Appends the rows as JSON, separated by commas. filter: "BTC,ETH"; empty for all. */
void currencies_append(struct buf *out, uint64_t seed, struct text_view filter);

#endif
