#include "persister_config.h"

#include <stddef.h>

#include "io/probe.h"

#define DATABASE_ROW(name_, member, flags_, meaning_)                                              \
    {                                                                                              \
        .name = (name_), .type = SETTING_TEXT, .flags = (flags_),                                  \
        .offset = offsetof(struct persister_config, database.member), .meaning = (meaning_)        \
    }

static const struct setting settings[] = {
    KAFKA_SETTINGS(struct persister_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct persister_config, registry),
    DATABASE_ROW("PGHOST", host, 0, "PostgreSQL server; libpq's, as every other PG* variable"),
    DATABASE_ROW("PGPORT", port, 0, "its port"),
    DATABASE_ROW("PGDATABASE", database, 0, "database"),
    DATABASE_ROW(
        "PGUSER", user, 0,
        "role: the owner of the tables, or one that migrations/roles/writer.sql was run for"),
    DATABASE_ROW("PGPASSWORD", password, SETTING_SECRET, "password of PGUSER"),
    {.name = "BATCH_ROWS",
     .type = SETTING_INT,
     .fallback = "5000",
     .min = 1,
     .max = 100000,
     .offset = offsetof(struct persister_config, batch_rows),
     .meaning = "most records in one transaction"},
    {.name = "BATCH_BYTES",
     .type = SETTING_INT,
     .fallback = "8388608",
     .min = 1024,
     .max = 67108864,
     .offset = offsetof(struct persister_config, batch_bytes),
     .meaning = "bytes of records after which a transaction takes no more of them"},
    {.name = "BATCH_AGE",
     .type = SETTING_DURATION_MS,
     .fallback = "100ms",
     .min = 1,
     .max = 60000,
     .offset = offsetof(struct persister_config, batch_age_ms),
     .meaning = "longest time to collect a transaction while records keep coming"},
    {.name = "WRITERS",
     .type = SETTING_INT,
     .fallback = "1",
     .min = 1,
     .max = 16,
     .offset = offsetof(struct persister_config, writers),
     .meaning = "connections to PostgreSQL that write at the same time"},
    {.name = "TRADES_RETENTION",
     .type = SETTING_DURATION_MS,
     .min = INT64_C(24) * 3600 * 1000,
     .max = INT64_C(100) * 366 * 24 * 3600 * 1000,
     .offset = offsetof(struct persister_config, trades_retention_ms),
     .meaning = "drop months of trades that are wholly older than this; unset: keep everything"},
    SERVICE_SETTINGS(struct persister_config, service),
};

static void validate(void *target, struct config_problems *problems)
{
    struct persister_config *config = target;

    kafka_settings_load_properties(&config->kafka, problems);
}

static int probe(const void *config)
{
    return probe_run(((const struct persister_config *)config)->service.status_address, "/readyz");
}

const struct program persister_program = {
    .name = "persister",
    .summary = "Consumes the data topics into PostgreSQL, exactly and without loss.",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
    .validate = validate,
    .probe = probe,
};

void persister_config_clear(struct persister_config *config)
{
    kafka_settings_clear_properties(&config->kafka);
    env_config_clear(settings, sizeof settings / sizeof settings[0], config);
}
