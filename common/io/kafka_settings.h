/*
 * How to reach Kafka, from the environment: KAFKA_BOOTSTRAP_SERVERS and any librdkafka property as
 * KAFKA_<NAME> (KAFKA_SECURITY_PROTOCOL is security.protocol), a file's content as
 * KAFKA_<NAME>_FILE for secrets, and the topic settings that all services share.
 */
#ifndef IO_KAFKA_SETTINGS_H
#define IO_KAFKA_SETTINGS_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/env_config.h"
#include "base/err.h"
#include "domain/topics.h"

struct kafka_property {
    char *name; /* librdkafka's: "security.protocol" */
    char *value;
};

struct kafka_settings {
    char *bootstrap_servers;
    char *topic_prefix;
    int64_t topic_partitions;
    int64_t topic_replication_factor;
    /* Filled by kafka_settings_load_properties: */
    struct kafka_property *properties;
    size_t property_count;
    struct topic_names topics;
};

#define KAFKA_SETTINGS(config_type, member)                                                        \
    {.name = "KAFKA_BOOTSTRAP_SERVERS",                                                            \
     .type = SETTING_TEXT,                                                                         \
     .flags = SETTING_REQUIRED,                                                                    \
     .offset = offsetof(config_type, member.bootstrap_servers),                                    \
     .meaning = "brokers as host:port, separated by commas"},                                      \
        {.name = "TOPIC_PREFIX",                                                                   \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(config_type, member.topic_prefix),                                     \
         .meaning = "put before every topic name, as it stands"},                                  \
        {.name = "TOPIC_PARTITIONS",                                                               \
         .type = SETTING_INT,                                                                      \
         .fallback = "12",                                                                         \
         .min = 1,                                                                                 \
         .max = 1000,                                                                              \
         .offset = offsetof(config_type, member.topic_partitions),                                 \
         .meaning = "partitions of trades, candles, control and positions"},                       \
    {                                                                                              \
        .name = "TOPIC_REPLICATION_FACTOR", .type = SETTING_INT, .fallback = "3", .min = 1,        \
        .max = 15, .offset = offsetof(config_type, member.topic_replication_factor),               \
        .meaning = "copies of each partition of topics that are created"                           \
    }

/* Call in the program's validate step: reads the KAFKA_* properties of the process's environment,
 * checks each against librdkafka, and builds the topic names. Mistakes are added to problems. */
void kafka_settings_load_properties(struct kafka_settings *settings,
                                    struct config_problems *problems);
/* What env_config_clear does not know: properties. */
void kafka_settings_clear_properties(struct kafka_settings *settings);

/* What a kind of client sets; each list ends with an entry without a name, or is NULL. */
struct kafka_client_properties {
    const struct kafka_property *defaults; /* the user's properties stand over these, */
    const struct kafka_property *promises; /* and under these: no setting can undo them */
};

/* Returns owned: a configuration with the servers, client.id, our log callback, and the properties
 * of the client and of the user. client: borrowed; NULL for none of its own. */
rd_kafka_conf_t *kafka_settings_new_conf(const struct kafka_settings *settings,
                                         const char *client_id,
                                         const struct kafka_client_properties *client,
                                         struct err *err) MUST_CHECK;

/* rd_kafka_conf_set with our error idiom; the text names property and reason. */
int kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                   struct err *err) MUST_CHECK;

/* Returns owned the label of metrics about a topic, its name without prefix: topic="trades". */
char *kafka_settings_topic_label(const struct kafka_settings *settings,
                                 const char *topic) MUST_CHECK;

#endif
