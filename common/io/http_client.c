#include "io/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shutdown.h"

struct http_client {
    CURL *curl;
    struct http_client_options options; /* its texts are our copies */
    char reason[CURL_ERROR_SIZE];
};

enum { TARGET_BYTES = 160 };

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_client_global_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, init_curl);
}

struct http_client *http_client_create(const struct http_client_options *options, struct err *err)
{
    struct http_client *client = NULL;
    CURL *curl = curl_easy_init();

    if (!curl) {
        (void)err_set(err, ERR_SYSTEM, "libcurl could not be set up");
        return NULL;
    }
    client = mem_calloc(1, sizeof *client);
    client->curl = curl;
    client->options = *options;
    client->options.user_agent = mem_strdup(options->user_agent);
    client->options.ca_file = mem_strdup(options->ca_file);
    client->options.cert_file = mem_strdup(options->cert_file);
    client->options.key_file = mem_strdup(options->key_file);
    client->options.user_password = mem_strdup(options->user_password);
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free((char *)client->options.user_agent);
    free((char *)client->options.ca_file);
    free((char *)client->options.cert_file);
    free((char *)client->options.key_file);
    free((char *)client->options.user_password);
    free(client);
}

/* scheme://host:port/path: no user and password, and no query, which may be a secret too. */
static void describe_target(const char *url, char text[TARGET_BYTES])
{
    const char *separator = strstr(url, "://");
    const char *authority = separator ? separator + 3 : url;
    size_t authority_length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', authority_length);
    const char *host = at ? at + 1 : authority;

    snprintf(text, TARGET_BYTES, "%.*s%.*s", (int)(authority - url), url, (int)strcspn(host, "?#"),
             host);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;

    return buf_append(body, bytes, size * count) == 0 ? size * count : 0;
}

static int on_progress(void *context, curl_off_t download_total, curl_off_t download_now,
                       curl_off_t upload_total, curl_off_t upload_now)
{
    (void)context;
    (void)download_total;
    (void)download_now;
    (void)upload_total;
    (void)upload_now;
    return shutdown_requested() ? 1 : 0;
}

static CURLcode set_text(CURL *curl, CURLoption option, const char *text)
{
    return text ? curl_easy_setopt(curl, option, text) : CURLE_OK;
}

/* What every request of the client has in common. The first failure is returned. */
static CURLcode apply_options(struct http_client *client, struct buf *body)
{
    const struct http_client_options *options = &client->options;
    CURL *curl = client->curl;
    const CURLcode codes[] = {
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason),
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L),
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https"),
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2), /* or later */
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms),
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms),
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L),
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L),
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress),
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body),
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, body),
        set_text(curl, CURLOPT_USERAGENT, options->user_agent),
        set_text(curl, CURLOPT_CAINFO, options->ca_file),
        set_text(curl, CURLOPT_SSLCERT, options->cert_file),
        set_text(curl, CURLOPT_SSLKEY, options->key_file),
        set_text(curl, CURLOPT_USERPWD, options->user_password),
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] != CURLE_OK)
            return codes[i];
    return CURLE_OK;
}

static CURLcode apply_request(CURL *curl, const struct http_request *request,
                              struct curl_slist *headers)
{
    const CURLcode codes[] = {
        curl_easy_setopt(curl, CURLOPT_URL, request->url),
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers),
        request->body
            ? curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length)
            : CURLE_OK,
        request->body ? curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body) : CURLE_OK,
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method),
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] != CURLE_OK)
            return codes[i];
    return CURLE_OK;
}

static int set_failure(const struct http_client *client, CURLcode code, bool overflowed,
                       struct err *err)
{
    const char *reason = client->reason[0] ? client->reason : curl_easy_strerror(code);

    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(err, ERR_STOPPED, "given up, the process is stopping");
    case CURLE_OPERATION_TIMEDOUT:
        return err_set_retriable(err, ERR_TIMEOUT, "no answer in time: %s", reason);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return err_set_retriable(err, ERR_NETWORK, "could not connect: %s", reason);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return err_set(err, ERR_CONFIG, "not a usable address: %s", reason);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return err_set(err, ERR_CONFIG, "certificate files: %s", reason);
    case CURLE_PEER_FAILED_VERIFICATION:
        return err_set_retriable(err, ERR_NETWORK, "TLS certificate refused: %s", reason);
    case CURLE_SSL_CONNECT_ERROR:
        return err_set_retriable(err, ERR_NETWORK, "TLS handshake failed: %s", reason);
    case CURLE_WRITE_ERROR:
        if (overflowed)
            return err_set(err, ERR_LIMIT, "answer is larger than %zu bytes",
                           client->options.body_bytes_max);
        return err_set_retriable(err, ERR_NETWORK, "%s", reason);
    default:
        return err_set_retriable(err, ERR_NETWORK, "%s", reason);
    }
}

/* NULL for none. Returns owned. */
static struct curl_slist *header_list(const struct http_request *request)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (longer)
            list = longer;
    }
    return list;
}

int http_client_perform(struct http_client *client, const struct http_request *request,
                        struct http_response *response, struct err *err)
{
    struct curl_slist *headers = header_list(request);
    struct buf body = {0};
    char target[TARGET_BYTES];
    long status = 0;
    CURLcode code = CURLE_OK;

    buf_init(&body, client->options.body_bytes_max);
    curl_easy_reset(client->curl); /* keeps the connection */
    client->reason[0] = '\0';
    code = apply_options(client, &body);
    if (code == CURLE_OK)
        code = apply_request(client->curl, request, headers);
    if (code == CURLE_OK)
        code = curl_easy_perform(client->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        (void)set_failure(client, code, body.overflowed, err);
        buf_clear(&body);
        describe_target(request->url, target);
        return err_wrap(err, "%s %s", request->method, target);
    }
    response->status = status;
    response->body = body;
    return 0;
}
