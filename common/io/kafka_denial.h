/*
 * What Kafka's ACLs keep from a consumer: its group, or partitions of its assignment. librdkafka
 * tells of a denial once and goes on asking; so the consumer's errors are noted here, and a denial
 * goes by itself once it is granted. Asks no broker. Not thread-safe: the consumer's thread only.
 */
#ifndef IO_KAFKA_DENIAL_H
#define IO_KAFKA_DENIAL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "io/partition_set.h"

enum { KAFKA_DENIAL_BYTES = 300 };

/* Fields belong to this pair. */
struct kafka_denial {
    char *group_id; /* owned */
    bool is_group_denied;
    char text[KAFKA_DENIAL_BYTES]; /* "" while nothing is denied */
};

/* Copies the group's id; kafka_denial_clear frees it. */
void kafka_denial_init(struct kafka_denial *denial, const char *group_id);
void kafka_denial_clear(struct kafka_denial *denial);

/*
 * Takes note of an error that the consumer got, in is_denied of the partition that it is about;
 * false when it is no denial, or one of a partition that is not in the set. The text follows with
 * kafka_denial_refresh. Borrows all three for the call.
 */
bool kafka_denial_note(struct kafka_denial *denial, struct partition_set *partitions,
                       const rd_kafka_message_t *error);
/* There is an assignment, so the group is ours. */
void kafka_denial_joined(struct kafka_denial *denial);
/* Brings is_denied of the partitions and the text up to date. */
void kafka_denial_refresh(struct kafka_denial *denial, rd_kafka_t *client,
                          struct partition_set *partitions);
/* A sentence, valid until the next refresh; NULL while nothing is denied. The group comes first. */
const char *kafka_denial_text(const struct kafka_denial *denial);

#endif
