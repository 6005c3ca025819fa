#include "ledger.h"

#include <stdlib.h>

#include "base/mem.h"
#include "okx_json.h"

enum { PART_BYTES = 48 * 1024 };

struct ledger {
    struct tape *tape;
    size_t instrument, last;
    int64_t from, to;
    int64_t next, end; /* of the instrument */
    int64_t now_ms;
};

static void enter_instrument(struct ledger *ledger)
{
    int64_t listed = market_listed_index(tape_market(ledger->tape),
                                         tape_instrument(ledger->tape, ledger->instrument));

    ledger->next = ledger->from;
    if (ledger->from == INT64_MIN)
        ledger->next = tape_started_index(ledger->tape, ledger->instrument);
    else if (ledger->next < listed)
        ledger->next = listed;
    ledger->end = tape_executed(ledger->tape, ledger->instrument, ledger->now_ms);
    if (ledger->to < ledger->end)
        ledger->end = ledger->to;
}

struct ledger *ledger_open(struct tape *tape, size_t first, size_t last, int64_t from, int64_t to,
                           int64_t now_ms)
{
    struct ledger *ledger = mem_calloc(1, sizeof *ledger);

    *ledger = (struct ledger){
        .tape = tape, .instrument = first, .last = last, .from = from, .to = to, .now_ms = now_ms};
    enter_instrument(ledger);
    return ledger;
}

void ledger_close(void *ledger)
{
    free(ledger);
}

static void append_line(struct ledger *ledger, struct buf *out)
{
    const struct instrument *instrument = tape_instrument(ledger->tape, ledger->instrument);
    struct market_trade trade = tape_trade(ledger->tape, ledger->instrument, ledger->next);

    buf_append_text(out, instrument->inst_id);
    buf_append_char(out, '\t');
    okx_json_int(out, instrument->first_trade_id + trade.index);
    buf_append_char(out, '\t');
    okx_json_number(out, trade.price, instrument->tick_decimals);
    buf_append_char(out, '\t');
    okx_json_number(out, trade.size, instrument->lot_decimals);
    buf_append_text(out, trade.is_buy ? "\tbuy\t" : "\tsell\t");
    okx_json_int(out, trade.time_ms);
    buf_append_char(out, '\t');
    buf_append_char(out, trade.source);
    if (tape_visibility_of(ledger->tape, ledger->instrument, trade.index) == TAPE_LOST)
        buf_append_text(out, "\tlost");
    buf_append_char(out, '\n');
}

static void append_part(struct ledger *ledger, struct buf *out)
{
    while (out->length < PART_BYTES) {
        if (ledger->next < ledger->end) {
            append_line(ledger, out);
            ledger->next++;
        } else if (ledger->instrument < ledger->last) {
            ledger->instrument++;
            enter_instrument(ledger);
        } else {
            return;
        }
    }
}

void ledger_append(void *ledger, struct buf *out)
{
    append_part(ledger, out);
}
