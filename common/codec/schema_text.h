/* The kinds of record and the literal text of their schema files, embedded at build time (avro-c
 * drops logicalType, doc and default when it prints a schema, so only this text is ever
 * registered). Pure. */
#ifndef CODEC_SCHEMA_TEXT_H
#define CODEC_SCHEMA_TEXT_H

#include "base/text_view.h"
#include "domain/topics.h"

enum record_kind {
    RECORD_TRADE,
    RECORD_CANDLE,
    RECORD_CURRENCY_CHAIN,
    RECORD_FETCH_COMMAND,
    RECORD_FETCH_RESULT,
    RECORD_TRADE_POSITION,
    RECORD_KIND_COUNT,
};

struct text_view schema_text(enum record_kind kind);
/* The topic whose values are of this kind. */
enum topic record_kind_topic(enum record_kind kind);
/* RECORD_KIND_COUNT for a topic of no single kind (dead-letters). */
enum record_kind topic_record_kind(enum topic topic);

#endif
