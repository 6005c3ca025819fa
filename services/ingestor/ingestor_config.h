/* The ingestor's settings from the environment. */
#ifndef INGESTOR_INGESTOR_CONFIG_H
#define INGESTOR_INGESTOR_CONFIG_H

#include <stdint.h>

#include "base/program.h"
#include "domain/instrument_selection.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "io/service_settings.h"
#include "okx_request.h"

struct okx_settings {
    char *ws_url;
    char *rest_url;
    char *ca_file;
    char *api_key;
    char *api_secret;
    char *api_passphrase;
    char *trades_channel;
    int64_t limits[OKX_ENDPOINT_COUNT]; /* requests per window of the endpoint */
};

struct ingestor_config {
    struct okx_settings okx;
    struct instrument_settings instruments;
    int64_t ws_channels_per_connection;
    int64_t ws_connection_age_ms;
    int64_t repair_trades_max;
    int64_t fetch_workers;
    int64_t fetch_queue_max;
    int64_t fetch_deadline_ms;
    int64_t instruments_refresh_ms;
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
    struct service_settings service;
};

/* The program for program_start, whose config is a struct ingestor_config. */
extern const struct program ingestor_program;

void ingestor_config_clear(struct ingestor_config *config);

#endif
