/* Publishes fetch commands to the control topic, and counts them. Thread-safe. */
#ifndef SCHEDULER_COMMAND_PUBLISHER_H
#define SCHEDULER_COMMAND_PUBLISHER_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "domain/fetch_command.h"
#include "io/record_writer.h"

struct command_publisher;

/* Borrows both; the writer must have RECORD_FETCH_COMMAND registered before the first send. */
struct command_publisher *command_publisher_create(struct record_writer *writer,
                                                   struct metrics *metrics) MUST_CHECK;
void command_publisher_destroy(struct command_publisher *publisher);

/* Queues the command for Kafka. Errors as record_writer_send. A command that Kafka refuses later is
 * logged; it is asked again like any other without a result. */
int command_publisher_send(struct command_publisher *publisher, const struct fetch_command *command,
                           struct err *err) MUST_CHECK;

#endif
