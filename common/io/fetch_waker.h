/*
 * Keeps librdkafka fetching while its records are taken quickly. Once queued.min.messages are
 * waiting it stops, and its threads look again only after up to a second, however soon the queue is
 * empty. From 2.2 on a setting makes that shorter (fetch.queue.backoff.ms); before, a question to
 * the brokers wakes the threads. One thread.
 */
#ifndef IO_FETCH_WAKER_H
#define IO_FETCH_WAKER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "io/partition_set.h"

struct fetch_waker {
    rd_kafka_t *client;      /* borrowed */
    rd_kafka_queue_t *queue; /* the consumer's */
    size_t full_records;     /* librdkafka stops fetching at about as many */
    size_t look_records;     /* asking for the queue's length takes its lock: not each time */
    size_t records;          /* since it was looked at */
    bool was_full;           /* so fetching may have stopped */
};

/* False where librdkafka has the setting. */
bool fetch_waker_is_needed(void);

void fetch_waker_init(struct fetch_waker *waker, rd_kafka_t *client);
/* Before the client is destroyed. Harmless when it was not initialised. */
void fetch_waker_clear(struct fetch_waker *waker);

/* After each poll that gave a record. Now and then asks the brokers of the partitions, and waits
 * for their answers for some milliseconds. */
void fetch_waker_note_record(struct fetch_waker *waker, const struct partition_set *partitions);

#endif
