/*
 * The scheduler: turns schedules and missing history into commands for the ingestors.
 *
 *   fetch-results, control -> result_reader -> command_plan -> command_publisher -> control
 *                                                 ^ clock
 *
 * Threads: schedule_loop runs on the main thread; the status server and librdkafka have their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/shutdown.h"
#include "command_publisher.h"
#include "firing_list.h"
#include "io/http_client.h"
#include "io/kafka_producer.h"
#include "io/record_writer.h"
#include "io/service_start.h"
#include "io/topic_admin.h"
#include "schedule_loop.h"
#include "scheduler_config.h"

enum { FLUSH_TIMEOUT_MS = 4000 };

struct scheduler {
    const struct scheduler_config *config;
    struct metrics *metrics;
    struct status_server *status;
    struct kafka_producer *producer;
    struct schema_registry *registry;
    struct record_writer *writer;
    struct command_publisher *publisher;
};

static int ensure_topics(void *context, struct err *err)
{
    const struct scheduler *scheduler = context;

    return topic_admin_ensure(&scheduler->config->kafka, err);
}

static int register_schemas(void *context, struct err *err)
{
    static const enum record_kind kinds[] = {RECORD_FETCH_COMMAND};
    struct scheduler *scheduler = context;

    return record_writer_register(scheduler->writer, scheduler->registry, kinds,
                                  sizeof kinds / sizeof kinds[0], err);
}

static int open_all(struct scheduler *scheduler, struct err *err)
{
    const struct scheduler_config *config = scheduler->config;

    scheduler->metrics = metrics_create();
    program_show_build(scheduler->metrics);
    scheduler->status =
        status_server_start(config->service.status_address, scheduler->metrics, err);
    if (!scheduler->status)
        return -1;
    scheduler->registry = schema_registry_create(&config->registry, err);
    if (!scheduler->registry)
        return -1;
    scheduler->producer =
        kafka_producer_create(&config->kafka, "scheduler", scheduler->metrics, err);
    if (!scheduler->producer)
        return -1;
    scheduler->writer = record_writer_create(scheduler->producer, &config->kafka.topics);
    scheduler->publisher = command_publisher_create(scheduler->writer, scheduler->metrics);
    return 0;
}

static void close_all(struct scheduler *scheduler)
{
    command_publisher_destroy(scheduler->publisher);
    record_writer_destroy(scheduler->writer);
    kafka_producer_destroy(scheduler->producer);
    schema_registry_destroy(scheduler->registry);
    status_server_stop(scheduler->status);
    metrics_destroy(scheduler->metrics);
}

static int run(struct scheduler *scheduler, struct err *err)
{
    const struct schedule_loop_options options = {
        .config = scheduler->config,
        .registry = scheduler->registry,
        .publisher = scheduler->publisher,
        .metrics = scheduler->metrics,
        .status = scheduler->status,
    };

    if (service_start_await("kafka", ensure_topics, scheduler, scheduler->status, err) != 0 ||
        service_start_await("schema-registry", register_schemas, scheduler, scheduler->status,
                            err) != 0 ||
        schedule_loop_run(&options, err) != 0)
        return -1;
    return kafka_producer_flush(scheduler->producer, FLUSH_TIMEOUT_MS, err);
}

static int list_firings(int argc, char **argv)
{
    struct err err = {0};

    if (firing_list_print(argv + 2, argc - 2, stdout, &err) == 0)
        return PROGRAM_EXIT_OK;
    fprintf(stderr, "scheduler: %s\n", err.message);
    return PROGRAM_EXIT_CONFIG;
}

/* Runs until it is told to stop or cannot go on. True: it can, once begun anew. */
static bool serve(const struct scheduler_config *config, int *status)
{
    struct scheduler scheduler = {.config = config};
    struct err err = {0};
    bool is_producer_lost;

    *status = PROGRAM_EXIT_OK;
    if ((open_all(&scheduler, &err) != 0 || run(&scheduler, &err) != 0) &&
        err.code != ERR_STOPPED) {
        log_error("scheduler failed", LOG_STR("reason", err.message));
        *status = err.code == ERR_CONFIG ? PROGRAM_EXIT_CONFIG : PROGRAM_EXIT_FAILURE;
    }
    is_producer_lost = scheduler.producer && kafka_producer_is_lost(scheduler.producer);
    close_all(&scheduler);
    return service_begins_anew(is_producer_lost);
}

int main(int argc, char **argv)
{
    struct scheduler_config config = {0};
    int status = 0;

    if (argc > 1 && strcmp(argv[1], "--next-firings") == 0)
        return list_firings(argc, argv);
    status = program_start(&scheduler_program, argc, argv, &config);
    if (status != -1)
        return status;
    service_settings_apply(&config.service, "scheduler");
    shutdown_install();
    http_client_global_init();
    log_info("scheduler starting", LOG_STR("version", program_version()));
    while (serve(&config, &status))
        continue;
    scheduler_config_clear(&config);
    log_info("scheduler stopped", LOG_INT("status", status));
    return status;
}
