#include "okx_rest_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "base/shutdown.h"
#include "io/http_client.h"
#include "okx_sign.h"
#include "token_bucket.h"

enum {
    WINDOW_MS = 2000,
    CURRENCIES_WINDOW_MS = 1000, /* OKX counts this one per second */
    CONNECT_TIMEOUT_MS = 5000,
    REQUEST_TIMEOUT_MS = 15000,
    BODY_BYTES_MAX = 8 * 1024 * 1024,
    SIGNED_HEADERS = 5,
    LINE_INTERVAL_MS = 60000,
    TIME_AGE_MAX_MS = 60000,
};

struct okx_rest_client {
    char *url, *ca_file, *user_agent;
    char *api_key, *api_secret, *api_passphrase;
    struct metrics *metrics;
    struct metric *throttled;
    _Atomic int64_t clock_offset_ms; /* OKX's time minus ours */
    pthread_mutex_t lock;            /* guards what follows */
    struct token_bucket buckets[OKX_ENDPOINT_COUNT];
    struct backoff hold_jitter;
    struct log_limiter unreachable;
    bool knows_time;
    int64_t okx_time_ms;     /* of OKX's latest answer about it */
    int64_t told_time_at_ms; /* monotonic: when that came */
};

struct okx_rest_session {
    struct okx_rest_client *client;
    struct http_client *http;
};

static int64_t window_ms(enum okx_endpoint endpoint)
{
    return endpoint == OKX_ENDPOINT_CURRENCIES ? CURRENCIES_WINDOW_MS : WINDOW_MS;
}

struct okx_rest_client *okx_rest_client_create(const struct okx_rest_options *options,
                                               struct metrics *metrics)
{
    struct okx_rest_client *client = mem_calloc(1, sizeof *client);
    size_t length = strlen(options->url);

    while (length > 0 && options->url[length - 1] == '/')
        length--;
    client->url = mem_strndup(options->url, length);
    client->ca_file = mem_strdup(options->ca_file);
    client->user_agent = mem_strdup(options->user_agent);
    client->api_key = mem_strdup(options->api_key);
    client->api_secret = mem_strdup(options->api_secret);
    client->api_passphrase = mem_strdup(options->api_passphrase);
    client->metrics = metrics;
    client->throttled =
        metrics_counter(metrics, "currency_trends_rest_throttled_total",
                        "Answers of OKX that asked us to slow down (429, 50011)", NULL);
    pthread_mutex_init(&client->lock, NULL);
    for (enum okx_endpoint endpoint = 0; endpoint < OKX_ENDPOINT_COUNT; endpoint++) {
        token_bucket_init(&client->buckets[endpoint], (size_t)options->limits[endpoint],
                          window_ms(endpoint));
        /* The process that we replace may have spent the budget of OKX's current window. */
        token_bucket_hold(&client->buckets[endpoint], clock_monotonic_ms() + window_ms(endpoint));
    }
    backoff_init(&client->hold_jitter, 0, WINDOW_MS / 2, WINDOW_MS / 2, 0);
    client->unreachable.interval_ms = LINE_INTERVAL_MS;
    return client;
}

void okx_rest_client_destroy(struct okx_rest_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < OKX_ENDPOINT_COUNT; i++)
        token_bucket_clear(&client->buckets[i]);
    pthread_mutex_destroy(&client->lock);
    free(client->url);
    free(client->ca_file);
    free(client->user_agent);
    free(client->api_key);
    free(client->api_secret);
    free(client->api_passphrase);
    free(client);
}

bool okx_rest_client_has_key(const struct okx_rest_client *client)
{
    return client->api_key != NULL;
}

int64_t okx_rest_client_take(struct okx_rest_client *client, enum okx_endpoint endpoint,
                             size_t *ticket)
{
    pthread_mutex_lock(&client->lock);
    int64_t wait_ms = token_bucket_take(&client->buckets[endpoint], clock_monotonic_ms(), ticket);
    pthread_mutex_unlock(&client->lock);
    return wait_ms;
}

static void release(struct okx_rest_client *client, enum okx_endpoint endpoint, size_t ticket,
                    bool is_throttled)
{
    int64_t now_ms = clock_monotonic_ms();
    struct token_bucket *bucket = &client->buckets[endpoint];

    pthread_mutex_lock(&client->lock);
    token_bucket_release(bucket, ticket, now_ms);
    if (is_throttled)
        token_bucket_hold(bucket, now_ms + WINDOW_MS + backoff_next_ms(&client->hold_jitter));
    pthread_mutex_unlock(&client->lock);
    if (is_throttled)
        metric_increment(client->throttled);
}

struct okx_rest_session *okx_rest_session_create(struct okx_rest_client *client, struct err *err)
{
    const struct http_client_options options = {
        .user_agent = client->user_agent,
        .ca_file = client->ca_file,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .body_bytes_max = BODY_BYTES_MAX,
    };
    struct http_client *http = http_client_create(&options, err);

    if (!http)
        return NULL;
    struct okx_rest_session *session = mem_alloc(sizeof *session);
    *session = (struct okx_rest_session){.client = client, .http = http};
    return session;
}

void okx_rest_session_destroy(struct okx_rest_session *session)
{
    if (!session)
        return;
    http_client_destroy(session->http);
    free(session);
}

static void count_request(struct okx_rest_client *client, enum okx_endpoint endpoint,
                          const char *outcome)
{
    char labels[128];

    snprintf(labels, sizeof labels, "endpoint=\"%s\",outcome=\"%s\"", okx_endpoint_name(endpoint),
             outcome);
    metric_increment(metrics_counter(client->metrics, "currency_trends_rest_requests_total",
                                     "REST requests to OKX by what came of them", labels));
}

static int sign_headers(const struct okx_rest_client *client, const char *path,
                        char *headers[SIGNED_HEADERS], struct err *err)
{
    char timestamp[RFC3339_BYTES];
    char signature[OKX_SIGN_BYTES];

    rfc3339_format_ms(clock_wall_ms() + atomic_load(&client->clock_offset_ms), timestamp);
    if (okx_sign(client->api_secret, timestamp, "GET", path, "", signature, err) != 0)
        return -1;
    headers[0] = mem_sprintf("OK-ACCESS-KEY: %s", client->api_key);
    headers[1] = mem_sprintf("OK-ACCESS-SIGN: %s", signature);
    headers[2] = mem_sprintf("OK-ACCESS-TIMESTAMP: %s", timestamp);
    headers[3] = mem_sprintf("OK-ACCESS-PASSPHRASE: %s", client->api_passphrase);
    headers[4] = mem_strdup("Content-Type: application/json");
    return 0;
}

static int perform(struct okx_rest_session *session, enum okx_endpoint endpoint, const char *path,
                   struct http_response *response, struct err *err)
{
    char *headers[SIGNED_HEADERS] = {0};
    char *url = mem_sprintf("%s%s", session->client->url, path);
    struct http_request request = {.method = "GET", .url = url};
    int status = -1;

    if (endpoint == OKX_ENDPOINT_CURRENCIES) {
        if (sign_headers(session->client, path, headers, err) != 0)
            goto out;
        request.headers = (const char *const *)headers;
        request.header_count = SIGNED_HEADERS;
    }
    status = http_client_perform(session->http, &request, response, err);
out:
    for (size_t i = 0; i < SIGNED_HEADERS; i++)
        free(headers[i]);
    free(url);
    return status;
}

/* Nothing else says so: a command that fails is tried again in silence until its deadline. */
static void log_unreachable(struct okx_rest_client *client, const struct err *err)
{
    int64_t suppressed = 0;
    bool may_log;

    pthread_mutex_lock(&client->lock);
    may_log = log_limiter_allow(&client->unreachable, clock_monotonic_ms(), &suppressed);
    pthread_mutex_unlock(&client->lock);
    if (may_log)
        log_warn("OKX's REST API cannot be reached, trying again", LOG_STR("reason", err->message),
                 LOG_INT("suppressed", suppressed));
}

struct okx_rows *okx_rest_session_get(struct okx_rest_session *session, enum okx_endpoint endpoint,
                                      size_t ticket, const char *path, struct err *err)
{
    struct http_response response = {0};
    struct okx_rows *rows = NULL;

    if (perform(session, endpoint, path, &response, err) == 0) {
        rows = okx_answer_read(response.status, response.body.data, response.body.length, err);
        buf_clear(&response.body);
    } else if (err->code == ERR_NETWORK || err->code == ERR_TIMEOUT || err->code == ERR_LIMIT) {
        err->retriable = true; /* too large an answer is none of OKX's: the next may be */
        log_unreachable(session->client, err);
    }
    release(session->client, endpoint, ticket, !rows && err->code == ERR_RATE_LIMIT);
    count_request(session->client, endpoint, rows ? "ok" : err_code_name(err->code));
    if (!rows)
        err_wrap(err, "%s", okx_endpoint_name(endpoint));
    return rows;
}

int okx_rest_session_sync_clock(struct okx_rest_session *session, struct err *err)
{
    struct okx_rest_client *client = session->client;
    char path[OKX_PATH_BYTES];
    size_t ticket = 0;
    int64_t wait_ms;
    int64_t okx_time_ms = 0;

    while ((wait_ms = okx_rest_client_take(client, OKX_ENDPOINT_TIME, &ticket)) > 0) {
        if (shutdown_wait_ms(wait_ms))
            return err_set(err, ERR_STOPPED, "stopping");
    }
    okx_path_time(path);
    int64_t asked_at_ms = clock_wall_ms();
    struct okx_rows *rows = okx_rest_session_get(session, OKX_ENDPOINT_TIME, ticket, path, err);
    if (!rows)
        return -1;
    int64_t middle_ms = asked_at_ms + (clock_wall_ms() - asked_at_ms) / 2;
    int64_t told_at_ms = clock_monotonic_ms();
    int status = okx_rows_read_time(rows, &okx_time_ms, err);
    if (status == 0) {
        atomic_store(&client->clock_offset_ms, okx_time_ms - middle_ms);
        pthread_mutex_lock(&client->lock);
        client->knows_time = true;
        client->okx_time_ms = okx_time_ms;
        client->told_time_at_ms = told_at_ms;
        pthread_mutex_unlock(&client->lock);
    }
    okx_rows_destroy(rows);
    return status;
}

/* False when it was not told for so long that the clocks may have drifted apart. */
static bool compute_time(struct okx_rest_client *client, int64_t monotonic_ms, int64_t *okx_time_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    pthread_mutex_lock(&client->lock);
    bool is_known = client->knows_time && now_ms - client->told_time_at_ms < TIME_AGE_MAX_MS;
    if (is_known)
        *okx_time_ms = client->okx_time_ms + (monotonic_ms - client->told_time_at_ms);
    pthread_mutex_unlock(&client->lock);
    return is_known;
}

int okx_rest_session_time_at(struct okx_rest_session *session, int64_t monotonic_ms,
                             int64_t *okx_time_ms, struct err *err)
{
    while (!compute_time(session->client, monotonic_ms, okx_time_ms)) {
        if (okx_rest_session_sync_clock(session, err) != 0)
            return -1;
    }
    return 0;
}
