/*
 * The dead letters of one writer: collected while a batch is worked on, then delivered together.
 * One thread, but for delivery reports.
 *
 * Promise: dead_letter_box_deliver returns 0 only when Kafka has acknowledged every letter, so an
 * offset that moves afterwards leaves no record behind that is neither stored nor put aside.
 */
#ifndef PERSISTER_DEAD_LETTER_BOX_H
#define PERSISTER_DEAD_LETTER_BOX_H

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_producer.h"
#include "persist_item.h"
#include "persist_metrics.h"

struct dead_letter_box;

/* Borrows all. The box must outlive the producer, which may still report on letters of a box that
 * was abandoned. */
struct dead_letter_box *dead_letter_box_create(struct kafka_producer *producer,
                                               const struct topic_names *topics,
                                               const struct persist_metrics *metrics,
                                               const atomic_bool *abandon) MUST_CHECK;
void dead_letter_box_destroy(struct dead_letter_box *box);

/* Excludes the item from its table, logs why, and keeps a letter for it; borrows the item until it
 * is delivered or the box is emptied. sqlstate: NULL or "" for none. */
void dead_letter_box_add(struct dead_letter_box *box, struct persist_item *item,
                         enum dead_stage stage, const struct err *reason, const char *sqlstate);
/* Tries for as long as it takes. ERR_STOPPED when *abandon was set meanwhile. Asks the process to
 * stop when the producer is lost. */
int dead_letter_box_deliver(struct dead_letter_box *box, struct err *err) MUST_CHECK;
/* Forgets what was not delivered. */
void dead_letter_box_empty(struct dead_letter_box *box);

#endif
