/*
 * Blocking HTTP requests over one keep-alive libcurl handle. Every request has a deadline and a cap
 * on the body; with https, TLS is 1.2 or later with certificate and host name verified. Not
 * thread-safe: one client per thread.
 */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

struct http_client;

struct http_client_options {
    const char *user_agent;
    const char *ca_file;   /* NULL: the system's certificates */
    const char *cert_file; /* client certificate and key, or NULL */
    const char *key_file;
    const char *user_password; /* "user:password" for Basic authentication, or NULL */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* the whole request */
    size_t body_bytes_max;
};

/* Copies the options. The process must have called http_client_global_init() before any thread. */
struct http_client *http_client_create(const struct http_client_options *options,
                                       struct err *err) MUST_CHECK;
void http_client_destroy(struct http_client *client);
void http_client_global_init(void);

struct http_request {
    const char *method; /* "GET", "POST", "PUT" */
    const char *url;
    const char *const *headers; /* "Name: value", or NULL */
    size_t header_count;
    const char *body; /* NULL for none */
    size_t body_length;
};

struct http_response {
    long status;
    struct buf body; /* owned: buf_clear */
};

/*
 * Any answer with a status is a success here, whatever the status; redirects are not followed.
 * Errors: ERR_NETWORK, ERR_TIMEOUT (both retriable), ERR_LIMIT (body too large),
 * ERR_STOPPED (shutdown was requested meanwhile). Texts name host and reason, never headers.
 */
int http_client_perform(struct http_client *client, const struct http_request *request,
                        struct http_response *response, struct err *err) MUST_CHECK;

#endif
