/* Creates the topics that are missing and checks those that exist. */
#ifndef IO_TOPIC_ADMIN_H
#define IO_TOPIC_ADMIN_H

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"

/*
 * One attempt; the caller repeats while err->retriable (Kafka not reachable yet). Never relies on
 * broker auto-creation; a topic that another service creates meanwhile is fine. Errors:
 * ERR_NETWORK, ERR_TIMEOUT (retriable); ERR_CONFIG when an existing topic has another partition
 * count ("topic trades has 6 partitions, TOPIC_PARTITIONS says 12") or the replication factor
 * cannot be had.
 */
int topic_admin_ensure(const struct kafka_settings *settings, struct err *err) MUST_CHECK;

#endif
