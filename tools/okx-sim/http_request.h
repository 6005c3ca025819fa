/* An HTTP request as the simulator's handlers see it, free of the server that read it. Pure. */
#ifndef OKX_SIM_HTTP_REQUEST_H
#define OKX_SIM_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

enum { HTTP_REQUEST_PARAMETERS_MAX = 16, HTTP_REQUEST_TEXT_BYTES = 256 };

struct http_parameter {
    char name[32];
    char value[HTTP_REQUEST_TEXT_BYTES];
};

struct http_request {
    bool is_post;
    char path[HTTP_REQUEST_TEXT_BYTES]; /* decoded, without the query */
    char peer[64];                      /* the client's address */
    struct http_parameter parameters[HTTP_REQUEST_PARAMETERS_MAX];
    size_t parameter_count;
    /* The OK-ACCESS-... headers; empty when absent. */
    char access_key[HTTP_REQUEST_TEXT_BYTES];
    char access_sign[HTTP_REQUEST_TEXT_BYTES];
    char access_timestamp[HTTP_REQUEST_TEXT_BYTES];
    char access_passphrase[HTTP_REQUEST_TEXT_BYTES];
};

/* Adds one "name=value" of the query, decoded already; what is too long or too much is ignored. */
void http_request_add_parameter(struct http_request *request, const char *text);
/* The value, or NULL when the parameter is absent. */
const char *http_request_parameter(const struct http_request *request, const char *name);
/*
 * A whole number in [min, max], fallback when the parameter is absent.
 * ERR_PROTOCOL or ERR_OUT_OF_RANGE, naming the parameter.
 */
int http_request_int(const struct http_request *request, const char *name, int64_t fallback,
                     int64_t min, int64_t max, int64_t *value, struct err *err) MUST_CHECK;

/* How the answer goes wrong on its way. */
enum http_reply_fault {
    HTTP_REPLY_WHOLE,
    HTTP_REPLY_HANG,     /* never sent */
    HTTP_REPLY_TRUNCATE, /* half of the body, then the connection closes */
};

struct http_reply {
    int status;
    const char *content_type;
    char location[HTTP_REQUEST_TEXT_BYTES]; /* of a redirect; "": none */
    enum http_reply_fault fault;
    struct buf body;
    /* When set, the body goes on: called for the next part until it appends nothing. */
    void (*append_more)(void *context, struct buf *out);
    void *context;
    void (*free_context)(void *context);
};

enum { HTTP_REPLY_BODY_BYTES_MAX = 16 << 20 };
void http_reply_init(struct http_reply *reply);
void http_reply_clear(struct http_reply *reply);

#endif
