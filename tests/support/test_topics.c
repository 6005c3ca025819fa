#include "tests/support/test_topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/unit_test.h"

enum { FLUSH_TIMEOUT_MS = 30000 };

void test_topics_init(struct kafka_settings *settings, int64_t partitions)
{
    const char *servers = getenv("KAFKA_BOOTSTRAP_SERVERS");
    struct err err = {0};

    if (!servers)
        fail_msg("KAFKA_BOOTSTRAP_SERVERS is not set; tests/support/with_stack.sh sets it");
    *settings = (struct kafka_settings){
        .bootstrap_servers = mem_strdup(servers),
        .topic_prefix = mem_sprintf("test.%d.%lld.", (int)getpid(), (long long)clock_wall_us()),
        .topic_partitions = partitions,
        .topic_replication_factor = 1,
    };
    assert_int_equal(topic_names_init(&settings->topics, settings->topic_prefix, &err), 0);
}

void test_topics_clear(struct kafka_settings *settings)
{
    free(settings->bootstrap_servers);
    free(settings->topic_prefix);
    *settings = (struct kafka_settings){0};
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    if (message->err)
        ++*(int *)opaque;
}

void test_topics_produce(const struct kafka_settings *settings, const char *topic,
                         int32_t partition, int count)
{
    struct err err = {0};
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, "test", NULL, &err);
    rd_kafka_t *client;
    int failures = 0;
    char text[256];

    assert_non_null(conf);
    rd_kafka_conf_set_opaque(conf, &failures);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(client);
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic),
                                           RD_KAFKA_V_PARTITION(partition),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_KEY(text, strlen(text)),
                                           RD_KAFKA_V_VALUE(text, strlen(text)), RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(client, FLUSH_TIMEOUT_MS), 0);
    assert_int_equal(failures, 0);
    rd_kafka_destroy(client);
}
