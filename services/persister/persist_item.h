/*
 * A Kafka record on its way to PostgreSQL, and the partition that it came from. One owner at a
 * time: the main thread until it is pushed to a writer, then the writer.
 */
#ifndef PERSISTER_PERSIST_ITEM_H
#define PERSISTER_PERSIST_ITEM_H

#include <librdkafka/rdkafka.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "codec/schema_text.h"
#include "domain/fetch_result.h"
#include "io/record_reader.h"

/* Lives as long as the process's loop. */
struct source_partition {
    enum topic topic;
    const char *topic_name;
    int32_t partition;
    size_t writer; /* always the same one: a key has one writer */
    /* Counts the times that the partition was given up. Written by the main thread; a record of an
     * older generation moves no offset and need not be stored: its next owner reads it again. */
    atomic_uint_fast64_t generation;
    int64_t in_flight; /* handed to the writer, not yet reported back; main thread only */
    bool is_paused;    /* main thread only */
};

/* The topics that are read. */
enum { PERSIST_TOPIC_COUNT = 5 };
extern const enum topic persist_topics[PERSIST_TOPIC_COUNT];

/* A command, or with is_finished what became of it: both are states of a row of fetches. */
struct fetch_row {
    struct fetch_result result; /* of a command only the member command is set */
    bool is_finished;
};

/* The tables, and the index of each one's store. */
enum table { TABLE_TRADES, TABLE_CANDLES, TABLE_CURRENCIES, TABLE_FETCHES, TABLE_COUNT };

struct persist_item {
    alignas(max_align_t)           /* as the record behind the item needs it */
        struct persist_item *next; /* in a chain of items that travel together */
    rd_kafka_message_t *message;   /* owned */
    struct source_partition *source;
    uint64_t generation;
    size_t sequence; /* its place in its batch */
    enum record_kind kind;
    enum table table;
    /* struct trade, candle, currency_chain or fetch_row, allocated together with the item; NULL
     * until decoded */
    void *record;
    bool is_excluded; /* not for its table: put aside, or a tombstone */
};

/* Takes message. */
struct persist_item *persist_item_create(rd_kafka_message_t *message,
                                         struct source_partition *source) MUST_CHECK;
void persist_item_destroy(struct persist_item *item);
/* The partition was given up after the item was read. */
bool persist_item_is_stale(const struct persist_item *item);
/*
 * Decodes the value into item->record. Errors: as record_reader_read; ERR_OUT_OF_RANGE also for a
 * trade whose time cannot be true (partition_plan.h).
 */
int persist_item_decode(struct persist_item *item, struct record_reader *reader, int64_t now_ms,
                        struct err *err) MUST_CHECK;
/* As before it was decoded. */
void persist_item_forget_record(struct persist_item *item);
/* True when decoding needs no question to the registry. */
bool persist_item_is_decodable(const struct persist_item *item, const struct record_reader *reader);

#endif
