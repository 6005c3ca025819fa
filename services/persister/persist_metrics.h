/* The persister's metrics, made once at start. Thread-safe to update. */
#ifndef PERSISTER_PERSIST_METRICS_H
#define PERSISTER_PERSIST_METRICS_H

#include "base/metrics.h"
#include "domain/topics.h"
#include "persist_item.h"

enum dead_stage { DEAD_STAGE_DECODE, DEAD_STAGE_STORE, DEAD_STAGE_COUNT };
const char *dead_stage_name(enum dead_stage stage);

struct persist_metrics {
    struct metric *rows_written[TABLE_COUNT];
    struct metric *rows_duplicate[TABLE_COUNT];
    struct metric *dead_letters[TOPIC_COUNT][DEAD_STAGE_COUNT]; /* of the topics that are read */
    struct metric *tombstones[TOPIC_COUNT];                     /* of the compacted ones */
    struct metric *batch_seconds;
    struct metric *end_to_end_seconds;
    struct metric *database_up;
    struct metric *open_gap_trades;
    struct metric *unfillable_gap_trades;
    struct metric *merged_batches; /* batches of trades that could not be copied straight in */
};

void persist_metrics_init(struct persist_metrics *series, struct metrics *metrics);

#endif
