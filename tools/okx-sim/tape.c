#include "tape.h"

#include <stdlib.h>

#include "base/mem.h"

enum { HIDDEN_RANGES_MAX = 10000 };

struct hidden_range {
    int64_t from, to; /* indexes, to exclusive */
    enum tape_visibility visibility;
};

struct lane {
    int64_t started_index;
    struct hidden_range *hidden; /* ascending, disjoint */
    size_t hidden_count;
    struct market_minute minute;      /* the one asked for last: trades are read in runs */
    int64_t executed_at_ms, executed; /* the last answer: every connection asks the same */
};

struct tape {
    struct market market;
    struct instrument *instruments;
    struct lane *lanes;
    size_t count;
    bool is_halted;
    int64_t halted_ms;
};

struct tape *tape_create(struct market market, struct instrument *instruments, size_t count,
                         int64_t started_ms)
{
    struct tape *tape = mem_calloc(1, sizeof *tape);

    *tape = (struct tape){.market = market, .instruments = instruments, .count = count};
    tape->lanes = mem_calloc(count, sizeof *tape->lanes);
    for (size_t i = 0; i < count; i++) {
        tape->lanes[i].started_index = market_executed(&market, &instruments[i], started_ms - 1);
        tape->lanes[i].minute.minute = -1;
        tape->lanes[i].executed_at_ms = -1;
    }
    return tape;
}

void tape_destroy(struct tape *tape)
{
    if (!tape)
        return;
    for (size_t i = 0; i < tape->count; i++)
        free(tape->lanes[i].hidden);
    free(tape->lanes);
    free(tape->instruments);
    free(tape);
}

const struct market *tape_market(const struct tape *tape)
{
    return &tape->market;
}

size_t tape_instrument_count(const struct tape *tape)
{
    return tape->count;
}

const struct instrument *tape_instrument(const struct tape *tape, size_t instrument)
{
    return &tape->instruments[instrument];
}

int tape_find(const struct tape *tape, struct text_view inst_id)
{
    for (size_t i = 0; i < tape->count; i++) {
        if (text_view_equals(inst_id, tape->instruments[i].inst_id))
            return (int)i;
    }
    return -1;
}

void tape_halt(struct tape *tape, int64_t now_ms)
{
    if (!tape->is_halted)
        tape->halted_ms = now_ms;
    tape->is_halted = true;
}

void tape_resume(struct tape *tape)
{
    tape->is_halted = false;
}

bool tape_is_halted(const struct tape *tape)
{
    return tape->is_halted;
}

int64_t tape_time(const struct tape *tape, int64_t at_ms)
{
    return tape->is_halted && tape->halted_ms < at_ms ? tape->halted_ms : at_ms;
}

int64_t tape_executed(struct tape *tape, size_t instrument, int64_t at_ms)
{
    struct lane *lane = &tape->lanes[instrument];
    int64_t time_ms = tape_time(tape, at_ms);

    if (lane->executed_at_ms != time_ms) {
        lane->executed = market_executed(&tape->market, &tape->instruments[instrument], time_ms);
        lane->executed_at_ms = time_ms;
    }
    return lane->executed;
}

int64_t tape_started_index(const struct tape *tape, size_t instrument)
{
    return tape->lanes[instrument].started_index;
}

struct market_trade tape_trade(struct tape *tape, size_t instrument, int64_t index)
{
    struct market_minute *minute = &tape->lanes[instrument].minute;

    if (minute->minute < 0 || index < minute->first_index ||
        index >= minute->first_index + minute->count)
        *minute = market_minute_at(&tape->market, &tape->instruments[instrument],
                                   market_minute_of_index(&tape->market, index));
    return market_minute_trade(minute, index - minute->first_index);
}

int64_t tape_trade_id(const struct tape *tape, size_t instrument, int64_t index)
{
    return tape->instruments[instrument].first_trade_id + index;
}

int64_t tape_index_of_id(const struct tape *tape, size_t instrument, int64_t trade_id)
{
    return trade_id - tape->instruments[instrument].first_trade_id;
}

int tape_hide(struct tape *tape, size_t instrument, int64_t count, enum tape_visibility visibility,
              int64_t now_ms, struct err *err)
{
    struct lane *lane = &tape->lanes[instrument];
    int64_t from = tape_executed(tape, instrument, now_ms);

    if (lane->hidden_count == HIDDEN_RANGES_MAX)
        return err_set(err, ERR_LIMIT, "%d gaps are the most", HIDDEN_RANGES_MAX);
    if (lane->hidden_count > 0 && lane->hidden[lane->hidden_count - 1].to > from)
        from = lane->hidden[lane->hidden_count - 1].to;
    lane->hidden = mem_realloc_array(lane->hidden, lane->hidden_count + 1, sizeof *lane->hidden);
    lane->hidden[lane->hidden_count++] =
        (struct hidden_range){.from = from, .to = from + count, .visibility = visibility};
    return 0;
}

void tape_hide_no_more(struct tape *tape, int64_t now_ms)
{
    for (size_t i = 0; i < tape->count; i++) {
        struct lane *lane = &tape->lanes[i];
        int64_t executed = tape_executed(tape, i, now_ms);
        while (lane->hidden_count > 0 && lane->hidden[lane->hidden_count - 1].to > executed) {
            struct hidden_range *last = &lane->hidden[lane->hidden_count - 1];
            if (last->from < executed) {
                last->to = executed;
                break;
            }
            lane->hidden_count--;
        }
    }
}

enum tape_visibility tape_visibility_of(const struct tape *tape, size_t instrument, int64_t index)
{
    const struct lane *lane = &tape->lanes[instrument];

    for (size_t i = lane->hidden_count; i-- > 0;) {
        if (index >= lane->hidden[i].to)
            break;
        if (index >= lane->hidden[i].from)
            return lane->hidden[i].visibility;
    }
    return TAPE_VISIBLE;
}
