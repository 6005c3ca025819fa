#include "instrument.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rfc3339.h"
#include "market.h"
#include "sim_hash.h"

struct known_instrument {
    const char *inst_id;
    int tick_decimals, lot_decimals, min_size_decimals;
    int64_t base_price, base_size, inst_id_code;
};

/* Steps, least sizes and codes as recorded from OKX (okx-v5.md, section 5). */
static const struct known_instrument known_instruments[] = {
    {"1INCH-USDT", 5, 6, -1, 25000, 400000000, 1564},
    {"ADA-USDT", 4, 4, -1, 6000, 2000000, 1},
    {"BABYDOGE-USDT", 12, 0, -9, 900, 100000000000, 27794},
    {"BNB-USDT", 1, 6, 3, 7000, 150000, 110845},
    {"BTC-USDT", 1, 8, 5, 640000, 2000000, 3},
    {"DOGE-USDT", 5, 6, -1, 20000, 1000000000, 988},
    {"ETH-USDT", 2, 6, 4, 320000, 300000, 4},
    {"LTC-USDT", 2, 6, 2, 9000, 5000000, 7},
    {"PEPE-USDT", 9, 0, -5, 8000, 10000000, 120636},
    {"SHIB-USDT", 9, 0, -5, 12000, 10000000, 20937},
    {"SOL-USDT", 2, 6, 2, 16000, 2000000, 1514},
    {"TON-USDT", 3, 4, 1, 3200, 500000, 83735},
    {"XRP-USDT", 4, 6, 0, 22000, 200000000, 42},
};

static void describe(struct instrument *instrument)
{
    uint64_t hash = sim_hash_text(0, instrument->inst_id);

    instrument->hash = hash;
    instrument->first_trade_id = 100000001 + (int64_t)(hash % 900000000);
    for (size_t i = 0; i < sizeof known_instruments / sizeof known_instruments[0]; i++) {
        const struct known_instrument *known = &known_instruments[i];
        if (strcmp(known->inst_id, instrument->inst_id) != 0)
            continue;
        instrument->tick_decimals = known->tick_decimals;
        instrument->lot_decimals = known->lot_decimals;
        instrument->min_size_decimals = known->min_size_decimals;
        instrument->base_price = known->base_price;
        instrument->base_size = known->base_size;
        instrument->inst_id_code = known->inst_id_code;
        return;
    }
    instrument->tick_decimals = 4;
    instrument->lot_decimals = 6;
    instrument->base_price = 5000 + (int64_t)(sim_hash_mix(hash) % 500000);
    instrument->base_size = 1000000 + (int64_t)(sim_hash_mix(hash + 1) % 50000000);
    instrument->inst_id_code = 200000 + (int64_t)(hash % 100000);
}

static bool is_currency(struct text_view name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return name.length > 0 && name.length < 16;
}

static int read_one(struct text_view text, struct instrument *instrument, struct err *err)
{
    struct instrument read = {.listed_ms = MARKET_EPOCH_MS};
    struct text_view rest = text, name, base, quote;

    if (!text_view_split(&rest, '@', &name))
        return err_set(err, ERR_CONFIG, "empty instrument name");
    if (rest.length > 0) {
        if (rfc3339_parse_ms(rest, &read.listed_ms, err) != 0)
            return err_wrap(err, "listing time of '%.*s'", TEXT_VIEW_ARGS(text));
        read.listed_ms -= read.listed_ms % MARKET_MINUTE_MS;
    }
    if (read.listed_ms < MARKET_EPOCH_MS)
        return err_set(err, ERR_CONFIG, "'%.*s' is listed before 2020", TEXT_VIEW_ARGS(text));
    rest = name;
    if (!text_view_split(&rest, '-', &base) || !text_view_split(&rest, '-', &quote) ||
        rest.length > 0 || !is_currency(base) || !is_currency(quote))
        return err_set(err, ERR_CONFIG, "'%.*s' is not BASE-QUOTE", TEXT_VIEW_ARGS(name));
    memcpy(read.inst_id, name.data, name.length);
    memcpy(read.base_ccy, base.data, base.length);
    memcpy(read.quote_ccy, quote.data, quote.length);
    describe(&read);
    *instrument = read;
    return 0;
}

int instrument_list_parse(struct text_view list, struct instrument **instruments, struct err *err)
{
    struct instrument *read = NULL;
    struct text_view piece;
    int count = 0;

    while (text_view_split(&list, ',', &piece)) {
        if (count == INSTRUMENT_COUNT_MAX) {
            err_set(err, ERR_CONFIG, "more than %d instruments", INSTRUMENT_COUNT_MAX);
            goto failed;
        }
        read = mem_realloc_array(read, (size_t)count + 1, sizeof *read);
        if (read_one(text_view_trim(piece), &read[count], err) != 0)
            goto failed;
        for (int i = 0; i < count; i++) {
            if (strcmp(read[i].inst_id, read[count].inst_id) == 0) {
                err_set(err, ERR_CONFIG, "%s is named twice", read[i].inst_id);
                goto failed;
            }
        }
        count++;
    }
    if (count == 0) {
        err_set(err, ERR_CONFIG, "no instrument is named");
        goto failed;
    }
    *instruments = read;
    return count;
failed:
    free(read);
    return -1;
}
