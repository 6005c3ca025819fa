/*
 * Reads what the scheduler's state lives in: the fetch-results and control topics and, if asked
 * for, the keys of positions; from their beginnings, and then follows them. One thread.
 *
 * Results come first: control is read only once everything that fetch-results held at the start
 * was handed out, so that a command which was settled long ago is recognised.
 */
#ifndef SCHEDULER_RESULT_READER_H
#define SCHEDULER_RESULT_READER_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "domain/fetch_result.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"

struct result_reader;

/* All run inside result_reader_poll; arguments are borrowed. */
struct result_reader_handler {
    void (*on_result)(const struct fetch_result *result, void *context);
    void (*on_command)(const struct fetch_command *command, void *context);
    void (*on_instrument)(const char *inst_id, void *context); /* NULL: positions is not read */
    void *context;
};

/* Borrows settings, registry and metrics. A record that cannot be decoded is counted, logged and
 * passed over; while the registry cannot be asked about one, its topic waits. */
struct result_reader *result_reader_create(const struct kafka_settings *settings,
                                           struct schema_registry *registry,
                                           const struct result_reader_handler *handler,
                                           struct metrics *metrics, struct err *err) MUST_CHECK;
void result_reader_destroy(struct result_reader *reader);

/* Hands out what has arrived, a limited number of records; does not wait. */
void result_reader_poll(struct result_reader *reader);
/* True once all that the topics held at the start was handed out. */
bool result_reader_is_caught_up(const struct result_reader *reader);

#endif
