/*
 * A member of a consumer group with manual offsets. Eager assignment (range): cooperative-sticky
 * has bugs in librdkafka 2.0 to 2.8. Records come one by one; the batch API is not used, since it
 * loses offsets together with pause (fixed in 2.1). One thread, except where stated.
 */
#ifndef IO_KAFKA_CONSUMER_H
#define IO_KAFKA_CONSUMER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "io/kafka_settings.h"

struct kafka_consumer;

/*
 * All run inside kafka_consumer_poll, on_revoke also inside kafka_consumer_destroy.
 * on_revoke    before the old partitions are given up: drain and store what is finished; the
 *              consumer commits stored offsets right after, unless lost: then someone else may own
 *              them already.
 * on_assigned  once the new assignment stands: gained and dropped are the differences to the one
 *              before, so that a partition that came back appears in neither. Not called at the
 * end. A partition that came back is still paused if it was. Its records come again from the stored
 * offset on; with starts_at_beginning they go on where they were. Lists are borrowed; members may
 * be NULL.
 */
struct kafka_consumer_handler {
    void (*on_revoke)(const rd_kafka_topic_partition_list_t *revoked, bool lost, void *context);
    void (*on_assigned)(const rd_kafka_topic_partition_list_t *gained,
                        const rd_kafka_topic_partition_list_t *dropped, void *context);
    void *context;
};

struct kafka_consumer_options {
    const char *client_id;
    const char *group_id;
    const char *const *topics;
    size_t topic_count;
    const char *offset_reset; /* where a group without an offset begins: "earliest", "latest" */
    bool starts_at_beginning; /* ignore committed offsets: read every assigned partition from its
                                 start */
    struct kafka_consumer_handler handler;
};

/* metrics: lag per topic, assigned partitions. Borrowed. */
struct kafka_consumer *kafka_consumer_create(const struct kafka_settings *settings,
                                             const struct kafka_consumer_options *options,
                                             struct metrics *metrics, struct err *err) MUST_CHECK;
/* Calls on_revoke, commits stored offsets, leaves the group; gives up on unreachable brokers after
 * the session timeout (6 s). Accepts NULL. */
void kafka_consumer_destroy(struct kafka_consumer *consumer);

/*
 * Returns owned the next record (rd_kafka_message_destroy), or NULL when none came in time or the
 * event was another one; errors of the connection are logged (rate-limited) and retried by the
 * library. err->code is ERR_NONE, or ERR_REMOTE for what only a new process heals.
 */
rd_kafka_message_t *kafka_consumer_poll(struct kafka_consumer *consumer, int64_t timeout_ms,
                                        struct err *err) MUST_CHECK;

/* Marks the records of a partition before next_offset as finished; committed in the background. A
 * partition that is no longer ours is ignored. */
void kafka_consumer_store_offset(struct kafka_consumer *consumer, const char *topic,
                                 int32_t partition, int64_t next_offset);
/* Commits now what was stored, and waits. */
int kafka_consumer_commit(struct kafka_consumer *consumer, struct err *err) MUST_CHECK;

/* Idempotent; a partition that is not assigned is ignored. Resuming one that is not paused does
 * nothing. */
void kafka_consumer_pause(struct kafka_consumer *consumer, const char *topic, int32_t partition);
void kafka_consumer_resume(struct kafka_consumer *consumer, const char *topic, int32_t partition);
void kafka_consumer_pause_all(struct kafka_consumer *consumer);
void kafka_consumer_resume_all(struct kafka_consumer *consumer);
/* True once the group gave us an assignment, an empty one included. Thread-safe. */
bool kafka_consumer_has_assignment(struct kafka_consumer *consumer);
bool kafka_consumer_is_connected(struct kafka_consumer *consumer); /* thread-safe */
/* What Kafka's ACLs keep from us, a sentence until the next poll, or NULL. It goes by itself once
 * it is granted: the library goes on asking. The polling thread only. */
const char *kafka_consumer_denial(const struct kafka_consumer *consumer);
/* Records between the stored offsets (with starts_at_beginning: those returned by poll) and the
 * ends of the assigned partitions, brought up to date by poll each second; what is paused or silent
 * is asked for every five seconds. -1 while unknown. Thread-safe. */
int64_t kafka_consumer_lag(struct kafka_consumer *consumer);

#endif
