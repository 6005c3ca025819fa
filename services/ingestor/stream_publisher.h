/*
 * The way of live trades into Kafka, in order and without loss: trades, the repair commands for the
 * holes between them, and the positions up to which both are acknowledged.
 *
 * Promise: a position is published only when every trade up to it was acknowledged by Kafka, or
 * asked for by a command that was acknowledged. What Kafka has no room for is kept, and the owner
 * stops reading OKX until it is gone.
 *
 * One thread owns the publisher; delivery reports come on the producer's thread, and the progress
 * that both touch is guarded inside.
 */
#ifndef INGESTOR_STREAM_PUBLISHER_H
#define INGESTOR_STREAM_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/trade_position.h"
#include "ingestor_metrics.h"
#include "io/record_writer.h"
#include "publish_progress.h"
#include "service_failure.h"

struct stream_publisher;
struct publish_target; /* an instrument; lives as long as the publisher */

/* Borrows all. repair_trades_max: what of one hole is asked for at most. */
struct stream_publisher *stream_publisher_create(struct record_writer *writer,
                                                 struct ingestor_metrics *metrics,
                                                 struct service_failure *failure,
                                                 int64_t repair_trades_max) MUST_CHECK;
/* After the producer is gone: no delivery report may come any more. Accepts NULL. */
void stream_publisher_destroy(struct stream_publisher *publisher);

struct publish_target *stream_publisher_add_target(struct stream_publisher *publisher,
                                                   const char *inst_id) MUST_CHECK;
/* The instrument is followed from this position on; position: NULL when it never had one. */
void stream_publisher_start(struct stream_publisher *publisher, struct publish_target *target,
                            const struct trade_position *position);
/* The instrument is somebody else's now: no more positions of it. */
void stream_publisher_stop(struct stream_publisher *publisher, struct publish_target *target);
/* Announces the instrument by a position without trade, if it never had one. */
void stream_publisher_announce(struct stream_publisher *publisher, struct publish_target *target);

/*
 * A series begins behind this trade id: that goes on record first, and trades of the instrument
 * wait until Kafka has acknowledged it. Whoever takes over after a crash thus knows where to go on,
 * even if no other position was ever published.
 */
void stream_publisher_begin(struct stream_publisher *publisher, struct publish_target *target,
                            const struct publish_mark *mark);

/* Takes what trade owns. moves_position: false for a trade that is out of order. */
void stream_publisher_send_trade(struct stream_publisher *publisher, struct publish_target *target,
                                 struct trade *trade, bool moves_position);
/* Asks for the missing ids, inclusive. With reaches_to, the position moves to that trade once the
 * commands are acknowledged; NULL: it only waits for them. */
void stream_publisher_send_repair(struct stream_publisher *publisher, struct publish_target *target,
                                  int64_t from_id, int64_t to_id,
                                  const struct publish_mark *reaches_to);
/* The series goes on behind this trade, which is in Kafka already at mark's offset. */
void stream_publisher_skip_to(struct stream_publisher *publisher, struct publish_target *target,
                              const struct publish_mark *mark);

/* Sends what was kept; true when nothing is left. */
bool stream_publisher_drain(struct stream_publisher *publisher);
bool stream_publisher_is_blocked(const struct stream_publisher *publisher);
/* Publishes the positions that moved since they were last published. */
void stream_publisher_publish_positions(struct stream_publisher *publisher);

#endif
