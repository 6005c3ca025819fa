/*
 * Reads what we need from librdkafka's statistics (STATISTICS.md of librdkafka). Pure. Missing or
 * unexpected members read as "unknown", since they are for watching, not for deciding.
 */
#ifndef IO_KAFKA_STATISTICS_H
#define IO_KAFKA_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct kafka_statistics;

/* NULL when text is not such an object. */
struct kafka_statistics *kafka_statistics_parse(const char *text, size_t length) MUST_CHECK;
void kafka_statistics_destroy(struct kafka_statistics *statistics);

/* True while the connection to at least one broker is up. */
bool kafka_statistics_is_connected(const struct kafka_statistics *statistics);
/* The slowest broker's 99th percentile of round trips, microseconds; -1 when there was none. */
int64_t kafka_statistics_round_trip_us(const struct kafka_statistics *statistics);
/*
 * Where the consumer of a partition stands that has handed out nothing yet: the next offset to
 * fetch less what is queued. -1 when nothing was fetched.
 */
int64_t kafka_statistics_start_offset(const struct kafka_statistics *statistics, const char *topic,
                                      int32_t partition);

#endif
