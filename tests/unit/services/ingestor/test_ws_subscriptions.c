#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "ingestor/okx_request.h"
#include "ingestor/ws_subscriptions.h"

enum { NOW_MS = 1000000 };

struct fixture {
    struct ws_subscriptions subscriptions;
    struct buf request;
};

static void set_up(struct fixture *fixture, const char *const *inst_ids, size_t count)
{
    ws_subscriptions_init(&fixture->subscriptions, "trades-all");
    buf_init(&fixture->request, OKX_SUBSCRIBE_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        ws_subscriptions_add(&fixture->subscriptions, inst_ids[i]);
    ws_subscriptions_reopen(&fixture->subscriptions);
}

static void tear_down(struct fixture *fixture)
{
    ws_subscriptions_clear(&fixture->subscriptions);
    buf_clear(&fixture->request);
}

/* The next request, or "" when none is due; valid until the next call. */
static const char *next_request(struct fixture *fixture, int64_t now_ms)
{
    buf_reset(&fixture->request);
    if (!ws_subscriptions_next_request(&fixture->subscriptions, now_ms, &fixture->request))
        return "";
    return fixture->request.data;
}

static size_t count_in(const char *text, const char *piece)
{
    size_t count = 0;

    for (const char *found = text; (found = strstr(found, piece)); found += strlen(piece))
        count++;
    return count;
}

static const char *const three[] = {"BTC-USDT", "BAD-USDT", "ETH-USDT"};

static void everything_is_asked_for_in_one_request(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 3);
    assert_false(ws_subscriptions_is_settled(&fixture.subscriptions));
    const char *request = next_request(&fixture, NOW_MS);
    assert_non_null(strstr(request, "\"op\":\"subscribe\""));
    assert_int_equal(count_in(request, "\"channel\":\"trades-all\""), 3);
    assert_string_equal(next_request(&fixture, NOW_MS), "");
    for (size_t i = 0; i < 3; i++) {
        assert_true(ws_subscriptions_awaits_answers(&fixture.subscriptions));
        assert_true(ws_subscriptions_acknowledge(&fixture.subscriptions, three[i]));
        assert_false(ws_subscriptions_acknowledge(&fixture.subscriptions, three[i]));
    }
    assert_true(ws_subscriptions_is_settled(&fixture.subscriptions));
    assert_false(ws_subscriptions_awaits_answers(&fixture.subscriptions));
    assert_int_equal(ws_subscriptions_count(&fixture.subscriptions, SUBSCRIPTION_ACTIVE), 3);
    assert_false(ws_subscriptions_acknowledge(&fixture.subscriptions, "FOREIGN-USDT"));
    tear_down(&fixture);
}

static void what_is_not_acknowledged_is_asked_alone_to_learn_its_error(void **state)
{
    struct fixture fixture;
    int64_t now_ms = NOW_MS;

    (void)state;
    set_up(&fixture, three, 3);
    next_request(&fixture, now_ms);
    assert_null(ws_subscriptions_error(&fixture.subscriptions, "r1", "60018", now_ms));
    ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    ws_subscriptions_acknowledge(&fixture.subscriptions, "ETH-USDT");
    now_ms += WS_ERROR_GRACE_MS; /* sooner than without an error */
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    const char *request = next_request(&fixture, now_ms);
    assert_int_equal(count_in(request, "instId"), 1);
    assert_non_null(strstr(request, "BAD-USDT"));
    assert_string_equal(ws_subscriptions_error(&fixture.subscriptions, "r2", "60018", now_ms),
                        "BAD-USDT");
    assert_int_equal(ws_subscriptions_count(&fixture.subscriptions, SUBSCRIPTION_ACTIVE), 2);
    assert_int_equal(ws_subscriptions_count(&fixture.subscriptions, SUBSCRIPTION_REFUSED), 1);
    assert_true(ws_subscriptions_is_settled(&fixture.subscriptions));
    tear_down(&fixture);
}

static void a_refused_instrument_is_asked_again_hourly_and_not_on_reconnecting(void **state)
{
    struct fixture fixture;
    int64_t now_ms = NOW_MS;

    (void)state;
    set_up(&fixture, three + 1, 1);
    next_request(&fixture, now_ms);
    now_ms += WS_ACKNOWLEDGE_TIMEOUT_MS;
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    next_request(&fixture, now_ms);
    assert_string_equal(ws_subscriptions_error(&fixture.subscriptions, "", "60018", now_ms),
                        "BAD-USDT");
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    ws_subscriptions_reopen(&fixture.subscriptions);
    assert_string_equal(next_request(&fixture, now_ms + 1), "");
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms + WS_REFUSED_RETRY_MS - 1));
    assert_string_equal(next_request(&fixture, now_ms + WS_REFUSED_RETRY_MS - 1), "");
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms + WS_REFUSED_RETRY_MS));
    assert_non_null(strstr(next_request(&fixture, now_ms + WS_REFUSED_RETRY_MS), "BAD-USDT"));
    assert_true(ws_subscriptions_awaits_answers(&fixture.subscriptions)); /* its data, if need be */
    assert_true(ws_subscriptions_acknowledge(&fixture.subscriptions, "BAD-USDT"));
    tear_down(&fixture);
}

static void an_instrument_that_gets_no_answer_is_unsettled_and_asked_again_in_a_minute(void **state)
{
    struct fixture fixture;
    int64_t now_ms = NOW_MS;

    (void)state;
    set_up(&fixture, three, 1);
    next_request(&fixture, now_ms);
    now_ms += WS_ACKNOWLEDGE_TIMEOUT_MS;
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    next_request(&fixture, now_ms);
    now_ms += WS_ACKNOWLEDGE_TIMEOUT_MS; /* alone, and still no answer */
    assert_string_equal(ws_subscriptions_expire(&fixture.subscriptions, now_ms), "BTC-USDT");
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    assert_false(ws_subscriptions_is_settled(&fixture.subscriptions));
    assert_string_equal(next_request(&fixture, now_ms), "");
    now_ms += WS_UNANSWERED_RETRY_MS;
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    assert_non_null(strstr(next_request(&fixture, now_ms), "BTC-USDT"));
    ws_subscriptions_reopen(&fixture.subscriptions); /* a new connection: with all others */
    assert_non_null(strstr(next_request(&fixture, now_ms), "BTC-USDT"));
    tear_down(&fixture);
}

static void suspects_are_asked_one_at_a_time(void **state)
{
    struct fixture fixture;
    int64_t now_ms = NOW_MS;

    (void)state;
    set_up(&fixture, three, 3);
    next_request(&fixture, now_ms);
    now_ms += WS_ACKNOWLEDGE_TIMEOUT_MS;
    assert_null(ws_subscriptions_expire(&fixture.subscriptions, now_ms));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(count_in(next_request(&fixture, now_ms), "instId"), 1);
        assert_string_equal(next_request(&fixture, now_ms), "");
        assert_non_null(ws_subscriptions_error(&fixture.subscriptions, "", "60018", now_ms));
    }
    assert_int_equal(ws_subscriptions_count(&fixture.subscriptions, SUBSCRIPTION_REFUSED), 3);
    tear_down(&fixture);
}

static void too_many_requests_are_slowed_down_and_repeated(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 3);
    next_request(&fixture, NOW_MS);
    ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    assert_null(ws_subscriptions_error(&fixture.subscriptions, "", "60014", NOW_MS));
    assert_string_equal(next_request(&fixture, NOW_MS + WS_SLOW_DOWN_MS - 1), "");
    assert_int_equal(count_in(next_request(&fixture, NOW_MS + WS_SLOW_DOWN_MS), "instId"), 2);
    tear_down(&fixture);
}

static void when_it_was_first_asked_for_outlasts_connections(void **state)
{
    const struct subscription *subscription;
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 1);
    next_request(&fixture, NOW_MS);
    ws_subscriptions_reopen(&fixture.subscriptions); /* lost before OKX answered */
    next_request(&fixture, NOW_MS + 700);
    subscription = ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    assert_non_null(subscription);
    assert_int_equal(subscription->first_asked_at_ms, NOW_MS);
    assert_int_equal(subscription->asked, 2);

    ws_subscriptions_remove(&fixture.subscriptions, "BTC-USDT");
    ws_subscriptions_add(&fixture.subscriptions, "BTC-USDT");
    next_request(&fixture, NOW_MS + 900);
    subscription = ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    assert_non_null(subscription);
    assert_int_equal(subscription->first_asked_at_ms, NOW_MS + 900);
    assert_int_equal(subscription->asked, 1);
    tear_down(&fixture);
}

static void leaving_unsubscribes_only_what_was_asked_for(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 2);
    next_request(&fixture, NOW_MS);
    ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    ws_subscriptions_add(&fixture.subscriptions, "ETH-USDT");
    ws_subscriptions_remove(&fixture.subscriptions, "ETH-USDT"); /* never asked for */
    ws_subscriptions_remove(&fixture.subscriptions, "BTC-USDT");
    const char *request = next_request(&fixture, NOW_MS);
    assert_non_null(strstr(request, "\"op\":\"unsubscribe\""));
    assert_int_equal(count_in(request, "instId"), 1);
    assert_non_null(strstr(request, "BTC-USDT"));
    assert_string_equal(next_request(&fixture, NOW_MS), "");
    assert_false(ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT"));
    tear_down(&fixture);
}

static void what_left_and_came_back_is_asked_for(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 1);
    next_request(&fixture, NOW_MS);
    ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT");
    ws_subscriptions_remove(&fixture.subscriptions, "BTC-USDT");
    ws_subscriptions_add(&fixture.subscriptions, "BTC-USDT");
    assert_non_null(strstr(next_request(&fixture, NOW_MS), "\"op\":\"subscribe\""));
    assert_true(ws_subscriptions_acknowledge(&fixture.subscriptions, "BTC-USDT"));
    tear_down(&fixture);
}

static void a_new_connection_is_asked_for_everything_again(void **state)
{
    struct fixture fixture;

    (void)state;
    set_up(&fixture, three, 3);
    next_request(&fixture, NOW_MS);
    for (size_t i = 0; i < 3; i++)
        ws_subscriptions_acknowledge(&fixture.subscriptions, three[i]);
    ws_subscriptions_remove(&fixture.subscriptions, "ETH-USDT");
    ws_subscriptions_reopen(&fixture.subscriptions);
    assert_int_equal(count_in(next_request(&fixture, NOW_MS), "instId"), 2);
    tear_down(&fixture);
}

static void requests_stay_below_480_an_hour(void **state)
{
    struct fixture fixture;
    size_t requests = 0;

    (void)state;
    set_up(&fixture, three, 1);
    for (int64_t now_ms = NOW_MS; now_ms < NOW_MS + 3600 * 1000; now_ms += 1000) {
        ws_subscriptions_add(&fixture.subscriptions, "ETH-USDT");
        while (*next_request(&fixture, now_ms))
            requests++;
        ws_subscriptions_remove(&fixture.subscriptions, "ETH-USDT");
    }
    assert_true(requests > 400);
    assert_true(requests < 480);
    tear_down(&fixture);
}

static void a_successor_covers_when_all_that_is_active_is_active_there(void **state)
{
    struct fixture old;
    struct fixture heir;

    (void)state;
    set_up(&old, three, 3);
    set_up(&heir, three, 3);
    next_request(&old, NOW_MS);
    next_request(&heir, NOW_MS);
    ws_subscriptions_acknowledge(&old.subscriptions, "BTC-USDT");
    ws_subscriptions_acknowledge(&old.subscriptions, "BAD-USDT");
    ws_subscriptions_acknowledge(&heir.subscriptions, "BTC-USDT");
    assert_false(ws_subscriptions_cover(&heir.subscriptions, &old.subscriptions));
    /* Asked for alone now, which counts as settled and is not yet served. */
    while (ws_subscriptions_expire(&heir.subscriptions, NOW_MS + WS_ACKNOWLEDGE_TIMEOUT_MS))
        continue;
    assert_true(ws_subscriptions_is_settled(&heir.subscriptions));
    assert_false(ws_subscriptions_cover(&heir.subscriptions, &old.subscriptions));
    next_request(&heir, NOW_MS + WS_ACKNOWLEDGE_TIMEOUT_MS);
    assert_string_equal(ws_subscriptions_error(&heir.subscriptions, "", "60018",
                                               NOW_MS + WS_ACKNOWLEDGE_TIMEOUT_MS),
                        "BAD-USDT");
    assert_true(ws_subscriptions_cover(&heir.subscriptions, &old.subscriptions));
    tear_down(&old);
    tear_down(&heir);
}

static void what_the_successor_is_not_for_needs_no_cover(void **state)
{
    struct fixture old;
    struct fixture heir;

    (void)state;
    set_up(&old, three, 3);
    set_up(&heir, three, 1);
    next_request(&old, NOW_MS);
    next_request(&heir, NOW_MS);
    ws_subscriptions_acknowledge(&old.subscriptions, "BTC-USDT");
    ws_subscriptions_acknowledge(&old.subscriptions, "ETH-USDT");
    ws_subscriptions_acknowledge(&heir.subscriptions, "BTC-USDT");
    assert_true(ws_subscriptions_cover(&heir.subscriptions, &old.subscriptions));
    tear_down(&old);
    tear_down(&heir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_asked_for_in_one_request),
        cmocka_unit_test(what_is_not_acknowledged_is_asked_alone_to_learn_its_error),
        cmocka_unit_test(a_refused_instrument_is_asked_again_hourly_and_not_on_reconnecting),
        cmocka_unit_test(
            an_instrument_that_gets_no_answer_is_unsettled_and_asked_again_in_a_minute),
        cmocka_unit_test(suspects_are_asked_one_at_a_time),
        cmocka_unit_test(too_many_requests_are_slowed_down_and_repeated),
        cmocka_unit_test(when_it_was_first_asked_for_outlasts_connections),
        cmocka_unit_test(leaving_unsubscribes_only_what_was_asked_for),
        cmocka_unit_test(what_left_and_came_back_is_asked_for),
        cmocka_unit_test(a_new_connection_is_asked_for_everything_again),
        cmocka_unit_test(requests_stay_below_480_an_hour),
        cmocka_unit_test(a_successor_covers_when_all_that_is_active_is_active_there),
        cmocka_unit_test(what_the_successor_is_not_for_needs_no_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
