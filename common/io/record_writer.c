#include "io/record_writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/wire_format.h"
#include "domain/currency_chain.h"
#include "domain/fetch_result.h"
#include "domain/trade_position.h"

enum {
    VALUE_BYTES_MAX = 1 << 20, /* brokers take no more than that by default */
    KEY_BYTES = FETCH_ID_BYTES + CURRENCY_CHAIN_BYTES,
    SUBJECT_BYTES = TOPIC_NAME_BYTES + 8,
};

struct record_writer {
    struct kafka_producer *producer;
    const struct topic_names *topics;
    _Atomic int32_t schema_ids[RECORD_KIND_COUNT]; /* 0 until registered */

    pthread_mutex_t lock; /* protects value, kept between records so that none allocates */
    struct buf value;
};

struct record_writer *record_writer_create(struct kafka_producer *producer,
                                           const struct topic_names *topics)
{
    struct record_writer *writer = mem_calloc(1, sizeof *writer);

    writer->producer = producer;
    writer->topics = topics;
    (void)pthread_mutex_init(&writer->lock, NULL);
    buf_init(&writer->value, VALUE_BYTES_MAX);
    return writer;
}

void record_writer_destroy(struct record_writer *writer)
{
    if (!writer)
        return;
    buf_clear(&writer->value);
    (void)pthread_mutex_destroy(&writer->lock);
    free(writer);
}

int record_writer_register(struct record_writer *writer, struct schema_registry *registry,
                           const enum record_kind *kinds, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        char subject[SUBJECT_BYTES];
        int32_t id = 0;

        if (atomic_load(&writer->schema_ids[kinds[i]]) != 0)
            continue;
        snprintf(subject, sizeof subject, "%s-value",
                 topic_name(writer->topics, record_kind_topic(kinds[i])));
        if (schema_registry_register(registry, subject, schema_text(kinds[i]), &id, err) != 0)
            return err_wrap(err, "register the schema of %s", subject);
        atomic_store(&writer->schema_ids[kinds[i]], id);
    }
    return 0;
}

/* The key by which a record finds its partition, and by which compacted topics keep the newest. It
 * lies in the record, or in room. */
static const char *key_of(enum record_kind kind, const void *record, char room[KEY_BYTES])
{
    const struct currency_chain *chain = record;

    switch (kind) {
    case RECORD_TRADE:
        return ((const struct trade *)record)->inst_id;
    case RECORD_CANDLE:
        return ((const struct candle *)record)->inst_id;
    case RECORD_CURRENCY_CHAIN:
        snprintf(room, KEY_BYTES, "%s/%s", chain->currency, chain->chain);
        return room;
    case RECORD_FETCH_COMMAND:
        return fetch_command_key(record);
    case RECORD_FETCH_RESULT:
        return ((const struct fetch_result *)record)->command.id;
    case RECORD_TRADE_POSITION:
        return ((const struct trade_position *)record)->inst_id;
    case RECORD_KIND_COUNT:
        break;
    }
    assert(!"a kind of record");
    return "";
}

static int encode_value(struct buf *value, enum record_kind kind, int32_t schema_id,
                        const void *record, struct err *err)
{
    uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];

    buf_reset(value);
    wire_format_write(prefix, schema_id);
    (void)buf_append(value, prefix, sizeof prefix);
    return avro_encode(kind, record, value, err);
}

int record_writer_send_with(struct record_writer *writer, enum record_kind kind, const void *record,
                            struct kafka_receipt *receipt, struct err *err)
{
    int32_t schema_id = atomic_load(&writer->schema_ids[kind]);
    char room[KEY_BYTES];
    const char *key = key_of(kind, record, room);
    int status = -1;

    assert(schema_id != 0);
    (void)pthread_mutex_lock(&writer->lock);
    if (encode_value(&writer->value, kind, schema_id, record, err) == 0) {
        const struct kafka_record message = {
            .topic = topic_name(writer->topics, record_kind_topic(kind)),
            .key = key,
            .key_length = strlen(key),
            .value = writer->value.data,
            .value_length = writer->value.length,
            .partition = RD_KAFKA_PARTITION_UA,
        };
        status = kafka_producer_send_with(writer->producer, &message, receipt, err);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return status;
}

int record_writer_send(struct record_writer *writer, enum record_kind kind, const void *record,
                       kafka_delivery_fn *on_delivery, void *context, struct err *err)
{
    struct kafka_receipt *receipt = kafka_receipt_create(on_delivery, context);

    if (record_writer_send_with(writer, kind, record, receipt, err) == 0)
        return 0;
    free(receipt);
    return -1;
}
