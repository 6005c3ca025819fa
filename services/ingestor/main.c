/*
 * The ingestor: OKX's market data into Kafka.
 *
 *   OKX WebSocket -> stream_connection -> trade_series -> stream_publisher -> trades, control,
 * positions (holes become commands on control) control -> shard -> fetch_queue -> fetch_worker ->
 * OKX REST -> trades, candles, currencies
 *                                                               -> fetch-results
 *
 * Threads, and what crosses between them:
 *   main      shard: the control topic and the positions. Posts follow/leave to the stream, jobs to
 *             the fetch queue; takes lists of instruments from a queue.
 *   stream    trade_stream: all WebSocket connections and trackers. Posts questions for the newest
 *             trade to the fetch queue, gets the answers as messages.
 *   fetch     fetch_worker, FETCH_WORKERS of them: REST, within budgets they share under a lock.
 *   producer  delivery reports: move publish_progress and offset_tracker, each under its owner's
 *             lock, and put jobs whose last record is acknowledged back into the fetch queue.
 *   status    /metrics, /livez, /readyz.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "fetch_worker.h"
#include "ingestor_config.h"
#include "ingestor_metrics.h"
#include "io/http_client.h"
#include "io/service_start.h"
#include "io/topic_admin.h"
#include "shard.h"
#include "trade_stream.h"

/* With the stream's and the consumer's own waits, stopping stays below 10 s without Kafka, too. */
enum { FLUSH_TIMEOUT_MS = 2000 };

struct ingestor {
    const struct ingestor_config *config;
    struct instrument_selection selection;
    char *user_agent;
    struct metrics *registry_of_metrics;
    struct ingestor_metrics metrics;
    struct service_failure failure;
    struct status_server *status;
    struct kafka_producer *producer;
    struct schema_registry *registry;
    struct record_writer *writer;
    struct fetch_queue *queue;
    struct okx_rest_client *rest;
    struct trade_stream *stream;
    struct shard *shard;
    struct fetch_workers *workers;
};

/* --- what fetch threads report ------------------------------------------------------------------
 */

static void on_finished(int32_t partition, int64_t offset, void *context)
{
    const struct ingestor *ingestor = context;

    shard_finish_command(ingestor->shard, partition, offset);
}

static void on_last_trade(const struct last_trade *last, void *context)
{
    const struct ingestor *ingestor = context;

    trade_stream_note_last_trade(ingestor->stream, last);
}

static void on_instruments(struct instrument_list *list, void *context)
{
    const struct ingestor *ingestor = context;

    shard_select_instruments(ingestor->shard, list);
}

/* --- starting -----------------------------------------------------------------------------------
 */

/* Its mistakes were reported at program start. */
static void read_selection(struct ingestor *ingestor)
{
    struct config_problems problems = {0};

    instrument_selection_read(&ingestor->config->instruments, &ingestor->selection, &problems);
    config_problems_clear(&problems);
}

static int ensure_topics(void *context, struct err *err)
{
    const struct ingestor *ingestor = context;

    return topic_admin_ensure(&ingestor->config->kafka, err);
}

static int register_schemas(void *context, struct err *err)
{
    static const enum record_kind kinds[] = {
        RECORD_TRADE,         RECORD_CANDLE,       RECORD_CURRENCY_CHAIN,
        RECORD_FETCH_COMMAND, RECORD_FETCH_RESULT, RECORD_TRADE_POSITION,
    };
    const struct ingestor *ingestor = context;

    return record_writer_register(ingestor->writer, ingestor->registry, kinds,
                                  sizeof kinds / sizeof kinds[0], err);
}

static struct okx_rest_client *create_rest_client(const struct ingestor *ingestor)
{
    const struct okx_settings *okx = &ingestor->config->okx;
    struct okx_rest_options options = {
        .url = okx->rest_url,
        .ca_file = okx->ca_file,
        .user_agent = ingestor->user_agent,
        .api_key = okx->api_key,
        .api_secret = okx->api_secret,
        .api_passphrase = okx->api_passphrase,
    };

    for (size_t i = 0; i < OKX_ENDPOINT_COUNT; i++)
        options.limits[i] = okx->limits[i];
    return okx_rest_client_create(&options, ingestor->registry_of_metrics);
}

static int open_connections(struct ingestor *ingestor, struct err *err)
{
    const struct ingestor_config *config = ingestor->config;

    ingestor->user_agent = mem_sprintf("currency-trends/%s", program_version());
    ingestor->registry_of_metrics = metrics_create();
    ingestor_metrics_init(&ingestor->metrics, ingestor->registry_of_metrics);
    ingestor->status =
        status_server_start(config->service.status_address, ingestor->registry_of_metrics, err);
    if (!ingestor->status)
        return -1;
    status_server_set_condition(ingestor->status, "okx-websocket", false, "starting");
    ingestor->registry = schema_registry_create(&config->registry, err);
    if (!ingestor->registry)
        return -1;
    ingestor->producer =
        kafka_producer_create(&config->kafka, "ingestor", ingestor->registry_of_metrics, err);
    if (!ingestor->producer)
        return -1;
    ingestor->writer = record_writer_create(ingestor->producer, &config->kafka.topics);
    if (service_start_await("kafka", ensure_topics, ingestor, ingestor->status, err) != 0)
        return -1;
    /* Reaching Kafka is not yet owning partitions; the shard says when that holds. */
    status_server_set_condition(ingestor->status, "kafka", false, "joining the group");
    return service_start_await("schema-registry", register_schemas, ingestor, ingestor->status,
                               err);
}

static int start_stream(struct ingestor *ingestor, struct err *err)
{
    const struct ingestor_config *config = ingestor->config;
    const struct trade_stream_options options = {
        .url = config->okx.ws_url,
        .ca_file = config->okx.ca_file,
        .user_agent = ingestor->user_agent,
        .channel = config->okx.trades_channel,
        .limits = {(size_t)config->ws_channels_per_connection, config->ws_connection_age_ms},
        .repair_trades_max = config->repair_trades_max,
        .writer = ingestor->writer,
        .producer = ingestor->producer,
        .topics = &config->kafka.topics,
        .queue = ingestor->queue,
        .metrics = &ingestor->metrics,
        .failure = &ingestor->failure,
        .status = ingestor->status,
    };

    ingestor->stream = trade_stream_start(&options, err);
    return ingestor->stream ? 0 : -1;
}

static int start_shard(struct ingestor *ingestor, struct err *err)
{
    const struct shard_options options = {
        .kafka = &ingestor->config->kafka,
        .registry = ingestor->registry,
        .selection = &ingestor->selection,
        .stream = ingestor->stream,
        .queue = ingestor->queue,
        .producer = ingestor->producer,
        .metrics = &ingestor->metrics,
        .failure = &ingestor->failure,
        .status = ingestor->status,
        .commands_max = (size_t)ingestor->config->fetch_queue_max,
        .is_aggregated = strcmp(ingestor->config->okx.trades_channel, "trades") == 0,
    };

    ingestor->shard = shard_create(&options, err);
    return ingestor->shard ? 0 : -1;
}

static int start_workers(struct ingestor *ingestor, struct err *err)
{
    const struct ingestor_config *config = ingestor->config;
    const struct fetch_worker_options options = {
        .rest = ingestor->rest,
        .writer = ingestor->writer,
        .producer = ingestor->producer,
        .topics = &config->kafka.topics,
        .queue = ingestor->queue,
        .metrics = &ingestor->metrics,
        .failure = &ingestor->failure,
        .base_currency = ingestor->selection.base_currency,
        .thread_count = (size_t)config->fetch_workers,
        .deadline_ms = config->fetch_deadline_ms,
        .instruments_refresh_ms = config->instruments_refresh_ms,
        .sink = {on_finished, on_last_trade, on_instruments, ingestor},
    };

    ingestor->workers = fetch_workers_start(&options, err);
    if (!ingestor->workers)
        return -1;
    if (ingestor->selection.is_all)
        fetch_workers_follow_instruments(ingestor->workers);
    return 0;
}

/* --- running and stopping -----------------------------------------------------------------------
 */

static int run(struct ingestor *ingestor, struct err *err)
{
    read_selection(ingestor);
    if (open_connections(ingestor, err) != 0)
        return -1;
    ingestor->queue = fetch_queue_create();
    ingestor->rest = create_rest_client(ingestor);
    if (start_stream(ingestor, err) != 0 || start_shard(ingestor, err) != 0 ||
        start_workers(ingestor, err) != 0 ||
        shard_run(ingestor->shard, ingestor->workers, err) != 0)
        return -1;
    if (atomic_load(&ingestor->failure.has_happened))
        return err_set(err, ERR_REMOTE, "stopped after a failure that was logged");
    return 0;
}

static void publish_rest(struct ingestor *ingestor)
{
    struct err err = {0};

    if (kafka_producer_flush(ingestor->producer, FLUSH_TIMEOUT_MS, &err) == 0) {
        trade_stream_publish_positions(ingestor->stream);
        if (kafka_producer_flush(ingestor->producer, FLUSH_TIMEOUT_MS, &err) != 0)
            log_warn("last positions not acknowledged", LOG_STR("reason", err.message));
    } else {
        log_warn("stopping with records unsent: the next start repairs them",
                 LOG_STR("reason", err.message));
    }
}

/* Intake first, then everything into Kafka, then the positions and offsets that it allows. */
static void stop(struct ingestor *ingestor)
{
    if (ingestor->status)
        status_server_set_condition(ingestor->status, "kafka", false, "stopping");
    trade_stream_stop(ingestor->stream);
    fetch_workers_stop(ingestor->workers);
    if (ingestor->shard)
        publish_rest(ingestor);
    shard_leave(ingestor->shard);
}

static void close_all(struct ingestor *ingestor)
{
    kafka_producer_destroy(ingestor->producer); /* no delivery report after this */
    shard_destroy(ingestor->shard);
    fetch_workers_destroy(ingestor->workers);
    fetch_queue_destroy(ingestor->queue);
    trade_stream_destroy(ingestor->stream);
    okx_rest_client_destroy(ingestor->rest);
    record_writer_destroy(ingestor->writer);
    schema_registry_destroy(ingestor->registry);
    status_server_stop(ingestor->status);
    metrics_destroy(ingestor->registry_of_metrics);
    free(ingestor->user_agent);
    instrument_selection_clear(&ingestor->selection);
}

/* Runs until it is told to stop or cannot go on. True: it can, once begun anew. */
static bool serve(const struct ingestor_config *config, int *status)
{
    struct ingestor ingestor = {.config = config};
    struct err err = {0};
    bool is_producer_lost;

    *status = PROGRAM_EXIT_OK;
    if (run(&ingestor, &err) != 0 && err.code != ERR_STOPPED) {
        log_error("ingestor failed", LOG_STR("reason", err.message));
        *status = err.code == ERR_CONFIG ? PROGRAM_EXIT_CONFIG : PROGRAM_EXIT_FAILURE;
    }
    stop(&ingestor);
    is_producer_lost = ingestor.producer && kafka_producer_is_lost(ingestor.producer);
    close_all(&ingestor);
    return service_begins_anew(is_producer_lost);
}

int main(int argc, char **argv)
{
    struct ingestor_config config = {0};
    int status = program_start(&ingestor_program, argc, argv, &config);

    if (status != -1)
        return status;
    service_settings_apply(&config.service, "ingestor");
    shutdown_install();
    http_client_global_init();
    log_info("ingestor starting", LOG_STR("version", program_version()));
    while (serve(&config, &status))
        continue;
    ingestor_config_clear(&config);
    log_info("ingestor stopped", LOG_INT("status", status));
    return status;
}
