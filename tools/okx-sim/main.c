/*
 * okx-sim: an OKX v5 exchange of its own, for demos, tests and benchmarks.
 *
 *   market (pure) -> tape (now, halts, gaps) -> ws_feed/ws_session -> sim_server -> WebSocket
 *                                            -> rest_market/rest_api ->           -> REST
 *                                            -> ledger/admin_api     ->           -> admin port
 *
 * One thread. With --replay DIR recorded messages take the place of the market.
 */
#include <string.h>

#include "admin_api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/program.h"
#include "base/shutdown.h"
#include "instrument.h"
#include "io/probe.h"
#include "ports_file.h"
#include "replay.h"
#include "sim_config.h"
#include "sim_server.h"

static struct tape *open_tape(const struct sim_config *config, struct err *err)
{
    struct market market = {.seed = (uint64_t)config->seed};
    struct instrument *instruments = NULL;
    int count;

    if (sim_config_read_rate(config->trade_rate, &market.micro_rate, err) != 0)
        return NULL;
    count = instrument_list_parse(text_view_of(config->instruments), &instruments, err);
    if (count < 0)
        return NULL;
    return tape_create(market, instruments, (size_t)count, clock_wall_ms());
}

static struct sim_server *open_server(const struct sim_config *config, struct rest_api *rest,
                                      struct admin_api *admin, struct ws_hub *hub, struct err *err)
{
    struct sim_server_options options = {
        .tls_cert_file = config->tls_cert_file,
        .tls_key_file = config->tls_key_file,
        .rest_latency_ms = config->rest_latency_ms,
        .rest = rest,
        .admin = admin,
        .hub = hub,
    };

    if (sim_config_read_address(config->address, &options.address, err) != 0 ||
        sim_config_read_address(config->admin_address, &options.admin_address, err) != 0)
        return NULL;
    return sim_server_create(&options, err);
}

static int run(const struct sim_config *config, struct err *err)
{
    struct tape *tape = open_tape(config, err);
    struct faults faults = {0};
    struct replay *replay = NULL;
    struct rest_api *rest = NULL;
    struct sim_server *server = NULL;
    struct ws_hub hub = {0};
    struct admin_api admin;
    int result = -1;

    if (!tape)
        goto out;
    if (config->replay_directory) {
        replay = replay_load(config->replay_directory, err);
        if (!replay)
            goto out;
    }
    ws_hub_init(&hub,
                &(struct ws_settings){.idle_timeout_ms = config->idle_timeout_ms,
                                      .send_lag_max_ms = config->send_lag_max_ms,
                                      .channels_max = config->channels_max,
                                      .has_rate_limits = config->has_rate_limits},
                tape, &faults, replay);
    rest = rest_api_create(&(struct rest_api_options){
        .tape = tape,
        .faults = &faults,
        .replay = replay,
        .credentials = {config->api_key, config->api_secret, config->api_passphrase},
        .has_rate_limits = config->has_rate_limits,
        .trades_lag_ms = config->rest_trades_lag_ms,
        .confirm_lag_ms = config->confirm_lag_ms,
    });
    admin = (struct admin_api){.tape = tape, .faults = &faults, .hub = &hub, .rest = rest};
    server = open_server(config, rest, &admin, &hub, err);
    if (!server ||
        (config->ports_file && ports_file_write(config->ports_file, sim_server_port(server),
                                                sim_server_admin_port(server), err) != 0))
        goto out;
    log_info("listening", LOG_INT("port", sim_server_port(server)),
             LOG_INT("admin_port", sim_server_admin_port(server)),
             LOG_BOOL("tls", config->tls_cert_file != NULL), LOG_BOOL("replay", replay != NULL),
             LOG_STR("trade_rate", config->trade_rate));
    sim_server_run(server);
    log_info("stopping", LOG_INT("trades_sent", hub.trades_sent),
             LOG_INT("frames_sent", hub.frames_sent));
    result = 0;
out:
    sim_server_destroy(server); /* ends the sessions, so before the hub */
    rest_api_destroy(rest);
    ws_hub_clear(&hub);
    replay_destroy(replay);
    tape_destroy(tape);
    return result;
}

static int probe(const void *config)
{
    return probe_run(((const struct sim_config *)config)->admin_address, "/stats");
}

int main(int argc, char **argv)
{
    const struct program program = {
        .name = "okx-sim",
        .summary = "an OKX v5 exchange simulator: WebSocket, REST, ledger and faults",
        .settings = sim_settings,
        .setting_count = sim_setting_count,
        .validate = sim_config_validate,
        .probe = probe,
    };
    struct sim_config config = {0};
    enum log_level level = LOG_LEVEL_INFO;
    struct err err;
    int status;

    sim_config_take_arguments(&argc, argv);
    status = program_start(&program, argc, argv, &config);
    if (status != -1)
        return status;
    log_level_from_name(config.log_level, &level);
    log_configure("okx-sim", level,
                  strcmp(config.log_format, "text") == 0 ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON);
    shutdown_install();
    status = PROGRAM_EXIT_OK;
    if (run(&config, &err) != 0) {
        status = err.code == ERR_CONFIG ? PROGRAM_EXIT_CONFIG : PROGRAM_EXIT_FAILURE;
        log_error("okx-sim failed", LOG_STR("reason", err.message));
    }
    sim_config_clear(&config);
    return status;
}
