#include "currencies.h"

#include "okx_json.h"
#include "sim_hash.h"

struct currency {
    const char *ccy, *name;
    int decimals;       /* of amounts */
    const char *chains; /* the main network first */
};

static const struct currency currencies[] = {
    {"ADA", "Cardano", 6, "Cardano,X Layer"},
    {"AVAX", "Avalanche", 8, "Avalanche C-Chain,Avalanche X-Chain,X Layer"},
    {"BTC", "Bitcoin", 8, "Bitcoin,Lightning,X Layer,Ethereum"},
    {"DOGE", "Dogecoin", 8, "Dogecoin,X Layer"},
    {"ETH", "Ethereum", 8, "ERC20,Arbitrum One,Base,Linea,Optimism,X Layer,zkSync Era"},
    {"LTC", "Litecoin", 8, "Litecoin,X Layer"},
    {"PEPE", "Pepe", 0, "ERC20,Arbitrum One"},
    {"SOL", "Solana", 8, "Solana,X Layer"},
    {"TON", "Toncoin", 8, "TON,ERC20"},
    {"TRX", "TRON", 6, "TRC20,X Layer"},
    {"USDC", "USD Coin", 6, "ERC20,Aptos,Arbitrum One,Base,Optimism,Polygon,Solana,Sui,X Layer"},
    {"USDT", "Tether", 6,
     "ERC20,Aptos,Arbitrum One,Avalanche C-Chain,Optimism,Polygon,Solana,TON,TRC20,X Layer"},
    {"XRP", "XRP", 6, "Ripple,X Layer"},
};

static void append_amount(struct buf *out, const char *member, int64_t units, int decimals)
{
    buf_append_format(out, ",\"%s\":\"", member);
    okx_json_number(out, units, decimals);
    buf_append_char(out, '"');
}

static void append_fees(struct buf *out, const struct currency *currency, uint64_t draw,
                        bool is_main)
{
    int64_t fee = 1 + (int64_t)(draw % 5000);

    append_amount(out, "fee", fee, currency->decimals);
    append_amount(out, "maxFee", fee * 2, currency->decimals);
    if (is_main)
        buf_append_text(out, ",\"maxFeeForCtAddr\":\"\"");
    else
        append_amount(out, "maxFeeForCtAddr", fee * 2, currency->decimals);
    append_amount(out, "maxWd", 100000 + (int64_t)(draw % 10000000), 0);
    append_amount(out, "minDep", 1 + (int64_t)((draw >> 8) % 1000), currency->decimals);
    buf_append_format(out, ",\"minDepArrivalConfirm\":\"%d\"", (int)(draw >> 16 & 63) + 1);
    append_amount(out, "minFee", fee, currency->decimals);
    if (is_main)
        buf_append_text(out, ",\"minFeeForCtAddr\":\"\"");
    else
        append_amount(out, "minFeeForCtAddr", fee, currency->decimals);
    append_amount(out, "minInternal", 1, currency->decimals);
    append_amount(out, "minWd", fee * 3, currency->decimals);
    buf_append_format(out, ",\"minWdUnlockConfirm\":\"%d\"", (int)(draw >> 16 & 63) * 2 + 2);
}

static void append_row(struct buf *out, const struct currency *currency, struct text_view chain,
                       bool is_main, uint64_t draw)
{
    const char *is_open = draw % 16 == 7 ? "false" : "true"; /* some chain is always suspended */

    buf_append_format(out,
                      "%s{\"burningFeeRate\":\"\",\"canDep\":%s,\"canInternal\":true,\"canWd\":%s,"
                      "\"ccy\":\"%s\",\"chain\":\"%s-%.*s\",\"ctAddr\":\"",
                      out->length > 0 && out->data[out->length - 1] == '}' ? "," : "", is_open,
                      is_open, currency->ccy, currency->ccy, TEXT_VIEW_ARGS(chain));
    if (!is_main)
        buf_append_format(out, "%06x", (unsigned)(draw >> 40) & 0xffffff);
    buf_append_format(out,
                      "\",\"depEstOpenTime\":\"\",\"depQuotaFixed\":\"\",\"depQuoteDailyLayer2\":"
                      "\"\"");
    append_fees(out, currency, draw, is_main);
    buf_append_format(out,
                      ",\"logoLink\":\"https://static.okx.example/icon/%s.png\",\"mainNet\":%s,"
                      "\"name\":\"%s\",\"needTag\":%s,\"usedDepQuotaFixed\":\"\",\"usedWdQuota\":"
                      "\"0\",\"wdEstOpenTime\":\"\",\"wdQuota\":\"%u\",\"wdTickSz\":\"%d\"}",
                      currency->ccy, is_main ? "true" : "false", currency->name,
                      text_view_equals(chain, "Ripple") || text_view_equals(chain, "TON") ? "true"
                                                                                          : "false",
                      1000000 + (unsigned)(draw >> 20 & 0xffffff), currency->decimals);
}

static bool is_wanted(struct text_view filter, const char *ccy)
{
    struct text_view rest = filter, piece;

    if (filter.length == 0)
        return true;
    while (text_view_split(&rest, ',', &piece)) {
        if (text_view_equals(piece, ccy))
            return true;
    }
    return false;
}

void currencies_append(struct buf *out, uint64_t seed, struct text_view filter)
{
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        struct text_view rest = text_view_of(currencies[i].chains), chain;
        bool is_main = true;
        if (!is_wanted(filter, currencies[i].ccy))
            continue;
        for (uint64_t k = 0; text_view_split(&rest, ',', &chain); k++, is_main = false)
            append_row(out, &currencies[i], chain, is_main,
                       sim_hash(sim_hash_text(seed, currencies[i].ccy), 0, k));
    }
}
