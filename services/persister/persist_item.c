#include "persist_item.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rfc3339.h"
#include "codec/avro_codec.h"
#include "domain/trade.h"
#include "partition_plan.h"

const enum topic persist_topics[PERSIST_TOPIC_COUNT] = {
    TOPIC_TRADES, TOPIC_CANDLES, TOPIC_CURRENCIES, TOPIC_CONTROL, TOPIC_FETCH_RESULTS,
};

static enum table table_of_kind(enum record_kind kind)
{
    switch (kind) {
    case RECORD_TRADE:
        return TABLE_TRADES;
    case RECORD_CANDLE:
        return TABLE_CANDLES;
    case RECORD_CURRENCY_CHAIN:
        return TABLE_CURRENCIES;
    default:
        return TABLE_FETCHES;
    }
}

static size_t record_bytes(enum record_kind kind)
{
    return table_of_kind(kind) == TABLE_FETCHES ? sizeof(struct fetch_row)
                                                : avro_record_bytes(kind);
}

static void *record_room(struct persist_item *item)
{
    return item + 1;
}

struct persist_item *persist_item_create(rd_kafka_message_t *message,
                                         struct source_partition *source)
{
    enum record_kind kind = topic_record_kind(source->topic);
    struct persist_item *item = mem_alloc(sizeof *item + record_bytes(kind));

    *item = (struct persist_item){
        .message = message,
        .source = source,
        .generation = atomic_load(&source->generation),
        .kind = kind,
        .table = table_of_kind(kind),
    };
    return item;
}

static int check_trade_time(const struct trade *trade, int64_t now_ms, struct err *err)
{
    char text[RFC3339_BYTES];

    if (partition_is_possible(trade->event_time_ms, now_ms))
        return 0;
    /* The calendar of PostgreSQL and ours end somewhere; the number tells more beyond. */
    if (trade->event_time_ms < 0 || trade->event_time_ms > INT64_C(253402300799999))
        return err_set(err, ERR_OUT_OF_RANGE, "trade time of %lld ms cannot be true",
                       (long long)trade->event_time_ms);
    rfc3339_format_ms(trade->event_time_ms, text);
    return err_set(err, ERR_OUT_OF_RANGE, "trade time %s cannot be true", text);
}

int persist_item_decode(struct persist_item *item, struct record_reader *reader, int64_t now_ms,
                        struct err *err)
{
    const rd_kafka_message_t *message = item->message;
    void *record = record_room(item);

    if (item->table == TABLE_FETCHES) {
        struct fetch_row *row = record;

        memset(row, 0, sizeof *row);
        row->is_finished = item->kind == RECORD_FETCH_RESULT;
        record = row->is_finished ? (void *)&row->result : (void *)&row->result.command;
    }
    if (record_reader_read(reader, item->kind, message->payload, message->len, record, err) != 0)
        return -1;
    item->record = record_room(item);
    if (item->kind == RECORD_TRADE)
        return check_trade_time(item->record, now_ms, err);
    return 0;
}

bool persist_item_is_decodable(const struct persist_item *item, const struct record_reader *reader)
{
    return record_reader_knows(reader, item->kind, item->message->payload, item->message->len);
}

void persist_item_forget_record(struct persist_item *item)
{
    if (item->record && item->table == TABLE_FETCHES)
        fetch_result_clear(&((struct fetch_row *)item->record)->result);
    else if (item->record)
        avro_record_clear(item->kind, item->record);
    item->record = NULL;
}

void persist_item_destroy(struct persist_item *item)
{
    if (!item)
        return;
    persist_item_forget_record(item);
    if (item->message)
        rd_kafka_message_destroy(item->message);
    free(item);
}

bool persist_item_is_stale(const struct persist_item *item)
{
    return item->generation != atomic_load(&item->source->generation);
}
