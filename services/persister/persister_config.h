/* The persister's settings. */
#ifndef PERSISTER_PERSISTER_CONFIG_H
#define PERSISTER_PERSISTER_CONFIG_H

#include <stdint.h>

#include "base/program.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "io/service_settings.h"

/* Only the password is read here (so that it may stand in a file); the others are libpq's, which
 * reads them itself, and are listed for --help and --print-config. */
struct database_settings {
    char *host, *port, *database, *user, *password;
};

struct persister_config {
    struct service_settings service;
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
    struct database_settings database;
    int64_t batch_rows;
    int64_t batch_bytes;
    int64_t batch_age_ms;
    int64_t writers;
    int64_t trades_retention_ms; /* 0: keep everything */
};

extern const struct program persister_program;

void persister_config_clear(struct persister_config *config);

#endif
