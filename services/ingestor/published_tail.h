/*
 * What a previous owner published behind its last positions: the live trades at the end of the
 * trades partitions that this ingestor takes over. The aggregated channel needs them, since a
 * repair must never overlap an aggregate that is already published: it would count volume twice.
 * One thread.
 */
#ifndef INGESTOR_PUBLISHED_TAIL_H
#define INGESTOR_PUBLISHED_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/trade.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"

struct published_tail;

struct published_trade {
    int64_t trade_id, event_time_ms, offset;
    struct optional_int64 count;
};

struct published_tail *published_tail_create(const struct kafka_settings *settings,
                                             struct schema_registry *registry,
                                             struct err *err) MUST_CHECK;
void published_tail_destroy(struct published_tail *tail);

/* Begins to read the partition. from: an offset; absent: its beginning. */
int published_tail_begin(struct published_tail *tail, int32_t partition, struct optional_int64 from,
                         struct err *err) MUST_CHECK;
bool published_tail_is_reading(const struct published_tail *tail, int32_t partition);
/* The partition is no longer of interest. */
void published_tail_stop(struct published_tail *tail, int32_t partition);
/* Reads on for a moment. */
void published_tail_poll(struct published_tail *tail);
/* True once what the partition held is read; published_tail_is_reading is false from then on. */
bool published_tail_finish(struct published_tail *tail, int32_t partition);
/* Returns owned the instrument's live trades behind the offset, in the order published; they are
 * forgotten here. NULL and *count 0 when there are none. */
struct published_trade *published_tail_take(struct published_tail *tail, const char *inst_id,
                                            struct optional_int64 offset, size_t *count) MUST_CHECK;

#endif
