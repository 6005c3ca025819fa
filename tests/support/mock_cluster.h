/*
 * librdkafka's mock cluster: brokers within the test's process on loopback ports, with group
 * coordination and injected errors. No admin API, no transactions of ours.
 */
#ifndef SUPPORT_MOCK_CLUSTER_H
#define SUPPORT_MOCK_CLUSTER_H

/* clang-format off */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
/* clang-format on */

#include <stdbool.h>

#include "io/kafka_settings.h"

struct mock_cluster {
    rd_kafka_t *client; /* carries the cluster */
    rd_kafka_mock_cluster_t *cluster;
    struct kafka_settings settings; /* that lead to it, topics without prefix */
};

void mock_cluster_start(struct mock_cluster *mock, int brokers);
void mock_cluster_stop(struct mock_cluster *mock);
void mock_cluster_create_topic(struct mock_cluster *mock, const char *topic, int partitions);
/* All brokers refuse and drop connections, or serve again. */
void mock_cluster_set_up(struct mock_cluster *mock, int brokers, bool is_up);

#endif
