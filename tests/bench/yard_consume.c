/*
 * A consumer of trades that carry the moment of their sending as seqId (yard_cannon --send-times):
 * how long each took until it was here.
 *   yard_consume BROKERS TOPIC TRADES
 * Prints {"ready":true} once it has reached the end of every partition, then waits for the trades.
 */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codec/avro_codec.h"
#include "codec/wire_format.h"
#include "domain/trade.h"
#include "samples.h"

enum { POLL_MS = 1000, METADATA_TIMEOUT_MS = 10000, PROPERTIES = 3 };

struct consumer {
    rd_kafka_t *client;
    struct avro_decoder *decoder;
    int partitions_left; /* whose end is not reached yet */
    int64_t trades_left;
    struct samples to_ingestor; /* receivedAt, microseconds after the sending */
    struct samples to_consumer;
};

static void fail(const char *reason)
{
    fprintf(stderr, "yard_consume: %s\n", reason);
    exit(1);
}

static rd_kafka_t *create_client(const char *brokers)
{
    const char *properties[PROPERTIES][2] = {
        {"bootstrap.servers", brokers},
        {"group.id", "yard"},
        {"enable.partition.eof", "true"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;
    char reason[256];

    for (size_t i = 0; i < PROPERTIES; i++) {
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], reason, sizeof reason) !=
            RD_KAFKA_CONF_OK)
            fail(reason);
    }
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (!client)
        fail(reason);
    rd_kafka_poll_set_consumer(client);
    return client;
}

/* A broker may not know a topic yet that has just been made. */
static int32_t count_partitions(struct consumer *consumer, rd_kafka_topic_t *topic)
{
    int64_t deadline_ms = clock_monotonic_ms() + METADATA_TIMEOUT_MS;
    const struct rd_kafka_metadata *metadata = NULL;
    int32_t count = 0;

    while (count == 0 && clock_monotonic_ms() < deadline_ms) {
        if (rd_kafka_metadata(consumer->client, 0, topic, &metadata, METADATA_TIMEOUT_MS) != 0)
            fail("no metadata");
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    return count;
}

/* All partitions, from their ends on. */
static void assign(struct consumer *consumer, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer->client, topic, NULL);
    rd_kafka_topic_partition_list_t *partitions;

    consumer->partitions_left = count_partitions(consumer, handle);
    partitions = rd_kafka_topic_partition_list_new(consumer->partitions_left);
    for (int32_t i = 0; i < consumer->partitions_left; i++)
        rd_kafka_topic_partition_list_add(partitions, topic, i)->offset = RD_KAFKA_OFFSET_END;
    if (consumer->partitions_left == 0 || rd_kafka_assign(consumer->client, partitions) != 0)
        fail("cannot assign the topic's partitions");
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_topic_destroy(handle);
}

static void take(struct consumer *consumer, const rd_kafka_message_t *message)
{
    int64_t now_us = clock_wall_us();
    const uint8_t *avro = NULL;
    size_t length = 0;
    int32_t schema_id = 0;
    struct trade trade;
    struct err err;

    if (wire_format_read(message->payload, message->len, &schema_id, &avro, &length, &err) != 0 ||
        avro_decode(consumer->decoder, avro, length, &trade, &err) != 0)
        fail(err.message);
    samples_add(&consumer->to_ingestor, trade.sequence_id.value, trade.received_at_us);
    samples_add(&consumer->to_consumer, trade.sequence_id.value, now_us);
    consumer->trades_left--;
    trade_clear(&trade);
}

static void poll(struct consumer *consumer)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, POLL_MS);

    if (!message)
        return;
    if (!message->err) {
        take(consumer, message);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (consumer->partitions_left > 0 && --consumer->partitions_left == 0) {
            printf("{\"ready\":true}\n");
            (void)fflush(stdout);
        }
    } else {
        fprintf(stderr, "yard_consume: %s\n", rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
}

int main(int argc, char **argv)
{
    struct consumer consumer = {0};
    struct err err;

    if (argc != 4)
        return 2;
    consumer.client = create_client(argv[1]);
    consumer.decoder = avro_decoder_create(RECORD_TRADE, schema_text(RECORD_TRADE), &err);
    consumer.trades_left = strtoll(argv[3], NULL, 10);
    if (!consumer.decoder)
        fail(err.message);
    assign(&consumer, argv[2]);
    while (consumer.trades_left > 0)
        poll(&consumer);
    printf("{\"records\":%zu", consumer.to_consumer.count);
    samples_print_ms(&consumer.to_ingestor, "to_ingestor_ms");
    samples_print_ms(&consumer.to_consumer, "to_consumer_ms");
    printf("}\n");
    samples_clear(&consumer.to_ingestor);
    samples_clear(&consumer.to_consumer);
    avro_decoder_destroy(consumer.decoder);
    rd_kafka_consumer_close(consumer.client);
    rd_kafka_destroy(consumer.client);
    return 0;
}
