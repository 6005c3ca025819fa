#include "tests/support/unit_test.h"

#include "ingestor/ws_keepalive.h"

enum { START_MS = 1000000 };

static void pings_at_its_interval_while_pongs_come(void **state)
{
    struct ws_keepalive keepalive;
    int pings = 0;

    (void)state;
    ws_keepalive_start(&keepalive, START_MS);
    for (int64_t now_ms = START_MS; now_ms < START_MS + 600000; now_ms += 50) {
        enum ws_keepalive_action action = ws_keepalive_tick(&keepalive, true, now_ms);

        assert_int_not_equal(action, WS_KEEPALIVE_DEAD);
        if (action == WS_KEEPALIVE_PING) {
            pings++;
            ws_keepalive_received(&keepalive);
        }
    }
    assert_int_equal(pings, 600000 / WS_PING_INTERVAL_MS - 1);
}

static void silence_after_a_ping_is_death_within_30_seconds_of_the_last_message(void **state)
{
    struct ws_keepalive keepalive;
    int64_t died_at_ms = 0;

    (void)state;
    ws_keepalive_start(&keepalive, START_MS);
    ws_keepalive_received(&keepalive);
    for (int64_t now_ms = START_MS; died_at_ms == 0; now_ms += 50) {
        if (ws_keepalive_tick(&keepalive, true, now_ms) == WS_KEEPALIVE_DEAD)
            died_at_ms = now_ms;
    }
    assert_int_equal(died_at_ms, START_MS + WS_PING_INTERVAL_MS + WS_PONG_TIMEOUT_MS);
    assert_true(died_at_ms - START_MS < 30000);
}

static void any_message_proves_the_link(void **state)
{
    struct ws_keepalive keepalive;

    (void)state;
    ws_keepalive_start(&keepalive, START_MS);
    assert_int_equal(ws_keepalive_tick(&keepalive, true, START_MS + WS_PING_INTERVAL_MS),
                     WS_KEEPALIVE_PING);
    ws_keepalive_received(&keepalive); /* a trade, say; the pong was lost */
    assert_int_equal(ws_keepalive_tick(&keepalive, true,
                                       START_MS + WS_PING_INTERVAL_MS + WS_PONG_TIMEOUT_MS + 1),
                     WS_KEEPALIVE_NOTHING);
}

static void a_socket_that_is_not_read_is_never_dead(void **state)
{
    struct ws_keepalive keepalive;
    int64_t now_ms = START_MS;

    (void)state;
    ws_keepalive_start(&keepalive, START_MS);
    for (; now_ms < START_MS + 120000; now_ms += 50)
        assert_int_not_equal(ws_keepalive_tick(&keepalive, false, now_ms), WS_KEEPALIVE_DEAD);
    /* Read again, it has the whole time for an answer. */
    assert_int_not_equal(ws_keepalive_tick(&keepalive, true, now_ms + WS_PONG_TIMEOUT_MS - 100),
                         WS_KEEPALIVE_DEAD);
    assert_int_equal(ws_keepalive_tick(&keepalive, true, now_ms + WS_PONG_TIMEOUT_MS),
                     WS_KEEPALIVE_DEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_at_its_interval_while_pongs_come),
        cmocka_unit_test(silence_after_a_ping_is_death_within_30_seconds_of_the_last_message),
        cmocka_unit_test(any_message_proves_the_link),
        cmocka_unit_test(a_socket_that_is_not_read_is_never_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
