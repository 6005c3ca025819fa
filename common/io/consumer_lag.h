/*
 * How many records of a consumer's partitions are still to be done. Where a partition ends is told
 * by each fetch; but what is paused is not fetched, so a thread asks the brokers as well. One
 * thread, except where stated.
 */
#ifndef IO_CONSUMER_LAG_H
#define IO_CONSUMER_LAG_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "io/kafka_settings.h"
#include "io/partition_set.h"

struct consumer_lag;

/*
 * Everything is borrowed; client and metrics must outlive the lag. metrics: a gauge for each of
 * topics. Returns owned, or NULL: ERR_SYSTEM, no thread could be started.
 */
struct consumer_lag *consumer_lag_create(rd_kafka_t *client, const struct kafka_settings *settings,
                                         const char *const *topics, size_t topic_count,
                                         struct metrics *metrics, struct err *err) MUST_CHECK;
/* Waits for an answer that is under way, a second at most. Accepts NULL. */
void consumer_lag_destroy(struct consumer_lag *lag);

/* The partitions that are held from now on, borrowed until the next call; NULL: none. */
void consumer_lag_set_partitions(struct consumer_lag *lag, const struct partition_set *held);

/* Brings the total up to date, and the gauges of the topics whose every partition is known. Asks no
 * broker, and does not wait. */
void consumer_lag_refresh(struct consumer_lag *lag);

/* Of all partitions held; -1 while one of them is unknown, or none is held. Thread-safe. */
int64_t consumer_lag_total(struct consumer_lag *lag);

#endif
