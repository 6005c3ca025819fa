/*
 * An HTTP/1.1 server on a free loopback port that answers what the test has queued, in order, and
 * keeps what it was asked. A request for which nothing is queued is answered with status 500.
 */
#ifndef SUPPORT_HTTP_STUB_H
#define SUPPORT_HTTP_STUB_H

#include <stdbool.h>
#include <stddef.h>

enum http_stub_manner {
    HTTP_STUB_ANSWER,
    HTTP_STUB_HANG,     /* never answers; the connection stays open until the stub stops */
    HTTP_STUB_CLOSE,    /* closes without an answer */
    HTTP_STUB_TRUNCATE, /* announces a byte more than it sends, then closes */
};

struct http_stub;

struct http_stub *http_stub_start(void);
void http_stub_stop(struct http_stub *stub);
/* "http://127.0.0.1:PORT"; borrowed. */
const char *http_stub_url(const struct http_stub *stub);

/* Queues an answer; body is copied. */
void http_stub_queue(struct http_stub *stub, enum http_stub_manner manner, int status,
                     const char *body);
size_t http_stub_request_count(struct http_stub *stub);
size_t http_stub_connection_count(struct http_stub *stub);
/* The whole text of a request, head and body; borrowed until the stub stops. */
const char *http_stub_request(struct http_stub *stub, size_t index);

#endif
