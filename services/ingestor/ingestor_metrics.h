/* The metrics that more than one module of the ingestor counts. Thread-safe. */
#ifndef INGESTOR_INGESTOR_METRICS_H
#define INGESTOR_INGESTOR_METRICS_H

#include "base/err.h"
#include "base/metrics.h"
#include "domain/fetch_result.h"

struct ingestor_metrics {
    struct metrics *registry; /* borrowed */
    struct metric *trades_received, *duplicate_trades, *late_trades;
    struct metric *gaps_detected, *gap_trades;
    struct metric *websocket_connections, *websocket_connects;
    struct metric *subscriptions, *subscriptions_refused;
    struct metric *last_pong_ms;
    struct metric *fetch_pending;
    struct metric *publish_latency;
};

void ingestor_metrics_init(struct ingestor_metrics *metrics, struct metrics *registry);
/* A frame or row that cannot be used, by reason. */
void ingestor_metrics_count_bad(struct ingestor_metrics *metrics, enum err_code reason);
/* reason: one of a few constants ("lost", "no_pong", ...). */
void ingestor_metrics_count_disconnect(struct ingestor_metrics *metrics, const char *reason);
void ingestor_metrics_count_fetch(struct ingestor_metrics *metrics, enum fetch_kind kind,
                                  enum fetch_status status);

#endif
