/* KAFKA_ variables as properties of librdkafka: see environment.h for the form of the input.
 * TOPIC_PREFIX is its own, read by the target. */
#include "io/kafka_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "environment.h"
#include "fuzz.h"

/* What all accept one by one makes a client's configuration, all together. */
static void check_conf(const struct kafka_settings *settings)
{
    struct err err = {0};
    rd_kafka_conf_t *conf = kafka_settings_new_conf(settings, "fuzz", NULL, &err);

    fuzz_check_outcome(conf != NULL, &err);
    FUZZ_CHECK(conf);
    for (size_t i = 0; i < settings->property_count; i++)
        for (size_t j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(settings->properties[i].name, settings->properties[j].name) != 0);
    rd_kafka_conf_destroy(conf);
}

static void check_topics(const struct kafka_settings *settings)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        const char *name = settings->topics.names[topic];
        char *label = kafka_settings_topic_label(settings, name);

        FUZZ_CHECK(topic_from_name(&settings->topics, name) == topic);
        FUZZ_CHECK(memchr(name, '\0', TOPIC_NAME_BYTES));
        FUZZ_CHECK(strncmp(label, "topic=\"", 7) == 0);
        free(label);
    }
}

/* librdkafka opens these when it is told of them. */
static bool names_a_file(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    bool found = strcasestr(text, "plugin") != NULL;

    free(text);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct kafka_settings settings = {.bootstrap_servers = "127.0.0.1:9092"};
    struct config_problems problems = {0};

    if (names_a_file(data, size))
        return 0;
    environment_replace(&input);
    settings.topic_prefix = mem_strdup(getenv("TOPIC_PREFIX"));
    kafka_settings_load_properties(&settings, &problems);
    environment_restore();
    for (size_t i = 0; i < problems.count; i++)
        FUZZ_CHECK(problems.lines[i][0] != '\0');
    check_conf(&settings);
    if (problems.count == 0)
        check_topics(&settings);
    kafka_settings_clear_properties(&settings);
    FUZZ_CHECK(settings.property_count == 0);
    config_problems_clear(&problems);
    free(settings.topic_prefix);
    return 0;
}
