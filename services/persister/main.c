/*
 * Consumes the data topics into PostgreSQL.
 *
 *   Kafka → kafka_consumer → persist_loop → writer → batch_store → PostgreSQL
 *                                             └→ dead_letter_box → Kafka (dead-letters)
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/shutdown.h"
#include "io/http_client.h"
#include "io/kafka_producer.h"
#include "io/service_start.h"
#include "io/status_server.h"
#include "io/topic_admin.h"
#include "persist_loop.h"
#include "persister_config.h"

enum { SUBJECT_BYTES = TOPIC_NAME_BYTES + sizeof "-value" };

static int ensure_topics(void *context, struct err *err)
{
    return topic_admin_ensure(context, err);
}

struct registration {
    struct schema_registry *registry;
    const struct topic_names *topics;
};

/* Knowing the schemas of the topics that are read shows that the registry is there. */
static int register_schemas(void *context, struct err *err)
{
    const struct registration *registration = context;

    for (size_t i = 0; i < PERSIST_TOPIC_COUNT; i++) {
        char subject[SUBJECT_BYTES];
        int32_t id;

        (void)snprintf(subject, sizeof subject, "%s-value",
                       topic_name(registration->topics, persist_topics[i]));
        if (schema_registry_register(registration->registry, subject,
                                     schema_text(topic_record_kind(persist_topics[i])), &id,
                                     err) != 0)
            return err_wrap(err, "register %s", subject);
    }
    return 0;
}

static int await_neighbours(struct persister_config *config, struct schema_registry *registry,
                            struct status_server *status, struct err *err)
{
    struct registration registration = {.registry = registry, .topics = &config->kafka.topics};

    status_server_set_condition(status, "kafka", false, "not connected yet");
    status_server_set_condition(status, "schema-registry", false, "not connected yet");
    status_server_set_condition(status, "postgresql", false, "not connected yet");
    if (service_start_await("kafka", ensure_topics, &config->kafka, status, err) != 0)
        return -1;
    return service_start_await("schema-registry", register_schemas, &registration, status, err);
}

static struct persist_loop *start_loop(const struct persister_config *config,
                                       struct schema_registry *registry,
                                       struct kafka_producer *producer, struct metrics *metrics,
                                       struct persist_metrics *series, struct status_server *status,
                                       struct err *err)
{
    return persist_loop_create(
        &(struct persist_loop_options){
            .kafka = &config->kafka,
            .metrics = metrics,
            .status = status,
            .series = series,
            .writer_count = (size_t)config->writers,
            .writer = {.limits = {.rows_max = (size_t)config->batch_rows,
                                  .bytes_max = (size_t)config->batch_bytes,
                                  .age_max_ms = config->batch_age_ms},
                       .database_password = config->database.password,
                       .retention_ms = config->trades_retention_ms,
                       .registry = registry,
                       .producer = producer,
                       .topics = &config->kafka.topics,
                       .metrics = series},
        },
        err);
}

static int exit_status(int result, const struct err *err)
{
    if (result == 0 || err->code == ERR_STOPPED)
        return PROGRAM_EXIT_OK;
    log_error("persister failed", LOG_STR("reason", err->message),
              LOG_STR("code", err_code_name(err->code)));
    return err->code == ERR_CONFIG ? PROGRAM_EXIT_CONFIG : PROGRAM_EXIT_FAILURE;
}

static int run(struct persister_config *config, bool *is_producer_lost, struct err *err)
{
    struct metrics *metrics = metrics_create();
    struct persist_metrics series;
    struct status_server *status = NULL;
    struct schema_registry *registry = NULL;
    struct kafka_producer *producer = NULL;
    struct persist_loop *loop = NULL;
    int result = -1;

    program_show_build(metrics);
    persist_metrics_init(&series, metrics);
    status = status_server_start(config->service.status_address, metrics, err);
    if (!status)
        goto out;
    registry = schema_registry_create(&config->registry, err);
    if (!registry)
        goto out;
    if (await_neighbours(config, registry, status, err) != 0)
        goto out;
    producer = kafka_producer_create(&config->kafka, "persister", metrics, err);
    if (!producer)
        goto out;
    loop = start_loop(config, registry, producer, metrics, &series, status, err);
    if (!loop)
        goto out;
    log_info("persister started", LOG_STR("version", program_version()),
             LOG_INT("writers", config->writers));
    result = persist_loop_run(loop, err); /* returns on SIGTERM */
    if (persist_loop_is_stuck(loop)) {
        log_warn("persister ends without cleaning up: a writer waits for a name server");
        _Exit(exit_status(result, err));
    }
out:
    *is_producer_lost = producer && kafka_producer_is_lost(producer);
    kafka_producer_destroy(producer); /* before the writers, whose dead letters it reports on */
    persist_loop_destroy(loop);
    schema_registry_destroy(registry);
    status_server_stop(status);
    metrics_destroy(metrics);
    return result;
}

int main(int argc, char **argv)
{
    struct persister_config config = {0};
    int status = program_start(&persister_program, argc, argv, &config);

    if (status < 0) {
        service_settings_apply(&config.service, persister_program.name);
        shutdown_install();
        http_client_global_init();
        bool is_producer_lost = false;

        do {
            struct err err = {0};

            status = exit_status(run(&config, &is_producer_lost, &err), &err);
        } while (service_begins_anew(is_producer_lost));
        log_info("persister stopped", LOG_INT("exit_status", status));
    }
    persister_config_clear(&config);
    return status;
}
