/*
 * OKX's REST API: one set of rate budgets shared by all threads, one session (a keep-alive HTTP
 * client) per thread. Answers are judged by okx_message; retrying is the caller's business.
 */
#ifndef INGESTOR_OKX_REST_CLIENT_H
#define INGESTOR_OKX_REST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/metrics.h"
#include "okx_message.h"
#include "okx_request.h"

struct okx_rest_options {
    const char *url; /* "https://openapi.okx.com" */
    const char *ca_file;
    const char *user_agent;
    const char *api_key, *api_secret, *api_passphrase; /* all or none */
    int64_t limits[OKX_ENDPOINT_COUNT];                /* requests per window */
};

struct okx_rest_client;  /* thread-safe */
struct okx_rest_session; /* one thread */

/* Copies the options. metrics: borrowed. */
struct okx_rest_client *okx_rest_client_create(const struct okx_rest_options *options,
                                               struct metrics *metrics) MUST_CHECK;
void okx_rest_client_destroy(struct okx_rest_client *client);
bool okx_rest_client_has_key(const struct okx_rest_client *client);
/* As token_bucket_take: 0 and a ticket, or the milliseconds to wait. Every ticket must be used. */
int64_t okx_rest_client_take(struct okx_rest_client *client, enum okx_endpoint endpoint,
                             size_t *ticket) MUST_CHECK;

struct okx_rest_session *okx_rest_session_create(struct okx_rest_client *client,
                                                 struct err *err) MUST_CHECK;
void okx_rest_session_destroy(struct okx_rest_session *session);
/*
 * Sends the request that the ticket is for; asset/currencies is signed. Returns owned the rows, or
 * NULL: the errors of okx_answer_read and http_client_perform.
 */
struct okx_rows *okx_rest_session_get(struct okx_rest_session *session, enum okx_endpoint endpoint,
                                      size_t ticket, const char *path, struct err *err) MUST_CHECK;
/* Sets the clock that signs by OKX's public/time: after ERR_UNAUTHORIZED with retriable. */
int okx_rest_session_sync_clock(struct okx_rest_session *session, struct err *err) MUST_CHECK;
/* What OKX's clock showed at that monotonic time, or a little less: by as much as OKX's answer took
 * to reach us. Asks public/time unless that was done within the last minute. */
int okx_rest_session_time_at(struct okx_rest_session *session, int64_t monotonic_ms,
                             int64_t *okx_time_ms, struct err *err) MUST_CHECK;

#endif
