/*
 * Fills the topic trades with sample trades, by the ingestor's codec and producer settings; makes
 * the topics if they are not there, and ends with their number, as JSON, once Kafka has
 * acknowledged every record.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/program.h"
#include "io/http_client.h"
#include "io/record_writer.h"
#include "io/topic_admin.h"
#include "sample_trade.h"

enum { FLUSH_TIMEOUT_MS = 120000, FULL_QUEUE_PAUSE_NS = 500 * 1000 };

struct fill_config {
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
    int64_t first, count, start_ms;
};

#define NUMBER_ROW(name_, member, max_, meaning_)                                                  \
    {                                                                                              \
        .name = (name_), .type = SETTING_INT, .flags = SETTING_REQUIRED, .max = (max_),            \
        .offset = offsetof(struct fill_config, member), .meaning = (meaning_)                      \
    }

static const struct setting settings[] = {
    KAFKA_SETTINGS(struct fill_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct fill_config, registry),
    NUMBER_ROW("FILL_FIRST", first, INT64_C(1000000000), "number of the first sample trade"),
    NUMBER_ROW("FILL_COUNT", count, INT64_C(1000000000), "how many"),
    NUMBER_ROW("FILL_START_MS", start_ms, INT64_C(10000000000000), "Unix time of trade 0"),
};

static void validate(void *target, struct config_problems *problems)
{
    struct fill_config *config = target;

    kafka_settings_load_properties(&config->kafka, problems);
}

static const struct program program = {
    .name = "yard_fill",
    .summary = "Fills the topic trades with sample trades.",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .validate = validate,
};

static int publish(const struct fill_config *config, struct record_writer *writer, struct err *err)
{
    for (int64_t number = config->first; number < config->first + config->count; number++) {
        struct trade trade = sample_trade(number, config->start_ms);

        while (record_writer_send(writer, RECORD_TRADE, &trade, NULL, NULL, err) != 0) {
            if (err->code != ERR_FULL)
                return -1;
            nanosleep(&(struct timespec){.tv_nsec = FULL_QUEUE_PAUSE_NS}, NULL);
        }
    }
    return 0;
}

static int fill(const struct fill_config *config, struct err *err)
{
    static const enum record_kind kinds[] = {RECORD_TRADE};
    struct metrics *metrics = metrics_create();
    struct schema_registry *registry = schema_registry_create(&config->registry, err);
    struct kafka_producer *producer = NULL;
    struct record_writer *writer = NULL;
    int status = -1;

    if (!registry || topic_admin_ensure(&config->kafka, err) != 0)
        goto out;
    producer = kafka_producer_create(&config->kafka, program.name, metrics, err);
    if (!producer)
        goto out;
    writer = record_writer_create(producer, &config->kafka.topics);
    if (record_writer_register(writer, registry, kinds, 1, err) == 0 &&
        publish(config, writer, err) == 0)
        status = kafka_producer_flush(producer, FLUSH_TIMEOUT_MS, err);
out:
    kafka_producer_destroy(producer);
    record_writer_destroy(writer);
    schema_registry_destroy(registry);
    metrics_destroy(metrics);
    return status;
}

int main(int argc, char **argv)
{
    struct fill_config config = {0};
    struct err err = {0};
    int status = program_start(&program, argc, argv, &config);

    if (status < 0) {
        http_client_global_init();
        status = fill(&config, &err) == 0 ? PROGRAM_EXIT_OK : PROGRAM_EXIT_FAILURE;
        if (status == PROGRAM_EXIT_OK)
            printf("{\"records\": %lld}\n", (long long)config.count);
        else
            fprintf(stderr, "%s: %s\n", program.name, err.message);
    }
    kafka_settings_clear_properties(&config.kafka);
    env_config_clear(settings, program.setting_count, &config);
    return status;
}
