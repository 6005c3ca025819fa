/* A trades-all frame by hand, with nothing checked: the least that a pipeline can do. Pure. */
#ifndef BENCH_HAND_TRADE_H
#define BENCH_HAND_TRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HAND_TRADE_BYTES_MAX = 256 };

struct hand_trade {
    const char *inst_id; /* within the frame */
    size_t inst_id_length;
    int64_t trade_id;
    const char *price, *size; /* behind the opening quote */
    bool is_sell;
    const char *source;
    int64_t time_ms;
    int64_t sequence_id; /* 0: none */
};

/* False when it is no data frame. */
bool hand_trade_read(const char *text, size_t length, struct hand_trade *trade);
/* The record in the wire format; returns its length. */
size_t hand_trade_write(const struct hand_trade *trade, int64_t received_us,
                        uint8_t bytes[HAND_TRADE_BYTES_MAX]);

#endif
