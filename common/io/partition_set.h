/*
 * The partitions that a consumer was assigned last, with what it remembers of each, and how one
 * assignment differs from the next. Pure. Not thread-safe.
 */
#ifndef IO_PARTITION_SET_H
#define IO_PARTITION_SET_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct partition_state {
    char *topic;
    int32_t partition;
    bool is_paused;
    bool is_denied;      /* the broker said that we may not read it */
    int64_t next_offset; /* records before it are done with; -1: unknown yet */
};

/* Zeroed: empty. */
struct partition_set {
    struct partition_state *states;
    size_t count;
};

void partition_set_clear(struct partition_set *set);
/* NULL when it is not in the set; valid until the set changes. */
struct partition_state *partition_set_find(const struct partition_set *set, const char *topic,
                                           int32_t partition);

/*
 * Makes the set the assigned partitions; those that were in it before keep their state. gained and
 * dropped receive lists that the caller owns.
 */
void partition_set_replace(struct partition_set *set,
                           const rd_kafka_topic_partition_list_t *assigned,
                           rd_kafka_topic_partition_list_t **gained,
                           rd_kafka_topic_partition_list_t **dropped);

/* Returns owned the partitions whose is_paused is as given. */
rd_kafka_topic_partition_list_t *partition_set_list(const struct partition_set *set,
                                                    bool is_paused) MUST_CHECK;

#endif
