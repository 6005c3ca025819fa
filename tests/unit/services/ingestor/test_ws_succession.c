#include "tests/support/unit_test.h"

#include <string.h>

#include "ingestor/ws_succession.h"

enum { START_MS = 1000000, TURN_MS = 50, AGE_MS = 3600 * 1000, SEED = 7 };

struct fixture {
    struct ws_succession succession;
    struct ws_succession_facts facts;
    struct backoff spread;
    int64_t age_ms;
    int64_t now_ms;
};

static void set_up(struct fixture *fixture, int64_t age_ms)
{
    *fixture = (struct fixture){
        .facts = {.is_open = true, .reads = true}, .age_ms = age_ms, .now_ms = START_MS};
    ws_succession_init(&fixture->succession);
    ws_succession_spread(&fixture->spread, age_ms, SEED);
}

static enum ws_succession_action tick(struct fixture *fixture)
{
    fixture->now_ms += TURN_MS;
    return ws_succession_tick(&fixture->succession, &fixture->facts, fixture->age_ms,
                              &fixture->spread, fixture->now_ms);
}

/* How long until something is to be done; limit_ms when nothing is. */
static int64_t wait_for_action(struct fixture *fixture, int64_t limit_ms,
                               enum ws_succession_action *action)
{
    int64_t from_ms = fixture->now_ms;

    do
        *action = tick(fixture);
    while (*action == WS_SUCCESSION_NOTHING && fixture->now_ms < from_ms + limit_ms);
    return fixture->now_ms - from_ms;
}

static void a_successor_is_due_in_the_last_quarter_of_the_age(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct fixture fixture;
        enum ws_succession_action action;

        set_up(&fixture, AGE_MS);
        ws_succession_spread(&fixture.spread, AGE_MS, seed);
        int64_t waited_ms = wait_for_action(&fixture, 2 * (int64_t)AGE_MS, &action);
        assert_int_equal(action, WS_SUCCESSION_BEGIN);
        assert_in_range(waited_ms, AGE_MS - AGE_MS / 4, AGE_MS + 2 * TURN_MS);
    }
}

/* 100 connections opened at the rate that OKX allows: at no second are more than three due. */
static void connections_opened_together_are_not_due_together(void **state)
{
    enum { CONNECTIONS = 100, DAY_MS = 23 * 3600 * 1000 };
    static struct ws_succession successions[CONNECTIONS];
    static size_t due_in_second[DAY_MS / 1000 + 2];
    const struct ws_succession_facts facts = {.is_open = true, .reads = true};
    struct backoff spread;

    (void)state;
    ws_succession_spread(&spread, DAY_MS, SEED);
    memset(due_in_second, 0, sizeof due_in_second);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        ws_succession_init(&successions[i]);
        (void)ws_succession_tick(&successions[i], &facts, DAY_MS, &spread, START_MS);
        due_in_second[(successions[i].due_at_ms - START_MS) / 1000]++;
    }
    for (size_t i = 0; i < sizeof due_in_second / sizeof due_in_second[0]; i++)
        assert_true(due_in_second[i] <= 3);
}

static void without_an_age_nothing_is_ever_due(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, 0);
    wait_for_action(&fixture, 10 * (int64_t)AGE_MS, &action);
    assert_int_equal(action, WS_SUCCESSION_NOTHING);
}

static void a_reconnection_begins_a_new_age(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, AGE_MS);
    wait_for_action(&fixture, AGE_MS / 2, &action);
    fixture.facts.is_open = false;
    assert_int_equal(tick(&fixture), WS_SUCCESSION_NOTHING);
    fixture.facts.is_open = true;
    assert_true(wait_for_action(&fixture, 2 * (int64_t)AGE_MS, &action) >= AGE_MS - AGE_MS / 4);
    assert_int_equal(action, WS_SUCCESSION_BEGIN);
}

static void the_old_connection_ends_only_after_an_overlap(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, AGE_MS);
    fixture.facts.has_successor = true;
    wait_for_action(&fixture, 2 * (int64_t)AGE_MS, &action);
    assert_int_equal(action, WS_SUCCESSION_NOTHING); /* the successor does not send all of it */
    fixture.facts.is_covered = true;
    assert_int_equal(wait_for_action(&fixture, AGE_MS, &action), WS_OVERLAP_MS + TURN_MS);
    assert_int_equal(action, WS_SUCCESSION_END);
}

static void a_successor_that_falls_silent_begins_its_overlap_anew(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, AGE_MS);
    fixture.facts.has_successor = true;
    fixture.facts.is_covered = true;
    wait_for_action(&fixture, WS_OVERLAP_MS / 2, &action);
    fixture.facts.is_covered = false; /* it was lost and connects again */
    assert_int_equal(tick(&fixture), WS_SUCCESSION_NOTHING);
    fixture.facts.is_covered = true;
    assert_int_equal(wait_for_action(&fixture, AGE_MS, &action), WS_OVERLAP_MS + TURN_MS);
    assert_int_equal(action, WS_SUCCESSION_END);
}

static void nothing_changes_hands_while_sockets_are_not_read(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, AGE_MS);
    fixture.facts.reads = false;
    wait_for_action(&fixture, 2 * (int64_t)AGE_MS, &action);
    assert_int_equal(action, WS_SUCCESSION_NOTHING); /* due, but not now */
    fixture.facts.has_successor = fixture.facts.is_covered = true;
    wait_for_action(&fixture, AGE_MS, &action);
    assert_int_equal(action, WS_SUCCESSION_NOTHING); /* what is unread would be lost */
    fixture.facts.reads = true;
    assert_int_equal(wait_for_action(&fixture, AGE_MS, &action), WS_OVERLAP_MS + TURN_MS);
    assert_int_equal(action, WS_SUCCESSION_END);
}

static void a_lost_connection_hands_over_at_once(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, AGE_MS);
    assert_int_equal(tick(&fixture), WS_SUCCESSION_NOTHING);
    fixture.facts.has_successor = true;
    fixture.facts.is_open = false;
    assert_int_equal(tick(&fixture), WS_SUCCESSION_END);
}

/* Else a successor that OKX never serves would get successors for ever. */
static void an_heir_gets_no_successor_for_its_age(void **state)
{
    struct fixture fixture;
    enum ws_succession_action action;

    (void)state;
    set_up(&fixture, AGE_MS);
    fixture.facts.is_heir = true;
    wait_for_action(&fixture, 2 * (int64_t)AGE_MS, &action);
    assert_int_equal(action, WS_SUCCESSION_NOTHING);
    fixture.facts.is_heir = false;
    assert_int_equal(tick(&fixture), WS_SUCCESSION_BEGIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_successor_is_due_in_the_last_quarter_of_the_age),
        cmocka_unit_test(connections_opened_together_are_not_due_together),
        cmocka_unit_test(without_an_age_nothing_is_ever_due),
        cmocka_unit_test(a_reconnection_begins_a_new_age),
        cmocka_unit_test(the_old_connection_ends_only_after_an_overlap),
        cmocka_unit_test(a_successor_that_falls_silent_begins_its_overlap_anew),
        cmocka_unit_test(nothing_changes_hands_while_sockets_are_not_read),
        cmocka_unit_test(a_lost_connection_hands_over_at_once),
        cmocka_unit_test(an_heir_gets_no_successor_for_its_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
