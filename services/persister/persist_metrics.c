#include "persist_metrics.h"

#include <stdio.h>

#include "table_store.h"

enum { LABEL_BYTES = 96 };

static const char *const stage_names[] = {
    [DEAD_STAGE_DECODE] = "decode", [DEAD_STAGE_STORE] = "store"};

const char *dead_stage_name(enum dead_stage stage)
{
    return stage_names[stage];
}

static void init_tables(struct persist_metrics *series, struct metrics *metrics)
{
    char labels[LABEL_BYTES];

    for (enum table table = 0; table < TABLE_COUNT; table++) {
        (void)snprintf(labels, sizeof labels, "table=\"%s\"", table_store_of(table)->table);
        series->rows_written[table] =
            metrics_counter(metrics, "currency_trends_rows_written_total",
                            "Rows inserted or replaced in PostgreSQL.", labels);
        series->rows_duplicate[table] = metrics_counter(
            metrics, "currency_trends_rows_duplicate_total",
            "Records that changed nothing: the table already had this state or a newer one.",
            labels);
    }
}

static void init_topics(struct persist_metrics *series, struct metrics *metrics)
{
    struct topic_names names;
    struct err ignored;
    char labels[LABEL_BYTES];

    if (topic_names_init(&names, NULL, &ignored) != 0) /* cannot: there is no prefix */
        return;
    for (size_t i = 0; i < PERSIST_TOPIC_COUNT; i++) {
        enum topic topic = persist_topics[i];

        for (enum dead_stage stage = 0; stage < DEAD_STAGE_COUNT; stage++) {
            (void)snprintf(labels, sizeof labels, "topic=\"%s\",stage=\"%s\"",
                           topic_name(&names, topic), dead_stage_name(stage));
            series->dead_letters[topic][stage] = metrics_counter(
                metrics, "currency_trends_dead_letters_total",
                "Records that went to the dead-letters topic, by topic of origin.", labels);
        }
        if (!topic_is_compacted(topic))
            continue;
        (void)snprintf(labels, sizeof labels, "topic=\"%s\"", topic_name(&names, topic));
        series->tombstones[topic] = metrics_counter(
            metrics, "currency_trends_tombstones_total",
            "Records without a value in compacted topics, which change nothing.", labels);
    }
}

void persist_metrics_init(struct persist_metrics *series, struct metrics *metrics)
{
    init_tables(series, metrics);
    init_topics(series, metrics);
    series->batch_seconds = metrics_latency_histogram(
        metrics, "currency_trends_batch_seconds",
        "Time to write a batch, from its last record to PostgreSQL's commit.", NULL);
    series->end_to_end_seconds = metrics_latency_histogram(
        metrics, "currency_trends_end_to_end_latency_seconds",
        "From an ingestor's receiving a live trade to its row being committed.", NULL);
    series->database_up = metrics_gauge(metrics, "currency_trends_database_up",
                                        "1 while every writer is connected to PostgreSQL.", NULL);
    series->open_gap_trades =
        metrics_gauge(metrics, "currency_trends_missing_trades",
                      "Trades known to be missing, by the view trade_gaps.", "state=\"open\"");
    series->unfillable_gap_trades = metrics_gauge(
        metrics, "currency_trends_missing_trades",
        "Trades known to be missing, by the view trade_gaps.", "state=\"unfillable\"");
    series->merged_batches = metrics_counter(
        metrics, "currency_trends_merged_batches_total",
        "Batches with trades that were merged because some rows were there already.", NULL);
}
