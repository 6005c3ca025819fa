/*
 * A Confluent-compatible schema registry. Ids and schemas that were seen once are kept for the life
 * of the process, so that a registry that goes away later harms nothing already known. Thread-safe.
 */
#ifndef IO_SCHEMA_REGISTRY_H
#define IO_SCHEMA_REGISTRY_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/env_config.h"
#include "base/err.h"
#include "base/text_view.h"

/* Part of each service's configuration: see SCHEMA_REGISTRY_SETTINGS. */
struct schema_registry_settings {
    char *url;       /* SCHEMA_REGISTRY_URL, may carry a path (/apis/ccompat/v7) */
    char *ca_file;   /* SCHEMA_REGISTRY_CA_FILE */
    char *cert_file; /* SCHEMA_REGISTRY_CERT_FILE */
    char *key_file;  /* SCHEMA_REGISTRY_KEY_FILE */
    char *user;      /* SCHEMA_REGISTRY_USER */
    char *password;  /* SCHEMA_REGISTRY_PASSWORD, secret */
};

/* The rows of the settings table, for a config struct that has a member of that type. */
#define SCHEMA_REGISTRY_SETTINGS(config_type, member)                                              \
    {.name = "SCHEMA_REGISTRY_URL",                                                                \
     .type = SETTING_TEXT,                                                                         \
     .flags = SETTING_REQUIRED,                                                                    \
     .offset = offsetof(config_type, member.url),                                                  \
     .meaning = "schema registry with Confluent's API, path included"},                            \
        {.name = "SCHEMA_REGISTRY_CA_FILE",                                                        \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(config_type, member.ca_file),                                          \
         .meaning = "certificates to verify the registry by, instead of the system's"},            \
        {.name = "SCHEMA_REGISTRY_CERT_FILE",                                                      \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(config_type, member.cert_file),                                        \
         .meaning = "client certificate for the registry"},                                        \
        {.name = "SCHEMA_REGISTRY_KEY_FILE",                                                       \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(config_type, member.key_file),                                         \
         .meaning = "key of the client certificate"},                                              \
        {.name = "SCHEMA_REGISTRY_USER",                                                           \
         .type = SETTING_TEXT,                                                                     \
         .offset = offsetof(config_type, member.user),                                             \
         .meaning = "user for Basic authentication at the registry"},                              \
    {                                                                                              \
        .name = "SCHEMA_REGISTRY_PASSWORD", .type = SETTING_TEXT, .flags = SETTING_SECRET,         \
        .offset = offsetof(config_type, member.password),                                          \
        .meaning = "password of SCHEMA_REGISTRY_USER"                                              \
    }

struct schema_registry;

/* Copies the settings. No request is made yet. */
struct schema_registry *schema_registry_create(const struct schema_registry_settings *settings,
                                               struct err *err) MUST_CHECK;
void schema_registry_destroy(struct schema_registry *registry);

/*
 * Registers schema (its literal text) under subject with compatibility FULL_TRANSITIVE, and gives
 * its id; the same text again gives the same id. Errors: ERR_NETWORK, ERR_TIMEOUT (retriable),
 * ERR_REMOTE (refused: incompatible, say; 5xx is retriable), ERR_UNAUTHORIZED (retriable).
 */
int schema_registry_register(struct schema_registry *registry, const char *subject,
                             struct text_view schema, int32_t *id, struct err *err) MUST_CHECK;

/* The schema text of an id: borrowed, valid until the registry is destroyed. Errors: ERR_NOT_FOUND
 * (the registry does not know the id) and ERR_UNSUPPORTED (no Avro) are final, so is ERR_STOPPED;
 * any other is retriable, since it says nothing about the schema: a refusal, an answer that is too
 * large or not the registry's. */
int schema_registry_get(struct schema_registry *registry, int32_t id, struct text_view *schema,
                        struct err *err) MUST_CHECK;

#endif
