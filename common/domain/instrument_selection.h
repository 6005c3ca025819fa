/*
 * Which instruments the operator asked for: CURRENCIES x BASE_CURRENCY, an explicit INSTRUMENTS
 * list, or every one of the base currency (CURRENCIES=*). Pure. The ingestor and the scheduler
 * share it.
 */
#ifndef DOMAIN_INSTRUMENT_SELECTION_H
#define DOMAIN_INSTRUMENT_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/env_config.h"
#include "domain/trade.h"

struct instrument_settings {
    char *currencies;    /* CURRENCIES: "BTC,ETH", "[BTC,ETH]" or "*" */
    char *base_currency; /* BASE_CURRENCY: "USDT" */
    char *instruments;   /* INSTRUMENTS: "BTC-USDT,ETH-BTC", instead of the two */
};

#define INSTRUMENT_SETTINGS(config_type, member)                                                   \
    {.name = "CURRENCIES",                                                                         \
     .type = SETTING_TEXT,                                                                         \
     .fallback = "BTC,ETH,TON,SOL,XRP",                                                            \
     .offset = offsetof(config_type, member.currencies),                                           \
     .meaning = "currencies to follow against BASE_CURRENCY; * for all"},                          \
        {.name = "BASE_CURRENCY",                                                                  \
         .type = SETTING_TEXT,                                                                     \
         .fallback = "USDT",                                                                       \
         .offset = offsetof(config_type, member.base_currency),                                    \
         .meaning = "currency that the pairs are quoted in"},                                      \
    {                                                                                              \
        .name = "INSTRUMENTS", .type = SETTING_TEXT,                                               \
        .offset = offsetof(config_type, member.instruments),                                       \
        .meaning = "explicit OKX instrument ids, instead of CURRENCIES"                            \
    }

struct instrument_selection {
    bool is_all; /* every live SPOT instrument quoted in base_currency; ids is empty */
    char base_currency[INST_ID_BYTES];
    char (*ids)[INST_ID_BYTES]; /* owned; without duplicates, in the order given */
    size_t id_count;
};

/* Mistakes (an empty list, characters that no OKX id has) are added to problems. */
void instrument_selection_read(const struct instrument_settings *settings,
                               struct instrument_selection *selection,
                               struct config_problems *problems);
void instrument_selection_clear(struct instrument_selection *selection);

#endif
