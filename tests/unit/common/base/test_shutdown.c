/* Signals end processes, so each case runs in a child that reports by its exit status. */
#include "tests/support/unit_test.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shutdown.h"

enum { CHILD_OK = 0, CHILD_WRONG = 99, DEADLINE_MS = 20000 };

static int run_in_child(void (*body)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(DEADLINE_MS / 1000);
        shutdown_install();
        body();
        _exit(CHILD_WRONG);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check(bool condition)
{
    if (!condition)
        _exit(CHILD_WRONG);
}

static bool is_readable(int fd)
{
    struct pollfd event = {.fd = fd, .events = POLLIN};
    return poll(&event, 1, 0) == 1 && event.revents == POLLIN;
}

static void stop_by_signal(int signal_number)
{
    check(!shutdown_requested());
    check(!is_readable(shutdown_fd()));
    check(!shutdown_wait_ms(0));
    raise(signal_number);
    check(shutdown_requested());
    check(is_readable(shutdown_fd()));
    int64_t before_ms = clock_monotonic_ms();
    check(shutdown_wait_ms(DEADLINE_MS));
    check(clock_monotonic_ms() - before_ms < DEADLINE_MS / 2);
    check(is_readable(shutdown_fd()));
    _exit(CHILD_OK);
}

static void stop_by_sigterm(void)
{
    stop_by_signal(SIGTERM);
}

static void stop_by_sigint(void)
{
    stop_by_signal(SIGINT);
}

static void request_and_withdraw(void)
{
    shutdown_request();
    shutdown_request();
    check(shutdown_withdraw());
    check(!shutdown_requested());
    check(!is_readable(shutdown_fd()));
    check(!shutdown_wait_ms(0));
    shutdown_request();
    check(shutdown_requested());
    check(is_readable(shutdown_fd()));
    _exit(CHILD_OK);
}

static void request_and_signal_and_withdraw(void)
{
    shutdown_request();
    raise(SIGTERM);
    check(!shutdown_withdraw());
    check(shutdown_requested());
    check(is_readable(shutdown_fd()));
    _exit(CHILD_OK);
}

static void two_signals(void)
{
    raise(SIGTERM);
    raise(SIGINT);
}

static void request_then_one_signal(void)
{
    shutdown_request();
    check(is_readable(shutdown_fd()));
    raise(SIGTERM);
    check(shutdown_wait_ms(0));
    _exit(CHILD_OK);
}

static void request_then_two_signals(void)
{
    shutdown_request();
    raise(SIGTERM);
    raise(SIGTERM);
}

static void write_to_closed_pipe(void)
{
    int ends[2];
    check(pipe(ends) == 0);
    close(ends[0]);
    check(write(ends[1], "x", 1) == -1);
    _exit(CHILD_OK);
}

static void *request_soon(void *unused)
{
    (void)shutdown_wait_ms(50);
    shutdown_request();
    return unused;
}

static void wait_until_another_thread_asks(void)
{
    pthread_t thread;
    int64_t before_ms = clock_monotonic_ms();
    check(pthread_create(&thread, NULL, request_soon, NULL) == 0);
    check(shutdown_wait_ms(DEADLINE_MS));
    check(clock_monotonic_ms() - before_ms < DEADLINE_MS / 2);
    pthread_join(thread, NULL);
    _exit(CHILD_OK);
}

static void wait_for_the_time(void)
{
    int64_t before_ms = clock_monotonic_ms();
    check(!shutdown_wait_ms(30));
    check(clock_monotonic_ms() - before_ms >= 30);
    check(!shutdown_wait_ms(-1));
    _exit(CHILD_OK);
}

static void the_first_signal_asks_to_stop_and_wakes_sleepers(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(stop_by_sigterm), CHILD_OK);
    assert_int_equal(run_in_child(stop_by_sigint), CHILD_OK);
}

static void the_second_signal_ends_the_process_at_once(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(two_signals), 128 + SIGINT);
}

static void a_request_from_within_does_not_count_as_a_signal(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(request_then_one_signal), CHILD_OK);
    assert_int_equal(run_in_child(request_then_two_signals), 128 + SIGTERM);
}

static void a_request_from_within_can_be_taken_back_but_no_signal(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(request_and_withdraw), CHILD_OK);
    assert_int_equal(run_in_child(request_and_signal_and_withdraw), CHILD_OK);
}

static void a_broken_pipe_is_an_error_not_the_end(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(write_to_closed_pipe), CHILD_OK);
}

static void waiting_ends_by_request_or_by_time(void **state)
{
    (void)state;
    assert_int_equal(run_in_child(wait_until_another_thread_asks), CHILD_OK);
    assert_int_equal(run_in_child(wait_for_the_time), CHILD_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_asks_to_stop_and_wakes_sleepers),
        cmocka_unit_test(the_second_signal_ends_the_process_at_once),
        cmocka_unit_test(a_request_from_within_does_not_count_as_a_signal),
        cmocka_unit_test(a_request_from_within_can_be_taken_back_but_no_signal),
        cmocka_unit_test(a_broken_pipe_is_an_error_not_the_end),
        cmocka_unit_test(waiting_ends_by_request_or_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
