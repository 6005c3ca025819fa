/* Settings for the real Kafka of KAFKA_BOOTSTRAP_SERVERS, with topic names that no other test has.
 */
#ifndef SUPPORT_TEST_TOPICS_H
#define SUPPORT_TEST_TOPICS_H

#include <stdint.h>

#include "io/kafka_settings.h"

/* Fails the test when there is no broker to talk to. Replication factor 1. */
void test_topics_init(struct kafka_settings *settings, int64_t partitions);
void test_topics_clear(struct kafka_settings *settings);

/* Sends count records "0", "1", …, with the same as key, to one partition and waits until they are
 * there. */
void test_topics_produce(const struct kafka_settings *settings, const char *topic,
                         int32_t partition, int count);

#endif
