/* libwebsockets alone: connects to the cannon, subscribes to its instruments, hands over each text
 * message. One thread. */
#ifndef BENCH_PLAIN_RECEIVER_H
#define BENCH_PLAIN_RECEIVER_H

#include <stddef.h>

/* text is borrowed, not NUL-terminated. False ends plain_receiver_run. */
typedef int plain_receiver_fn(const char *text, size_t length, void *context);

/* INST_ID_FORMAT with 0 to instruments - 1. Returns 0, or -1 when there is no connection. */
#define INST_ID_FORMAT "T%04zu-USDT"
int plain_receiver_run(int port, size_t instruments, plain_receiver_fn *on_text, void *context);

#endif
