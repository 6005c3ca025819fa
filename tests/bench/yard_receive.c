/*
 * The limit of receiving: libwebsockets takes the cannon's frames and throws them away.
 *   yard_receive PORT INSTRUMENTS TRADES
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "plain_receiver.h"
#include "samples.h"

struct run {
    int64_t trades_left;
    size_t answers_left; /* to the subscriptions, which come first */
    int64_t began_us;
    double cpu_before;
};

static int on_text(const char *text, size_t length, void *context)
{
    struct run *run = context;

    (void)text;
    (void)length;
    if (run->answers_left > 0) {
        run->answers_left--;
        return 1;
    }
    if (run->began_us == 0) {
        run->began_us = clock_monotonic_us();
        run->cpu_before = cpu_seconds();
    }
    return --run->trades_left > 0;
}

int main(int argc, char **argv)
{
    struct run run;

    if (argc != 4)
        return 2;
    const int64_t trades = strtoll(argv[3], NULL, 10);
    const size_t instruments = strtoull(argv[2], NULL, 10);
    run = (struct run){.trades_left = trades, .answers_left = instruments};
    if (plain_receiver_run((int)strtol(argv[1], NULL, 10), instruments, on_text, &run) != 0)
        return 1;
    printf("{\"records\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", (long long)trades,
           (double)(clock_monotonic_us() - run.began_us) / 1e6, cpu_seconds() - run.cpu_before);
    return 0;
}
