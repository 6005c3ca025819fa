#include "tests/support/unit_test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ingestor/token_bucket.h"

enum { LIMIT = 20, WINDOW_MS = 2000 };

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static void grants_the_limit_at_once_and_then_waits_for_the_window(void **state)
{
    struct token_bucket bucket;
    size_t ticket = 0;

    (void)state;
    token_bucket_init(&bucket, 3, 1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(token_bucket_take(&bucket, 100, &ticket), 0);
        token_bucket_release(&bucket, ticket, 100);
    }
    assert_int_equal(token_bucket_take(&bucket, 100, &ticket), 1001);
    assert_int_equal(token_bucket_take(&bucket, 1100, &ticket), 1);
    assert_int_equal(token_bucket_take(&bucket, 1101, &ticket), 0);
    token_bucket_clear(&bucket);
}

static void a_request_under_way_counts_until_a_window_after_its_answer(void **state)
{
    struct token_bucket bucket;
    size_t ticket = 0;
    size_t other = 0;

    (void)state;
    token_bucket_init(&bucket, 1, 1000);
    assert_int_equal(token_bucket_take(&bucket, 0, &ticket), 0);
    assert_true(token_bucket_take(&bucket, 5000, &other) > 0);
    token_bucket_release(&bucket, ticket, 5000);
    assert_int_equal(token_bucket_take(&bucket, 6000, &other), 1);
    assert_int_equal(token_bucket_take(&bucket, 6001, &other), 0);
    token_bucket_clear(&bucket);
}

static void a_cancelled_ticket_is_free_at_once(void **state)
{
    struct token_bucket bucket;
    size_t ticket = 0;

    (void)state;
    token_bucket_init(&bucket, 1, 1000);
    assert_int_equal(token_bucket_take(&bucket, 0, &ticket), 0);
    token_bucket_cancel(&bucket, ticket);
    assert_int_equal(token_bucket_take(&bucket, 0, &ticket), 0);
    token_bucket_clear(&bucket);
}

static void a_hold_stops_everything_until_it_ends_and_never_shrinks(void **state)
{
    struct token_bucket bucket;
    size_t ticket = 0;

    (void)state;
    token_bucket_init(&bucket, 5, 1000);
    token_bucket_hold(&bucket, 3000);
    token_bucket_hold(&bucket, 2000);
    assert_int_equal(token_bucket_take(&bucket, 1000, &ticket), 2000);
    assert_int_equal(token_bucket_take(&bucket, 3000, &ticket), 0);
    token_bucket_clear(&bucket);
}

static void steady_demand_reaches_95_percent_of_the_rate(void **state)
{
    struct token_bucket bucket;
    int granted = 0;

    (void)state;
    token_bucket_init(&bucket, LIMIT, WINDOW_MS);
    for (int64_t now_ms = 0; now_ms < 100 * WINDOW_MS; now_ms++) {
        size_t ticket = 0;

        if (token_bucket_take(&bucket, now_ms, &ticket) == 0) {
            token_bucket_release(&bucket, ticket, now_ms + 5);
            granted++;
        }
    }
    assert_true(granted >= 95 * LIMIT);
    assert_true(granted <= 101 * LIMIT);
    token_bucket_clear(&bucket);
}

/* Each request reaches the server some time between its sending and its answer; whenever that is,
 * no window of the server's may hold more than the limit. */
static void no_window_on_the_servers_side_exceeds_the_limit(void **state)
{
    enum { REQUESTS = 4000 };
    int64_t *arrivals = mem_calloc(REQUESTS, sizeof *arrivals);
    struct {
        bool is_used;
        size_t ticket;
        int64_t answer_ms;
    } under_way[8] = {0};
    struct token_bucket bucket;
    uint64_t random = 7;
    size_t count = 0;

    (void)state;
    token_bucket_init(&bucket, LIMIT, WINDOW_MS);
    for (int64_t now_ms = 0; count < REQUESTS; now_ms++) {
        for (size_t i = 0; i < 8; i++) {
            if (under_way[i].is_used && now_ms >= under_way[i].answer_ms) {
                token_bucket_release(&bucket, under_way[i].ticket, now_ms);
                under_way[i].is_used = false;
            }
            if (!under_way[i].is_used && count < REQUESTS && next_random(&random) % 3 == 0 &&
                token_bucket_take(&bucket, now_ms, &under_way[i].ticket) == 0) {
                int64_t latency_ms = (int64_t)(next_random(&random) % 300);

                under_way[i].is_used = true;
                under_way[i].answer_ms = now_ms + latency_ms;
                arrivals[count++] =
                    now_ms +
                    (latency_ms > 0 ? (int64_t)(next_random(&random) % (uint64_t)latency_ms) : 0);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        size_t within = 0;

        for (size_t other = 0; other < count; other++)
            within += arrivals[other] >= arrivals[i] && arrivals[other] <= arrivals[i] + WINDOW_MS;
        assert_true(within <= LIMIT);
    }
    token_bucket_clear(&bucket);
    free(arrivals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_the_limit_at_once_and_then_waits_for_the_window),
        cmocka_unit_test(a_request_under_way_counts_until_a_window_after_its_answer),
        cmocka_unit_test(a_cancelled_ticket_is_free_at_once),
        cmocka_unit_test(a_hold_stops_everything_until_it_ends_and_never_shrinks),
        cmocka_unit_test(steady_demand_reaches_95_percent_of_the_rate),
        cmocka_unit_test(no_window_on_the_servers_side_exceeds_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
