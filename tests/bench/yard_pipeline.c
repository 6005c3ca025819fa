/*
 * The shortest pipeline: receive, read by hand, encode by hand, produce.
 *   yard_pipeline PORT INSTRUMENTS TRADES BROKERS TOPIC [NAME=VALUE]...
 * Frames with send times (yard_cannon --send-times) give latencies to the acknowledgement.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hand_trade.h"
#include "plain_producer.h"
#include "plain_receiver.h"

struct run {
    struct plain_producer *producer;
    int64_t trades_left;
    int64_t began_us;
    double cpu_before;
};

static int on_text(const char *text, size_t length, void *context)
{
    struct run *run = context;
    uint8_t bytes[HAND_TRADE_BYTES_MAX];
    struct hand_trade trade;

    if (!hand_trade_read(text, length, &trade)) /* an answer to a subscription */
        return 1;
    if (run->began_us == 0) {
        run->began_us = clock_monotonic_us();
        run->cpu_before = cpu_seconds();
    }
    plain_producer_send(run->producer, trade.inst_id, trade.inst_id_length, bytes,
                        hand_trade_write(&trade, clock_wall_us(), bytes), trade.sequence_id);
    return --run->trades_left > 0;
}

int main(int argc, char **argv)
{
    struct run run;

    if (argc < 6)
        return 2;
    const int64_t trades = strtoll(argv[3], NULL, 10);
    run = (struct run){
        .producer = plain_producer_create(argv[4], argv[5], argv + 6, (size_t)(argc - 6)),
        .trades_left = trades,
    };
    if (plain_receiver_run((int)strtol(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), on_text,
                           &run) != 0 ||
        plain_producer_finish(run.producer) != 0)
        return 1;
    printf("{\"records\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f", (long long)trades,
           (double)(clock_monotonic_us() - run.began_us) / 1e6, cpu_seconds() - run.cpu_before);
    samples_print_ms(plain_producer_latencies(run.producer), "acknowledged_ms");
    printf("}\n");
    plain_producer_destroy(run.producer);
    return 0;
}
