/*
 * Pipeline 1: OKX WebSocket → okx_message → trade_series → Kafka (trades, control, positions), on a
 * thread of its own.
 *
 * Promise: every trade of a followed instrument since its position, or else since its subscription
 * was asked for, is published, or asked for by a repair command that is published, or named as a
 * hole that stays (fetch-results). Duplicates are possible after failures, under the same key. When
 * Kafka has no room, sockets are not read; what OKX drops meanwhile is repaired like any other
 * hole.
 */
#ifndef INGESTOR_TRADE_STREAM_H
#define INGESTOR_TRADE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "connection_pool.h"
#include "domain/trade_position.h"
#include "fetch_job.h"
#include "fetch_queue.h"
#include "ingestor_metrics.h"
#include "io/record_writer.h"
#include "io/status_server.h"
#include "published_tail.h"
#include "service_failure.h"

struct trade_stream;

struct trade_stream_options {
    const char *url;
    const char *ca_file;
    const char *user_agent;
    const char *channel; /* "trades-all" or "trades" */
    struct connection_pool_limits limits;
    int64_t repair_trades_max;
    struct record_writer *writer;
    struct kafka_producer *producer; /* for dead letters */
    const struct topic_names *topics;
    struct fetch_queue *queue; /* where last trades are asked for */
    struct ingestor_metrics *metrics;
    struct service_failure *failure;
    struct status_server *status; /* condition okx-websocket */
};

/* Starts the thread. Copies the options, borrows what they point to. */
struct trade_stream *trade_stream_start(const struct trade_stream_options *options,
                                        struct err *err) MUST_CHECK;
/* Stops reading, hands what was read to Kafka as far as it has room, ends the thread. */
void trade_stream_stop(struct trade_stream *stream);
/* The last positions: after trade_stream_stop and a flush of the producer. */
void trade_stream_publish_positions(struct trade_stream *stream);
/* After the producer is gone: no delivery report may come any more. Accepts NULL. */
void trade_stream_destroy(struct trade_stream *stream);

/* The three below are thread-safe. position: NULL when the instrument never had one. published:
 * the live trades behind the position that Kafka has already, in order; taken. */
void trade_stream_follow(struct trade_stream *stream, const char *inst_id,
                         const struct trade_position *position, struct published_trade *published,
                         size_t published_count);
void trade_stream_leave(struct trade_stream *stream, const char *inst_id);
/* The answer to a question of the stream's in the queue. */
void trade_stream_note_last_trade(struct trade_stream *stream, const struct last_trade *last);

#endif
