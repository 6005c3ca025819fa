/*
 * This ingestor's share of the work, as the consumer group on the control topic deals it out:
 * whoever owns a partition of control follows the instruments whose keys hash to it and runs its
 * commands. Sharding, failover and rebalancing are Kafka's; only the difference between two
 * assignments is acted on, so that what stays is not interrupted.
 *
 * Promise: the offset of a command is committed only after its result is acknowledged, and with it
 * all commands before it. An instrument is followed only after its position was read.
 */
#ifndef INGESTOR_SHARD_H
#define INGESTOR_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "domain/instrument_selection.h"
#include "fetch_worker.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "io/status_server.h"
#include "trade_stream.h"

struct shard;

struct shard_options {
    const struct kafka_settings *kafka;
    struct schema_registry *registry;
    const struct instrument_selection *selection;
    struct trade_stream *stream;
    struct fetch_queue *queue;
    struct kafka_producer *producer; /* for dead letters */
    struct ingestor_metrics *metrics;
    struct service_failure *failure;
    struct status_server *status; /* condition kafka */
    size_t commands_max;          /* unfinished at once */
    bool is_aggregated;           /* the channel is "trades": see published_tail */
};

/* Copies the options, borrows what they point to. Joins nothing yet. */
struct shard *shard_create(const struct shard_options *options, struct err *err) MUST_CHECK;
/* Commits what is finished and leaves the group. Accepts NULL. */
void shard_leave(struct shard *shard);
/* After the producer is gone. Accepts NULL. */
void shard_destroy(struct shard *shard);

/* Runs until shutdown is requested. */
int shard_run(struct shard *shard, struct fetch_workers *workers, struct err *err) MUST_CHECK;

/* The result of a command is acknowledged. Thread-safe. */
void shard_finish_command(struct shard *shard, int32_t partition, int64_t offset);
/* The list of instruments for CURRENCIES=*. Takes the list. Thread-safe. */
void shard_select_instruments(struct shard *shard, struct instrument_list *list);

#endif
