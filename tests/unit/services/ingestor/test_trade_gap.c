#include "tests/support/unit_test.h"

#include <string.h>

#include "ingestor/trade_gap.h"

static const struct optional_int64 unknown_time = {0};

static struct trade trade_of(int64_t trade_id, int64_t count, int64_t event_time_ms)
{
    return (struct trade){
        .trade_id = trade_id,
        .count = {count > 0, count},
        .event_time_ms = event_time_ms,
    };
}

struct gap_case {
    const char *name;
    int64_t trade_id, count, event_time_ms; /* after id 100 at time 5000; count 0: absent */
    enum trade_gap_verdict verdict;
    int64_t from_id, to_id;
    int64_t last_id; /* afterwards */
};

static const struct gap_case gap_cases[] = {
    {"the next id", 101, 0, 5000, TRADE_GAP_NEXT, 0, 0, 101},
    {"the next id, a little earlier", 101, 0, 4990, TRADE_GAP_NEXT, 0, 0, 101},
    {"one id missing", 102, 0, 5001, TRADE_GAP_MISSING, 101, 101, 102},
    {"many ids missing", 1000, 0, 9000, TRADE_GAP_MISSING, 101, 999, 1000},
    {"the same id again", 100, 0, 5000, TRADE_GAP_DUPLICATE, 0, 0, 100},
    {"an older id", 42, 0, 3000, TRADE_GAP_DUPLICATE, 0, 0, 100},
    {"an old id a little later", 100, 0, 5001, TRADE_GAP_LATE, 0, 0, 100},
    {"an old id one second later", 7, 0, 6000, TRADE_GAP_LATE, 0, 0, 100},
    {"an old id more than a second later", 7, 0, 6001, TRADE_GAP_RESET, 0, 0, 7},
    {"an aggregate that continues", 103, 3, 5000, TRADE_GAP_NEXT, 0, 0, 103},
    {"an aggregate behind a hole", 110, 3, 5000, TRADE_GAP_MISSING, 101, 107, 110},
    {"an aggregate partly seen", 102, 3, 5000, TRADE_GAP_OVERLAP, 101, 102, 102},
    {"an aggregate seen but for one", 101, 10, 5000, TRADE_GAP_OVERLAP, 101, 101, 101},
    {"an aggregate seen entirely", 100, 3, 5000, TRADE_GAP_DUPLICATE, 0, 0, 100},
    {"count 1 is a single trade", 101, 1, 5000, TRADE_GAP_NEXT, 0, 0, 101},
};

static void each_trade_is_judged_by_id_count_and_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gap_cases / sizeof *gap_cases; i++) {
        const struct gap_case *row = &gap_cases[i];
        struct trade trade = trade_of(row->trade_id, row->count, row->event_time_ms);
        struct trade_gap gap;

        trade_gap_init(&gap);
        trade_gap_start(&gap, 100, (struct optional_int64){true, 5000});
        struct trade_gap_step step = trade_gap_next(&gap, &trade);
        if (step.verdict != row->verdict || step.from_id != row->from_id ||
            step.to_id != row->to_id || gap.last_id != row->last_id)
            fail_msg("%s: verdict %d, %lld..%lld", row->name, (int)step.verdict,
                     (long long)step.from_id, (long long)step.to_id);
    }
}

static void the_first_trade_begins_the_series(void **state)
{
    struct trade first = trade_of(1040968613, 2, 1786538760218);
    struct trade second = trade_of(1040968614, 1, 1786538760479);
    struct trade_gap gap;

    (void)state;
    trade_gap_init(&gap);
    assert_int_equal(trade_gap_next(&gap, &first).verdict, TRADE_GAP_FIRST);
    assert_int_equal(trade_gap_next(&gap, &second).verdict, TRADE_GAP_NEXT);
}

static void without_a_known_time_no_old_id_is_a_reset(void **state)
{
    struct trade old = trade_of(50, 0, INT64_C(9000000000000));
    struct trade_gap gap;

    (void)state;
    trade_gap_init(&gap);
    trade_gap_start(&gap, 100, unknown_time);
    assert_int_equal(trade_gap_next(&gap, &old).verdict, TRADE_GAP_DUPLICATE);
}

static void a_series_recovers_from_an_absurd_id(void **state)
{
    struct trade absurd = trade_of(INT64_MAX - 1, 0, 5000);
    struct trade soon = trade_of(101, 0, 5100);
    struct trade later = trade_of(109, 0, 6200);
    struct trade next = trade_of(110, 0, 6201);
    struct trade_gap gap;

    (void)state;
    trade_gap_init(&gap);
    trade_gap_start(&gap, 100, (struct optional_int64){true, 4900});
    assert_int_equal(trade_gap_next(&gap, &absurd).verdict, TRADE_GAP_MISSING);
    assert_int_equal(trade_gap_next(&gap, &soon).verdict, TRADE_GAP_LATE);
    assert_int_equal(trade_gap_next(&gap, &later).verdict, TRADE_GAP_RESET);
    assert_int_equal(trade_gap_next(&gap, &next).verdict, TRADE_GAP_NEXT);
}

static void the_newest_trade_by_rest_shows_what_is_missing_up_to_it(void **state)
{
    struct trade_gap gap;

    (void)state;
    trade_gap_start(&gap, 100, (struct optional_int64){true, 5000});
    assert_int_equal(trade_gap_advance(&gap, 100, 5000).verdict, TRADE_GAP_DUPLICATE);
    assert_int_equal(trade_gap_advance(&gap, 99, 9000).verdict, TRADE_GAP_DUPLICATE);
    struct trade_gap_step step = trade_gap_advance(&gap, 103, 5001);
    assert_int_equal(step.verdict, TRADE_GAP_MISSING);
    assert_int_equal(step.from_id, 101);
    assert_int_equal(step.to_id, 103);
    struct trade next = trade_of(104, 0, 5002);
    assert_int_equal(trade_gap_next(&gap, &next).verdict, TRADE_GAP_NEXT);
}

enum { UNIVERSE = 4000 };

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* What happens to each id: published live, or asked for. */
struct ledger {
    int published[UNIVERSE], asked[UNIVERSE];
};

static void follow(struct trade_gap *gap, const struct trade *trade, struct ledger *ledger)
{
    struct trade_gap_step step = trade_gap_next(gap, trade);
    bool is_published = step.verdict == TRADE_GAP_FIRST || step.verdict == TRADE_GAP_NEXT ||
                        step.verdict == TRADE_GAP_MISSING;

    assert_true(step.verdict != TRADE_GAP_LATE && step.verdict != TRADE_GAP_RESET);
    if (step.verdict == TRADE_GAP_MISSING || step.verdict == TRADE_GAP_OVERLAP) {
        for (int64_t id = step.from_id; id <= step.to_id; id++)
            ledger->asked[id]++;
    }
    for (int64_t id = trade_first_id(trade); is_published && id <= trade->trade_id; id++)
        ledger->published[id]++;
}

/* A feed that loses, repeats and re-cuts aggregates: every id of the series ends up published or
 * asked for, exactly once, whatever happens. */
static void random_feeds_leave_every_id_published_or_asked_for_exactly_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t random = seed;
        struct ledger ledger = {0};
        struct trade_gap gap;
        int64_t id = 10; /* room for an aggregate before it */
        int64_t first_id = 0;

        trade_gap_init(&gap);
        while (id < UNIVERSE - 50) {
            int64_t count = seed % 3 == 0 ? 1 : 1 + (int64_t)(next_random(&random) % 5);
            struct trade trade = trade_of(id + count, count, 1000 + (id + count) / 7);
            uint64_t fate = next_random(&random) % 10;

            id += count;
            if (fate == 0)
                continue;    /* lost */
            if (fate == 1) { /* another connection cut the aggregates differently */
                id -= count / 2;
                trade = trade_of(id, 1 + (int64_t)(next_random(&random) % (uint64_t)count),
                                 1000 + id / 7);
            }
            if (first_id == 0)
                first_id = trade_first_id(&trade);
            follow(&gap, &trade, &ledger);
            if (fate == 2) /* repeated */
                follow(&gap, &trade, &ledger);
        }
        for (int64_t i = first_id; i <= gap.last_id; i++)
            assert_int_equal(ledger.published[i] + ledger.asked[i], 1);
    }
}

/* REST may be ahead of the WebSocket: what it told is still on its way, with others before it. */
static void a_first_live_trade_begins_the_series_earlier_than_was_told(void **state)
{
    struct trade behind = trade_of(97, 1, 4990);
    struct trade next = trade_of(98, 1, 4995);
    struct trade told = trade_of(100, 1, 5000);
    struct trade ahead = trade_of(103, 1, 5010);
    struct trade_gap gap;
    (void)state;

    trade_gap_init(&gap);
    trade_gap_tell(&gap, 100, (struct optional_int64){true, 5000});
    assert_int_equal(trade_gap_next(&gap, &behind).verdict, TRADE_GAP_FIRST);
    assert_int_equal(trade_gap_next(&gap, &next).verdict, TRADE_GAP_NEXT);
    assert_int_equal(trade_gap_next(&gap, &behind).verdict, TRADE_GAP_DUPLICATE);
    struct trade_gap_step step = trade_gap_next(&gap, &told);
    assert_int_equal(step.verdict, TRADE_GAP_MISSING);
    assert_int_equal(step.from_id, 99);

    trade_gap_init(&gap);
    trade_gap_tell(&gap, 100, (struct optional_int64){true, 5000});
    step = trade_gap_next(&gap, &ahead);
    assert_int_equal(step.verdict, TRADE_GAP_MISSING);
    assert_int_equal(step.from_id, 101);
    assert_int_equal(trade_gap_next(&gap, &told).verdict, TRADE_GAP_DUPLICATE);
}

static void a_trade_is_ahead_when_ids_are_missing_before_it(void **state)
{
    const struct trade next = trade_of(101, 0, 5000);
    const struct trade aggregate = trade_of(105, 5, 5000);
    const struct trade ahead = trade_of(102, 0, 5000);
    const struct trade aggregate_ahead = trade_of(106, 5, 5000);
    struct trade_gap gap;

    (void)state;
    trade_gap_init(&gap);
    assert_true(trade_gap_is_ahead(&gap, &next));
    trade_gap_start(&gap, 100, unknown_time);
    assert_false(trade_gap_is_ahead(&gap, &next));
    assert_false(trade_gap_is_ahead(&gap, &aggregate));
    assert_true(trade_gap_is_ahead(&gap, &ahead));
    assert_true(trade_gap_is_ahead(&gap, &aggregate_ahead));
}

/* Others were executed before the first live trade, and nobody received them. */
static void after_a_break_only_what_is_told_begins_the_series(void **state)
{
    struct trade lost_to_repair = trade_of(105, 1, 5010);
    struct trade later = trade_of(107, 1, 5020);
    struct trade_gap_step step;
    struct trade_gap gap;

    (void)state;
    trade_gap_init(&gap);
    trade_gap_break(&gap);
    assert_int_equal(trade_gap_next(&gap, &lost_to_repair).verdict, TRADE_GAP_UNBEGUN);
    assert_int_equal(trade_gap_next(&gap, &lost_to_repair).verdict, TRADE_GAP_UNBEGUN);
    trade_gap_tell(&gap, 100, unknown_time);
    step = trade_gap_next(&gap, &later);
    assert_int_equal(step.verdict, TRADE_GAP_MISSING);
    assert_int_equal(step.from_id, 101);
    assert_int_equal(step.to_id, 106);

    trade_gap_break(&gap); /* nothing to a series that has begun */
    assert_int_equal(trade_gap_next(&gap, &later).verdict, TRADE_GAP_DUPLICATE);
    step = trade_gap_advance(&gap, 109, 5030);
    assert_int_equal(step.verdict, TRADE_GAP_MISSING);
    assert_int_equal(step.from_id, 108);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_trade_is_judged_by_id_count_and_time),
        cmocka_unit_test(the_first_trade_begins_the_series),
        cmocka_unit_test(without_a_known_time_no_old_id_is_a_reset),
        cmocka_unit_test(a_series_recovers_from_an_absurd_id),
        cmocka_unit_test(the_newest_trade_by_rest_shows_what_is_missing_up_to_it),
        cmocka_unit_test(a_first_live_trade_begins_the_series_earlier_than_was_told),
        cmocka_unit_test(a_trade_is_ahead_when_ids_are_missing_before_it),
        cmocka_unit_test(after_a_break_only_what_is_told_begins_the_series),
        cmocka_unit_test(random_feeds_leave_every_id_published_or_asked_for_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
