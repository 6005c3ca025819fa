/*
 * dead-letters: shows what was put aside in the topic dead-letters, and puts it back.
 *
 *     Kafka → letter_topic → letter, letter_index → letter_text → stdout     list, explain
 *                                                 ↘ put_back → Kafka         retry, dismiss
 *
 * One thread, besides librdkafka's. Reads outside any group, so nobody's offsets change.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/program.h"
#include "base/shutdown.h"
#include "io/http_client.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "letter_topic.h"
#include "options.h"
#include "settle.h"
#include "show.h"

enum { EXIT_NOT_FOUND = 3 };

struct dead_letters_config {
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
};

static const struct setting settings[] = {
    KAFKA_SETTINGS(struct dead_letters_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct dead_letters_config, registry),
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static void validate(void *config, struct config_problems *problems)
{
    kafka_settings_load_properties(&((struct dead_letters_config *)config)->kafka, problems);
}

static int exit_status(const struct err *err)
{
    if (err->message[0] != '\0')
        fprintf(stderr, "dead-letters: %s\n", err->message);
    switch (err->code) {
    case ERR_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case ERR_CONFIG:
        return PROGRAM_EXIT_CONFIG;
    default:
        return PROGRAM_EXIT_FAILURE;
    }
}

/* Returns -1 with err, or how many letters were left alone. */
static int do_verb(const struct dead_letters_config *config,
                   const struct dead_letters_options *options, struct err *err)
{
    struct schema_registry *registry = schema_registry_create(&config->registry, err);
    struct letter_topic *letters = NULL;
    int status = -1;

    if (registry)
        letters = letter_topic_open(&config->kafka,
                                    topic_name(&config->kafka.topics, TOPIC_DEAD_LETTERS), err);
    if (letters) {
        switch (options->verb) {
        case VERB_LIST:
            status = show_list(letters, &config->kafka, options, err);
            break;
        case VERB_EXPLAIN:
            status = show_explanation(letters, &config->kafka, registry, options, err);
            break;
        case VERB_RETRY:
        case VERB_DISMISS:
            status = settle_letters(letters, &config->kafka, registry, options, err);
            break;
        case VERB_NONE:
            break;
        }
    }
    letter_topic_close(letters);
    schema_registry_destroy(registry);
    return status;
}

static int run(const struct dead_letters_config *config, const struct dead_letters_options *options)
{
    struct err err = {0};
    int status = do_verb(config, options, &err);

    if (err.code == ERR_STOPPED && (options->verb == VERB_LIST || options->verb == VERB_EXPLAIN))
        return PROGRAM_EXIT_OK; /* nobody wants to read on */
    if (status < 0 || err.code != ERR_NONE)
        return exit_status(&err);
    return status == 0 ? PROGRAM_EXIT_OK : PROGRAM_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "dead-letters",
        .summary = "shows records that could not be used, and puts them back",
        .actions = dead_letters_options_help,
        .settings = settings,
        .setting_count = SETTING_COUNT,
        .validate = validate,
    };
    struct dead_letters_options options = {0};
    struct dead_letters_config config = {0};
    struct err err = {0};
    int status = 0;

    if (dead_letters_options_parse(argc, argv, clock_wall_ms(), &options, &err) != 0)
        return exit_status(&err);
    status = program_start(&program, options.action ? 2 : 1,
                           (char *[]){argv[0], (char *)options.action, NULL}, &config);
    if (status == -1) {
        log_configure("dead-letters", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
        shutdown_install();
        http_client_global_init();
        status = run(&config, &options);
        env_config_clear(settings, SETTING_COUNT, &config);
    }
    kafka_settings_clear_properties(&config.kafka);
    dead_letters_options_clear(&options);
    return status;
}
