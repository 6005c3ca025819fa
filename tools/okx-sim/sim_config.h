/* The simulator's settings, from the environment. */
#ifndef OKX_SIM_SIM_CONFIG_H
#define OKX_SIM_SIM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/env_config.h"
#include "base/err.h"
#include "market.h"

struct sim_config {
    char *address, *admin_address, *ports_file;
    char *tls_cert_file, *tls_key_file;
    char *replay_directory;
    int64_t seed;
    char *trade_rate, *instruments;
    char *api_key, *api_secret, *api_passphrase;
    bool has_rate_limits;
    int64_t rest_latency_ms, rest_trades_lag_ms, confirm_lag_ms;
    int64_t idle_timeout_ms, send_lag_max_ms, channels_max;
    char *log_level, *log_format;
};

extern const struct setting sim_settings[];
extern const size_t sim_setting_count;

/* Takes "--replay DIR", another way to say SIM_REPLAY_DIR, out of the arguments; call it before
 * program_start, and before any thread is started. */
void sim_config_take_arguments(int *argc, char **argv);
/* For struct program: what goes beyond one row. */
void sim_config_validate(void *target, struct config_problems *problems);
void sim_config_clear(struct sim_config *config);

/* "0.05" trades a second to trades in 10^6 seconds. ERR_CONFIG. */
int sim_config_read_rate(const char *text, int64_t *micro_rate, struct err *err) MUST_CHECK;

struct listen_address {
    char host[64];
    int port; /* 0: a free one */
};
/* "127.0.0.1:8900". ERR_CONFIG. */
int sim_config_read_address(const char *text, struct listen_address *address,
                            struct err *err) MUST_CHECK;

#endif
