/*
 * librdkafka's log lines through base/log: levels mapped, and a line that repeats (same client,
 * same kind) at most every 10 s, with the number of those held back. Thread-safe.
 */
#ifndef IO_KAFKA_LOG_H
#define IO_KAFKA_LOG_H

#include <librdkafka/rdkafka.h>

/* For rd_kafka_conf_set_log_cb. */
void kafka_log_write(const rd_kafka_t *client, int level, const char *facility, const char *text);

/* The same for an error that reaches a client by callback or as an event. Connections that fail are
 * left out, since librdkafka writes a line about each by itself. */
void kafka_log_error(const rd_kafka_t *client, rd_kafka_resp_err_t error, const char *text);

#endif
