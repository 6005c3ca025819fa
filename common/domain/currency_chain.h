/*
 * A currency on one of its chains, as OKX's asset/currencies describes it. Pure.
 * Texts are owned; NULL stands for "" or an absent member.
 */
#ifndef DOMAIN_CURRENCY_CHAIN_H
#define DOMAIN_CURRENCY_CHAIN_H

#include <stdint.h>

#include "domain/extra_fields.h"
#include "domain/optional.h"

enum { CURRENCY_CODE_BYTES = 32, CURRENCY_CHAIN_BYTES = 128 };

struct currency_chain {
    char currency[CURRENCY_CODE_BYTES]; /* OKX's ccy */
    char chain[CURRENCY_CHAIN_BYTES];   /* "BTC-Bitcoin" */
    char *name;
    char *logo_link;
    char *contract_address; /* OKX's ctAddr */
    struct optional_bool can_deposit, can_withdraw, can_internal;
    struct optional_int64 deposit_open_time_ms, withdrawal_open_time_ms; /* estimates */
    struct optional_decimal min_deposit, min_withdrawal, min_internal, max_withdrawal;
    struct optional_decimal withdrawal_tick_size; /* OKX's wdTickSz */
    struct optional_decimal withdrawal_quota, used_withdrawal_quota;
    struct optional_decimal fee, min_fee, max_fee, min_fee_contract, max_fee_contract;
    struct optional_decimal burning_fee_rate;
    struct optional_bool is_main_net, needs_tag;
    struct optional_int64 min_deposit_confirmations, min_withdrawal_confirmations;
    struct optional_decimal deposit_quota_fixed, used_deposit_quota_fixed;
    struct optional_decimal deposit_quota_layer2; /* OKX's depQuoteDailyLayer2 */
    /* The answer that this row was part of: all rows of one answer share both, so that a consumer
     * knows when it has the whole list and what is no longer in it. */
    int64_t snapshot_time_ms;
    int64_t snapshot_rows;
    int64_t received_at_us;
    struct extra_fields extra;
};

void currency_chain_clear(struct currency_chain *chain);

#endif
