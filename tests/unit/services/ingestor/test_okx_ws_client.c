#include "ingestor/okx_ws_client.h"

#include <malloc.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "tests/support/unit_test.h"

enum { CHAIN_TURNS = 20, DEADLINE_MS = 20000 };

struct fixture {
    struct okx_ws_client *client;
    int turns;
};

static void wake_again(void *context)
{
    struct fixture *fixture = context;

    if (++fixture->turns == CHAIN_TURNS)
        okx_ws_client_stop(fixture->client);
    else
        okx_ws_client_wake(fixture->client);
}

static void wake_twice(void *context)
{
    struct fixture *fixture = context;

    wake_again(context);
    okx_ws_client_wake(fixture->client);
}

/* How long it takes until a client has had its turns, each of which asks for the next. */
static int64_t run_chain_ms(void (*on_turn)(void *context))
{
    struct fixture fixture = {0};
    const struct okx_ws_options options = {.url = "ws://127.0.0.1:1", .user_agent = "test"};
    const struct okx_ws_handler handler = {.on_turn = on_turn, .context = &fixture};
    struct err err = {0};
    int64_t began_ms = clock_monotonic_ms();

    fixture.client = okx_ws_client_create(&options, &handler, &err);
    assert_non_null(fixture.client);
    okx_ws_client_run(fixture.client);
    okx_ws_client_destroy(fixture.client);
    assert_int_equal(fixture.turns, CHAIN_TURNS);
    return clock_monotonic_ms() - began_ms;
}

/* On a busy machine the first chain may be late, but not every one. */
static void assert_chain_is_quick(void (*on_turn)(void *context))
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (run_chain_ms(on_turn) >= CHAIN_TURNS * OKX_WS_TURN_MS / 2)
        assert_true(clock_monotonic_ms() < deadline_ms);
}

static void a_turn_follows_soon_after_a_wake(void **state)
{
    (void)state;
    assert_chain_is_quick(wake_again);
}

static void many_wakes_do_not_put_a_turn_off(void **state)
{
    (void)state;
    assert_chain_is_quick(wake_twice);
}

static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Containers often allow a million open files, for each of which libwebsockets would have room. */
static void memory_does_not_grow_with_the_limit_of_open_files(void **state)
{
    enum { BYTES_MAX = 256 * 1024 };
    const struct okx_ws_options options = {.url = "ws://127.0.0.1:1", .user_agent = "test"};
    const struct okx_ws_handler handler = {0};
    struct rlimit limit = {0};
    struct okx_ws_client *client;
    struct err err = {0};
    size_t before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    before = allocated_bytes();
    client = okx_ws_client_create(&options, &handler, &err);
    assert_non_null(client);
    assert_in_range(allocated_bytes() - before, 0, BYTES_MAX);
    okx_ws_client_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_follows_soon_after_a_wake),
        cmocka_unit_test(many_wakes_do_not_put_a_turn_off),
        cmocka_unit_test(memory_does_not_grow_with_the_limit_of_open_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
