#include "ingestor_metrics.h"

#include <stdio.h>

#include "base/program.h"

enum { LABELS_BYTES = 96 };

void ingestor_metrics_init(struct ingestor_metrics *metrics, struct metrics *registry)
{
    program_show_build(registry);
    *metrics = (struct ingestor_metrics){
        .registry = registry,
        .trades_received = metrics_counter(registry, "currency_trends_trades_received_total",
                                           "Trades received over the WebSocket", NULL),
        .duplicate_trades = metrics_counter(registry, "currency_trends_duplicate_trades_total",
                                            "Trades received again and dropped", NULL),
        .late_trades =
            metrics_counter(registry, "currency_trends_late_trades_total",
                            "Trades with an old id but a newer time, published anyway", NULL),
        .gaps_detected = metrics_counter(registry, "currency_trends_gaps_detected_total",
                                         "Holes found in the trade ids", NULL),
        .gap_trades = metrics_counter(registry, "currency_trends_gap_trades_total",
                                      "Trade ids that were missing in those holes", NULL),
        .websocket_connections = metrics_gauge(registry, "currency_trends_websocket_connections",
                                               "Open WebSocket connections to OKX", NULL),
        .websocket_connects = metrics_counter(registry, "currency_trends_websocket_connects_total",
                                              "WebSocket connections opened", NULL),
        .subscriptions = metrics_gauge(registry, "currency_trends_subscriptions",
                                       "Instruments whose trades OKX acknowledged to send", NULL),
        .subscriptions_refused = metrics_gauge(registry, "currency_trends_subscriptions_refused",
                                               "Instruments that OKX refuses to send", NULL),
        .last_pong_ms =
            metrics_gauge_millis(registry, "currency_trends_last_pong_timestamp_seconds",
                                 "When OKX last answered a ping", NULL),
        .fetch_pending = metrics_gauge(registry, "currency_trends_fetch_pending",
                                       "Commands taken from control and not finished", NULL),
        .publish_latency = metrics_latency_histogram(
            registry, "currency_trends_publish_latency_seconds",
            "From a live trade's arrival to Kafka's acknowledgement", NULL),
    };
}

void ingestor_metrics_count_bad(struct ingestor_metrics *metrics, enum err_code reason)
{
    char labels[LABELS_BYTES];

    snprintf(labels, sizeof labels, "reason=\"%s\"", err_code_name(reason));
    metric_increment(metrics_counter(metrics->registry, "currency_trends_bad_frames_total",
                                     "Frames and rows of OKX that could not be used", labels));
}

void ingestor_metrics_count_disconnect(struct ingestor_metrics *metrics, const char *reason)
{
    char labels[LABELS_BYTES];

    snprintf(labels, sizeof labels, "reason=\"%s\"", reason);
    metric_increment(metrics_counter(metrics->registry,
                                     "currency_trends_websocket_disconnects_total",
                                     "WebSocket connections that ended, by reason", labels));
}

void ingestor_metrics_count_fetch(struct ingestor_metrics *metrics, enum fetch_kind kind,
                                  enum fetch_status status)
{
    char labels[LABELS_BYTES];

    snprintf(labels, sizeof labels, "kind=\"%s\",status=\"%s\"", fetch_kind_name(kind),
             fetch_status_name(status));
    metric_increment(metrics_counter(metrics->registry, "currency_trends_fetch_commands_total",
                                     "Commands finished, by what came of them", labels));
}
