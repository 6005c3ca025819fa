#include "sim_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "instrument.h"

#define ROW(name_, type_, member_, ...)                                                            \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = offsetof(struct sim_config, member_),          \
        __VA_ARGS__                                                                                \
    }

const struct setting sim_settings[] = {
    ROW("SIM_ADDRESS", SETTING_TEXT, address, .fallback = "127.0.0.1:8900",
        .meaning =
            "host:port of REST (/api/v5/...) and WebSocket (/ws/v5/...); port 0: a free one"),
    ROW("SIM_ADMIN_ADDRESS", SETTING_TEXT, admin_address, .fallback = "127.0.0.1:8901",
        .meaning = "host:port of the ledger, the figures and the faults"),
    ROW("SIM_PORTS_FILE", SETTING_TEXT, ports_file,
        .meaning = "once listening, the ports are written here: okx=PORT, admin=PORT"),
    ROW("SIM_TLS_CERT_FILE", SETTING_TEXT, tls_cert_file,
        .meaning = "PEM certificate; with SIM_TLS_KEY_FILE: https and wss"),
    ROW("SIM_TLS_KEY_FILE", SETTING_TEXT, tls_key_file, .meaning = "PEM private key"),
    ROW("SIM_REPLAY_DIR", SETTING_TEXT, replay_directory,
        .meaning = "recorded messages to serve in place of a market; also --replay DIR"),
    ROW("SIM_SEED", SETTING_INT, seed, .fallback = "1", .min = 0, .max = INT64_MAX,
        .meaning = "the same seed and rate give the same market"),
    ROW("SIM_TRADE_RATE", SETTING_TEXT, trade_rate, .fallback = "10",
        .meaning = "trades per second and instrument, such as 0.05; at most 100000"),
    ROW("SIM_INSTRUMENTS", SETTING_TEXT, instruments,
        .fallback = "BTC-USDT,ETH-USDT,TON-USDT,SOL-USDT,XRP-USDT",
        .meaning = "spot instruments; NAME@2026-11-01 was listed then, others before 2020"),
    ROW("SIM_API_KEY", SETTING_TEXT, api_key, .flags = SETTING_SECRET, .fallback = "sim-key",
        .meaning = "key of the one account, for asset/currencies"),
    ROW("SIM_API_SECRET", SETTING_TEXT, api_secret, .flags = SETTING_SECRET,
        .fallback = "sim-secret", .meaning = "its secret"),
    ROW("SIM_API_PASSPHRASE", SETTING_TEXT, api_passphrase, .flags = SETTING_SECRET,
        .fallback = "sim-passphrase", .meaning = "its passphrase"),
    ROW("SIM_RATE_LIMITS", SETTING_BOOL, has_rate_limits, .fallback = "on",
        .meaning = "enforce OKX's limits: REST, connections per second, subscriptions per hour"),
    ROW("SIM_REST_LATENCY", SETTING_DURATION_MS, rest_latency_ms, .fallback = "0ms", .max = 60000,
        .meaning = "REST answers wait this long"),
    ROW("SIM_REST_TRADES_LAG", SETTING_DURATION_MS, rest_trades_lag_ms, .fallback = "500ms",
        .max = 600000, .meaning = "REST shows trades this much after the WebSocket"),
    ROW("SIM_CONFIRM_LAG", SETTING_DURATION_MS, confirm_lag_ms, .fallback = "1500ms", .max = 600000,
        .meaning = "REST candles are this old; a bar is confirmed so late"),
    ROW("SIM_IDLE_TIMEOUT", SETTING_DURATION_MS, idle_timeout_ms, .fallback = "30s", .min = 100,
        .max = 3600000, .meaning = "silent WebSocket connections are closed with 4004 after this"),
    ROW("SIM_SEND_LAG_MAX", SETTING_DURATION_MS, send_lag_max_ms, .fallback = "10s", .min = 100,
        .max = 3600000, .meaning = "readers further behind are closed with 4005"),
    ROW("SIM_CHANNELS_MAX", SETTING_INT, channels_max, .fallback = "500", .min = 1, .max = 100000,
        .meaning = "channels per connection; more are closed with 4009"),
    ROW("LOG_LEVEL", SETTING_CHOICE, log_level, .fallback = "info",
        .choices = "debug|info|warn|error", .meaning = "least level that is logged"),
    ROW("LOG_FORMAT", SETTING_CHOICE, log_format, .fallback = "json", .choices = "json|text",
        .meaning = "form of the log lines on stderr"),
};
const size_t sim_setting_count = sizeof sim_settings / sizeof sim_settings[0];

void sim_config_take_arguments(int *argc, char **argv)
{
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], "--replay") != 0)
            continue;
        setenv("SIM_REPLAY_DIR", argv[i + 1], 1);
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof *argv);
        *argc -= 2;
        return;
    }
}

int sim_config_read_rate(const char *text, int64_t *micro_rate, struct err *err)
{
    const int128 unit = (int128)1000000000000; /* a decimal counts 10^-18, a micro rate 10^-6 */
    struct decimal rate;

    if (decimal_parse(text_view_of(text), &rate, err) != 0) {
        err->code = ERR_CONFIG;
        return -1;
    }
    if (rate.unscaled < 0 || rate.unscaled % unit != 0 ||
        rate.unscaled / unit > (int128)MARKET_RATE_MAX * MARKET_RATE_UNIT)
        return err_set(err, ERR_CONFIG, "'%s' is not within 0 to %d with at most 6 decimals", text,
                       MARKET_RATE_MAX);
    *micro_rate = (int64_t)(rate.unscaled / unit);
    return 0;
}

int sim_config_read_address(const char *text, struct listen_address *address, struct err *err)
{
    const char *colon = strrchr(text, ':');
    size_t host_length = colon ? (size_t)(colon - text) : 0;
    struct err ignored;
    int64_t port;

    if (host_length == 0 || host_length >= sizeof address->host ||
        text_view_read_int64(text_view_of(colon + 1), &port, &ignored) != 0 || port < 0 ||
        port > 65535)
        return err_set(err, ERR_CONFIG, "'%s' is not host:port", text);
    *address = (struct listen_address){.port = (int)port};
    memcpy(address->host, text, host_length);
    return 0;
}

void sim_config_validate(void *target, struct config_problems *problems)
{
    struct sim_config *config = target;
    struct listen_address address;
    struct instrument *instruments = NULL;
    int64_t rate;
    struct err err;

    if (sim_config_read_address(config->address, &address, &err) != 0)
        config_problems_add(problems, "SIM_ADDRESS: %s", err.message);
    if (sim_config_read_address(config->admin_address, &address, &err) != 0)
        config_problems_add(problems, "SIM_ADMIN_ADDRESS: %s", err.message);
    if (sim_config_read_rate(config->trade_rate, &rate, &err) != 0)
        config_problems_add(problems, "SIM_TRADE_RATE: %s", err.message);
    if (instrument_list_parse(text_view_of(config->instruments), &instruments, &err) < 0)
        config_problems_add(problems, "SIM_INSTRUMENTS: %s", err.message);
    free(instruments);
    if (!config->tls_cert_file != !config->tls_key_file)
        config_problems_add(problems, "SIM_TLS_CERT_FILE and SIM_TLS_KEY_FILE: only one is set");
}

void sim_config_clear(struct sim_config *config)
{
    env_config_clear(sim_settings, sim_setting_count, config);
}
