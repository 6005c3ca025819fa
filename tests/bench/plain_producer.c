#include "plain_producer.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct plain_producer {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    pthread_t thread;
    atomic_bool should_stop;
    atomic_int_least64_t failed;
    struct samples latencies; /* the thread's until it has ended */
};

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct plain_producer *producer = opaque;
    int64_t received_us = (int64_t)(intptr_t)message->_private;

    (void)client;
    if (message->err)
        atomic_fetch_add(&producer->failed, 1);
    if (received_us != 0)
        samples_add(&producer->latencies, received_us, clock_wall_us());
}

static void *serve(void *argument)
{
    struct plain_producer *producer = argument;

    while (!atomic_load(&producer->should_stop))
        rd_kafka_poll(producer->client, 100);
    return NULL;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return;
    fprintf(stderr, "%s=%s: %s\n", name, value, reason);
    exit(2);
}

static rd_kafka_conf_t *new_conf(const char *brokers, char *const *settings, size_t setting_count)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", brokers);
    set(conf, "enable.idempotence", "true");
    set(conf, "acks", "all");
    set(conf, "message.timeout.ms", "0");
    set(conf, "partitioner", "murmur2_random");
    for (size_t i = 0; i < setting_count; i++) {
        char *name = mem_strdup(settings[i]);
        char *value = strchr(name, '=');

        if (value)
            *value++ = '\0';
        set(conf, name, value ? value : "");
        free(name);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    return conf;
}

struct plain_producer *plain_producer_create(const char *brokers, const char *topic,
                                             char *const *settings, size_t setting_count)
{
    struct plain_producer *producer = mem_calloc(1, sizeof *producer);
    rd_kafka_conf_t *conf = new_conf(brokers, settings, setting_count);
    char reason[256];

    rd_kafka_conf_set_opaque(conf, producer);
    producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (!producer->client) {
        fprintf(stderr, "%s\n", reason);
        exit(2);
    }
    producer->topic = rd_kafka_topic_new(producer->client, topic, NULL);
    if (!producer->topic || pthread_create(&producer->thread, NULL, serve, producer) != 0) {
        fprintf(stderr, "cannot produce to %s\n", topic);
        exit(1);
    }
    return producer;
}

void plain_producer_send(struct plain_producer *producer, const char *key, size_t key_length,
                         const void *value, size_t value_length, int64_t received_us)
{
    while (rd_kafka_produce(producer->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)value, value_length, key, key_length,
                            (void *)(intptr_t)received_us) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            fprintf(stderr, "%s\n", rd_kafka_err2str(rd_kafka_last_error()));
            exit(1);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

int64_t plain_producer_finish(struct plain_producer *producer)
{
    while (rd_kafka_outq_len(producer->client) > 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_store(&producer->should_stop, true);
    pthread_join(producer->thread, NULL);
    return atomic_load(&producer->failed);
}

struct samples *plain_producer_latencies(struct plain_producer *producer)
{
    return &producer->latencies;
}

void plain_producer_destroy(struct plain_producer *producer)
{
    rd_kafka_topic_destroy(producer->topic);
    rd_kafka_destroy(producer->client);
    samples_clear(&producer->latencies);
    free(producer);
}
