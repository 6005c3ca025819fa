#include "tests/support/mock_cluster.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/unit_test.h"

void mock_cluster_start(struct mock_cluster *mock, int brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct err err = {0};
    char reason[256];

    rd_kafka_conf_set_log_cb(conf, NULL); /* it has no servers of its own, and would say so */
    mock->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    assert_non_null(mock->client);
    mock->cluster = rd_kafka_mock_cluster_new(mock->client, brokers);
    assert_non_null(mock->cluster);
    mock->settings = (struct kafka_settings){
        .bootstrap_servers = mem_strdup(rd_kafka_mock_cluster_bootstraps(mock->cluster)),
        .topic_partitions = 4,
        .topic_replication_factor = 1,
    };
    assert_int_equal(topic_names_init(&mock->settings.topics, NULL, &err), 0);
}

void mock_cluster_stop(struct mock_cluster *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->client);
    free(mock->settings.bootstrap_servers);
}

void mock_cluster_create_topic(struct mock_cluster *mock, const char *topic, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1), 0);
}

void mock_cluster_set_up(struct mock_cluster *mock, int brokers, bool is_up)
{
    for (int32_t id = 1; id <= brokers; id++) {
        if (is_up)
            rd_kafka_mock_broker_set_up(mock->cluster, id);
        else
            rd_kafka_mock_broker_set_down(mock->cluster, id);
    }
}
