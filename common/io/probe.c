#include "io/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/program.h"
#include "io/http_client.h"

enum { TIMEOUT_MS = 3000, BODY_BYTES_MAX = 64 * 1024, STATUS_OK = 200 };

/* Returns owned the URL; an address of all interfaces is reached through loopback. */
static char *make_url(const char *address, const char *path)
{
    static const struct {
        const char *host;
        const char *reachable;
    } wildcards[] = {{"0.0.0.0", "127.0.0.1"}, {"", "127.0.0.1"}, {"[::]", "[::1]"}};
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;

    for (size_t i = 0; colon && i < sizeof wildcards / sizeof wildcards[0]; i++)
        if (strlen(wildcards[i].host) == length && strncmp(address, wildcards[i].host, length) == 0)
            return mem_sprintf("http://%s%s%s", wildcards[i].reachable, colon, path);
    return mem_sprintf("http://%s%s", address, path);
}

static int get(const char *url, struct http_response *response, struct err *err)
{
    struct http_client *client = http_client_create(
        &(struct http_client_options){
            .user_agent = "probe",
            .connect_timeout_ms = TIMEOUT_MS,
            .timeout_ms = TIMEOUT_MS,
            .body_bytes_max = BODY_BYTES_MAX,
        },
        err);
    int result = -1;

    if (client)
        result = http_client_perform(client, &(struct http_request){.method = "GET", .url = url},
                                     response, err);
    http_client_destroy(client);
    return result;
}

int probe_run(const char *address, const char *path)
{
    struct http_response response = {0};
    struct err err = {0};
    char *url = make_url(address, path);
    int status = PROGRAM_EXIT_FAILURE;

    http_client_global_init();
    setenv("no_proxy", "*", 1); /* the environment's proxy is for the world outside */
    if (get(url, &response, &err) != 0)
        fprintf(stderr, "%s\n", err.message);
    else if (response.status != STATUS_OK)
        fprintf(stderr, "%s answers %ld: %.*s\n", url, response.status, (int)response.body.length,
                response.body.data);
    else
        status = PROGRAM_EXIT_OK;
    buf_clear(&response.body);
    free(url);
    return status;
}
