/* Creates the topics that are missing and checks those that exist. */
#ifndef IO_TOPIC_ADMIN_H
#define IO_TOPIC_ADMIN_H

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"

/*
 * One attempt of some seconds; the caller repeats while err->retriable. Never relies on broker
 * auto-creation; a topic that another service creates meanwhile is fine. Returns once every topic
 * has its leaders. Errors:
 * ERR_NETWORK, ERR_TIMEOUT, ERR_REMOTE  retriable: Kafka is not reachable or not ready yet.
 * ERR_UNAUTHORIZED  retriable: credentials refused, or a topic may be neither seen nor created;
 *                   accounts and ACLs are put right while we wait. Topics that exist need no
 *                   permission to create.
 * ERR_CONFIG        retriable while fewer brokers are up than the replication factor asks for;
 *                   final when existing topics have other partition counts, all of them named:
 *                   "topic trades has 6 partitions, control 6, TOPIC_PARTITIONS says 12", or when
 *                   Kafka refuses the settings.
 * ERR_STOPPED       shutdown was requested meanwhile.
 */
int topic_admin_ensure(const struct kafka_settings *settings, struct err *err) MUST_CHECK;

#endif
