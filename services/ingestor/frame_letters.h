/*
 * The way of frames and rows that cannot be used into dead-letters. What Kafka has no room for is
 * kept, in order, and the owner stops reading OKX until it is gone; so what is kept is bounded by
 * the frames that were read already. One thread, but for delivery reports.
 */
#ifndef INGESTOR_FRAME_LETTERS_H
#define INGESTOR_FRAME_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "domain/topics.h"
#include "io/kafka_producer.h"

struct frame_letters;

/* Borrows both for its lifetime. */
struct frame_letters *frame_letters_create(struct kafka_producer *producer,
                                           const struct topic_names *topics) MUST_CHECK;
/* Logs how many are lost, if any. After the producer is gone. Accepts NULL. */
void frame_letters_destroy(struct frame_letters *letters);

/* Copies. channel: what OKX sent it on; inst_id: "" when the frame does not say. */
void frame_letters_send(struct frame_letters *letters, const char *channel, const char *inst_id,
                        const char *text, size_t length, const struct err *reason);
/* Sends what was kept; true when nothing is left. */
bool frame_letters_drain(struct frame_letters *letters);
bool frame_letters_is_blocked(const struct frame_letters *letters);

#endif
