#include "persist_item.h"

#include <stdlib.h>

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

struct persist_item *persist_item_create(rd_kafka_message_t *message,
                                         struct source_partition *source)
{
    struct persist_item *item = mem_calloc(1, sizeof *item);

    item->message = message;
    item->source = source;
    item->generation = atomic_load(&source->generation);
    item->kind = topic_record_kind(source->topic);
    item->table = table_of_kind(item->kind);
    return item;
}

static int check_trade_time(const struct trade *trade, int64_t now_ms, struct err *err)
{
    char text[RFC3339_BYTES];

    if (partition_month(trade->event_time_ms, now_ms) >= 0)
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
    bool is_fetch = item->table == TABLE_FETCHES;
    struct fetch_row *row = is_fetch ? mem_calloc(1, sizeof *row) : NULL;
    void *record = is_fetch ? (void *)row : mem_calloc(1, avro_record_bytes(item->kind));
    void *decoded = record;

    if (is_fetch) {
        row->is_finished = item->kind == RECORD_FETCH_RESULT;
        decoded = row->is_finished ? (void *)&row->result : (void *)&row->result.command;
    }
    if (record_reader_read(reader, item->kind, message->payload, message->len, decoded, err) != 0) {
        free(record);
        return -1;
    }
    item->record = record;
    if (item->kind == RECORD_TRADE)
        return check_trade_time(record, now_ms, err);
    return 0;
}

void persist_item_destroy(struct persist_item *item)
{
    if (!item)
        return;
    if (item->record && item->table == TABLE_FETCHES)
        fetch_result_clear(&((struct fetch_row *)item->record)->result);
    else if (item->record)
        avro_record_clear(item->kind, item->record);
    free(item->record);
    if (item->message)
        rd_kafka_message_destroy(item->message);
    free(item);
}

bool persist_item_is_stale(const struct persist_item *item)
{
    return item->generation != atomic_load(&item->source->generation);
}
