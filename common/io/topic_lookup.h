/* Asks Kafka about a topic before it is read. One thread. */
#ifndef IO_TOPIC_LOOKUP_H
#define IO_TOPIC_LOOKUP_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"

struct topic_lookup;

/* Borrows settings for its lifetime. Errors: ERR_CONFIG. */
struct topic_lookup *topic_lookup_create(const struct kafka_settings *settings,
                                         const char *client_id, struct err *err) MUST_CHECK;
/* Accepts NULL. */
void topic_lookup_destroy(struct topic_lookup *lookup);

/*
 * The number of partitions of a topic. Errors: ERR_NOT_FOUND, with the names of the topics that
 * exist; ERR_NETWORK when no broker answered within timeout_ms; ERR_UNAUTHORIZED; ERR_REMOTE;
 * ERR_STOPPED.
 */
int topic_lookup_partitions(struct topic_lookup *lookup, const char *topic, int64_t timeout_ms,
                            int32_t *count, struct err *err) MUST_CHECK;

/* The offset that the partition's next record will have. Errors: ERR_NETWORK. */
int topic_lookup_end(struct topic_lookup *lookup, const char *topic, int32_t partition,
                     int64_t timeout_ms, int64_t *end, struct err *err) MUST_CHECK;

#endif
