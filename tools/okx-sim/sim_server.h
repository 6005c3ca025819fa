/*
 * The listening side: one libwebsockets context with two doors, OKX's (REST and WebSocket) and the
 * admin port. One thread runs it all.
 */
#ifndef OKX_SIM_SIM_SERVER_H
#define OKX_SIM_SIM_SERVER_H

#include "admin_api.h"
#include "base/attributes.h"
#include "base/err.h"
#include "rest_api.h"
#include "sim_config.h"
#include "ws_hub.h"

struct sim_server;

struct sim_server_options {
    struct listen_address address, admin_address;
    const char *tls_cert_file, *tls_key_file; /* NULL: plain */
    int64_t rest_latency_ms;
    struct rest_api *rest; /* borrowed, as the others */
    struct admin_api *admin;
    struct ws_hub *hub;
};

/* Listens on both addresses. NULL: ERR_SYSTEM when that fails. */
struct sim_server *sim_server_create(const struct sim_server_options *options,
                                     struct err *err) MUST_CHECK;
void sim_server_destroy(struct sim_server *server);
/* The ports that it listens on. */
int sim_server_port(const struct sim_server *server);
int sim_server_admin_port(const struct sim_server *server);
/* Serves until shutdown is requested. */
void sim_server_run(struct sim_server *server);

#endif
