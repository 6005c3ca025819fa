/* librdkafka alone, with the promises and the settings of the product's producer. Deliveries are
 * counted on a thread of its own. */
#ifndef BENCH_PLAIN_PRODUCER_H
#define BENCH_PLAIN_PRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include "samples.h"

struct plain_producer;

/* settings: NAME=VALUE texts for librdkafka. Ends the program when they are wrong: a yardstick. */
struct plain_producer *plain_producer_create(const char *brokers, const char *topic,
                                             char *const *settings, size_t setting_count);
/* Copies; waits while the queue is full. received_us: when the record's frame came, by the wall
 * clock, for the latency of its acknowledgement; 0: not wanted. */
void plain_producer_send(struct plain_producer *producer, const char *key, size_t key_length,
                         const void *value, size_t value_length, int64_t received_us);
/* Waits for every acknowledgement. Returns how many records Kafka refused. */
int64_t plain_producer_finish(struct plain_producer *producer);
/* After the end; owned by the producer. */
struct samples *plain_producer_latencies(struct plain_producer *producer);
void plain_producer_destroy(struct plain_producer *producer);

#endif
