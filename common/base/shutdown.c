#include "base/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

/* Lock-free on every machine with POSIX signals, hence allowed in a handler. */
static atomic_bool is_requested;
static atomic_int signals_seen;
static atomic_int event_fd = -1; /* readable while requested */

void shutdown_request(void)
{
    const uint64_t one = 1;
    atomic_store(&is_requested, true);
    /* Fails only when the counter is full: readable already. */
    if (write(atomic_load(&event_fd), &one, sizeof one) < 0)
        return;
}

static void on_signal(int signal_number)
{
    int saved_errno = errno;
    if (atomic_fetch_add(&signals_seen, 1) > 0)
        _exit(128 + signal_number);
    shutdown_request();
    errno = saved_errno;
}

void shutdown_install(void)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    atomic_store(&event_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    sigemptyset(&stop.sa_mask);
    sigemptyset(&ignore.sa_mask);
    if (atomic_load(&event_fd) < 0 || sigaction(SIGTERM, &stop, NULL) != 0 ||
        sigaction(SIGINT, &stop, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0) {
        perror("cannot handle signals"); /* a process that cannot be stopped must not start */
        abort();
    }
}

bool shutdown_withdraw(void)
{
    uint64_t count;

    if (atomic_load(&signals_seen) > 0)
        return false;
    atomic_store(&is_requested, false);
    /* Fails only when there is nothing to read. */
    if (read(atomic_load(&event_fd), &count, sizeof count) < 0)
        count = 0;
    /* A signal that came meanwhile. */
    if (atomic_load(&signals_seen) > 0)
        shutdown_request();
    return atomic_load(&signals_seen) == 0;
}

bool shutdown_requested(void)
{
    return atomic_load(&is_requested);
}

int shutdown_fd(void)
{
    return atomic_load(&event_fd);
}

bool shutdown_wait_ms(int64_t delay_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + delay_ms;
    int64_t left_ms = delay_ms;

    while (!shutdown_requested() && left_ms > 0) {
        struct pollfd event = {.fd = atomic_load(&event_fd), .events = POLLIN};
        poll(&event, 1, left_ms > 3600000 ? 3600000 : (int)left_ms);
        left_ms = deadline_ms - clock_monotonic_ms();
    }
    return shutdown_requested();
}
