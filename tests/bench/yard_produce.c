/*
 * The limit of producing: librdkafka sends ready-made records of the same bytes.
 *   yard_produce BROKERS TOPIC INSTRUMENTS TRADES [NAME=VALUE]...
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hand_trade.h"
#include "plain_producer.h"
#include "plain_receiver.h"

enum { DISTINCT = 1000 }; /* records that differ, so that compression finds what it would find */

struct record {
    char key[16];
    int key_length;
    size_t length;
    uint8_t bytes[HAND_TRADE_BYTES_MAX];
};

static void make_records(struct record *records, size_t instruments)
{
    char frame[512];
    struct hand_trade trade;

    for (size_t i = 0; i < DISTINCT; i++) {
        struct record *record = &records[i];
        int length;

        record->key_length =
            snprintf(record->key, sizeof record->key, INST_ID_FORMAT, i % instruments);
        length =
            snprintf(frame, sizeof frame,
                     "{\"data\":[{\"instId\":\"%s\",\"tradeId\":\"%zu\",\"px\":\"68208.%04zu\","
                     "\"sz\":\"0.0001%04zu\",\"side\":\"buy\",\"source\":\"0\",\"ts\":\"%lld\"}]}",
                     record->key, 100000000 + i / instruments, i, i, (long long)clock_wall_ms());
        if (!hand_trade_read(frame, (size_t)length, &trade))
            exit(1);
        record->length = hand_trade_write(&trade, clock_wall_us(), record->bytes);
    }
}

int main(int argc, char **argv)
{
    static struct record records[DISTINCT];
    struct plain_producer *producer;

    if (argc < 5)
        return 2;
    const int64_t trades = strtoll(argv[4], NULL, 10);
    make_records(records, strtoull(argv[3], NULL, 10));
    producer = plain_producer_create(argv[1], argv[2], argv + 5, (size_t)(argc - 5));
    const int64_t began_us = clock_monotonic_us();
    const double cpu_before = cpu_seconds();
    for (int64_t i = 0; i < trades; i++) {
        const struct record *record = &records[i % DISTINCT];

        plain_producer_send(producer, record->key, (size_t)record->key_length, record->bytes,
                            record->length, 0);
    }
    if (plain_producer_finish(producer) != 0)
        return 1;
    printf("{\"records\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", (long long)trades,
           (double)(clock_monotonic_us() - began_us) / 1e6, cpu_seconds() - cpu_before);
    plain_producer_destroy(producer);
    return 0;
}
