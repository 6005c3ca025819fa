#include "ingestor_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/probe.h"

enum { HOUR_MS = 3600 * 1000 };

#define LIMIT_SETTING(setting_name, endpoint, published, window)                                   \
    {                                                                                              \
        .name = (setting_name), .type = SETTING_INT, .fallback = (published), .min = 1,            \
        .max = 1000,                                                                               \
        .offset = offsetof(struct ingestor_config, okx.limits) + (endpoint) * sizeof(int64_t),     \
        .meaning = "requests per " window ", of all ingestors behind one IP address"               \
    }

static const struct setting settings[] = {
    {.name = "OKX_WS_URL",
     .type = SETTING_TEXT,
     .fallback = "wss://ws.okx.com",
     .offset = offsetof(struct ingestor_config, okx.ws_url),
     .meaning = "OKX's WebSocket server; /ws/v5/... is appended"},
    {.name = "OKX_REST_URL",
     .type = SETTING_TEXT,
     .fallback = "https://openapi.okx.com",
     .offset = offsetof(struct ingestor_config, okx.rest_url),
     .meaning = "OKX's REST server; /api/v5/... is appended"},
    {.name = "OKX_CA_FILE",
     .type = SETTING_TEXT,
     .offset = offsetof(struct ingestor_config, okx.ca_file),
     .meaning = "certificates to verify OKX by, instead of the system's"},
    {.name = "OKX_API_KEY",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct ingestor_config, okx.api_key),
     .meaning = "API key with permission Read, for currencies; without it they are skipped"},
    {.name = "OKX_API_SECRET",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct ingestor_config, okx.api_secret),
     .meaning = "secret of OKX_API_KEY"},
    {.name = "OKX_API_PASSPHRASE",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct ingestor_config, okx.api_passphrase),
     .meaning = "passphrase of OKX_API_KEY"},
    {.name = "OKX_TRADES_CHANNEL",
     .type = SETTING_CHOICE,
     .fallback = "trades-all",
     .choices = "trades-all|trades",
     .offset = offsetof(struct ingestor_config, okx.trades_channel),
     .meaning = "every single trade, or trades aggregated per taker order, price and source"},
    LIMIT_SETTING("OKX_LIMIT_TIME", OKX_ENDPOINT_TIME, "10", "2 s to public/time"),
    LIMIT_SETTING("OKX_LIMIT_INSTRUMENTS", OKX_ENDPOINT_INSTRUMENTS, "20",
                  "2 s to public/instruments"),
    LIMIT_SETTING("OKX_LIMIT_TRADES", OKX_ENDPOINT_TRADES, "100", "2 s to market/trades"),
    LIMIT_SETTING("OKX_LIMIT_HISTORY_TRADES", OKX_ENDPOINT_HISTORY_TRADES, "20",
                  "2 s to market/history-trades"),
    LIMIT_SETTING("OKX_LIMIT_CANDLES", OKX_ENDPOINT_CANDLES, "40", "2 s to market/candles"),
    LIMIT_SETTING("OKX_LIMIT_HISTORY_CANDLES", OKX_ENDPOINT_HISTORY_CANDLES, "20",
                  "2 s to market/history-candles"),
    LIMIT_SETTING("OKX_LIMIT_CURRENCIES", OKX_ENDPOINT_CURRENCIES, "6", "1 s to asset/currencies"),
    INSTRUMENT_SETTINGS(struct ingestor_config, instruments),
    {.name = "INSTRUMENTS_REFRESH",
     .type = SETTING_DURATION_MS,
     .fallback = "1h",
     .min = 1000,
     .max = 24 * HOUR_MS,
     .offset = offsetof(struct ingestor_config, instruments_refresh_ms),
     .meaning = "how often CURRENCIES=* looks for new and delisted instruments"},
    {.name = "WS_CHANNELS_PER_CONNECTION",
     .type = SETTING_INT,
     .fallback = "100",
     .min = 1,
     .max = 400,
     .offset = offsetof(struct ingestor_config, ws_channels_per_connection),
     .meaning = "instruments on one WebSocket connection"},
    {.name = "WS_CONNECTION_AGE",
     .type = SETTING_DURATION_MS,
     .fallback = "23h",
     .max = 365 * 24 * (int64_t)HOUR_MS,
     .offset = offsetof(struct ingestor_config, ws_connection_age_ms),
     .meaning =
         "a connection is replaced without a break before it is older; 0s: never for its age"},
    {.name = "REPAIR_TRADES_MAX",
     .type = SETTING_INT,
     .fallback = "100000",
     .min = 1,
     .max = 10000000,
     .offset = offsetof(struct ingestor_config, repair_trades_max),
     .meaning = "trades of one hole that are fetched at most; the rest is reported as missing"},
    {.name = "FETCH_WORKERS",
     .type = SETTING_INT,
     .fallback = "4",
     .min = 1,
     .max = 32,
     .offset = offsetof(struct ingestor_config, fetch_workers),
     .meaning = "threads that fetch over REST"},
    {.name = "FETCH_QUEUE_MAX",
     .type = SETTING_INT,
     .fallback = "1000",
     .min = 1,
     .max = 100000,
     .offset = offsetof(struct ingestor_config, fetch_queue_max),
     .meaning = "commands taken from control at once; more wait in Kafka"},
    {.name = "FETCH_DEADLINE",
     .type = SETTING_DURATION_MS,
     .fallback = "10m",
     .min = 1000,
     .max = 24 * HOUR_MS,
     .offset = offsetof(struct ingestor_config, fetch_deadline_ms),
     .meaning = "how long a command may go without progress before it is reported as failed"},
    KAFKA_SETTINGS(struct ingestor_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct ingestor_config, registry),
    SERVICE_SETTINGS(struct ingestor_config, service),
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* A misspelt OKX_ variable would otherwise go unnoticed. */
static void find_unknown_variables(struct config_problems *problems)
{
    for (char **variable = environ; *variable; variable++) {
        size_t length = strcspn(*variable, "=");
        /* OKX_CAPTURES is where the tests find recorded messages. */
        bool is_known = strncmp(*variable, "OKX_", 4) != 0 ||
                        strncmp(*variable, "OKX_CAPTURES=", strlen("OKX_CAPTURES=")) == 0;

        for (size_t i = 0; i < SETTING_COUNT && !is_known; i++) {
            size_t name_length = strlen(settings[i].name);
            bool has_name = strncmp(*variable, settings[i].name, name_length) == 0;
            bool is_file = settings[i].flags & SETTING_SECRET && length == name_length + 5 &&
                           strncmp(*variable + name_length, "_FILE", 5) == 0;

            is_known = has_name && (length == name_length || is_file);
        }
        if (!is_known)
            config_problems_add(problems, "%.*s is no setting of any service, see --help",
                                (int)length, *variable);
    }
}

static bool begins_with_one_of(const char *url, const char *first, const char *second)
{
    size_t length = strlen(strncmp(url, first, strlen(first)) == 0 ? first : second);

    return (strncmp(url, first, strlen(first)) == 0 || strncmp(url, second, strlen(second)) == 0) &&
           url[length] != '\0' && url[length] != '/';
}

/* OKX has no use for a user in an address, so that is a mistake, too. */
static void check_address(const char *name, const char *url, const char *first, const char *second,
                          struct config_problems *problems)
{
    char *shown = NULL;

    if (begins_with_one_of(url, first, second) && !strchr(url, '@'))
        return;
    shown = env_config_printable(url);
    config_problems_add(problems, "%s is '%s', expected %shost or %shost", name, shown, first,
                        second);
    free(shown);
}

static void check_okx(const struct okx_settings *okx, struct config_problems *problems)
{
    int key_parts =
        (okx->api_key != NULL) + (okx->api_secret != NULL) + (okx->api_passphrase != NULL);

    check_address("OKX_WS_URL", okx->ws_url, "wss://", "ws://", problems);
    check_address("OKX_REST_URL", okx->rest_url, "https://", "http://", problems);
    if (okx->ca_file && access(okx->ca_file, R_OK) != 0)
        config_problems_add(problems, "OKX_CA_FILE: %s cannot be read", okx->ca_file);
    if (key_parts != 0 && key_parts != 3)
        config_problems_add(problems, "OKX_API_KEY, OKX_API_SECRET and OKX_API_PASSPHRASE must be "
                                      "set together or not at all");
}

static void validate(void *target, struct config_problems *problems)
{
    struct ingestor_config *config = target;
    struct instrument_selection selection;

    check_okx(&config->okx, problems);
    find_unknown_variables(problems);
    instrument_selection_read(&config->instruments, &selection, problems);
    instrument_selection_clear(&selection);
    kafka_settings_load_properties(&config->kafka, problems);
}

static int probe(const void *config)
{
    return probe_run(((const struct ingestor_config *)config)->service.status_address, "/readyz");
}

const struct program ingestor_program = {
    .name = "ingestor",
    .summary = "publishes OKX's trades, candles and currencies to Kafka",
    .settings = settings,
    .setting_count = SETTING_COUNT,
    .validate = validate,
    .probe = probe,
};

void ingestor_config_clear(struct ingestor_config *config)
{
    kafka_settings_clear_properties(&config->kafka);
    env_config_clear(settings, SETTING_COUNT, config);
}
