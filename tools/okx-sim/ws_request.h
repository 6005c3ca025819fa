/* What a client says on the WebSocket. Pure. */
#ifndef OKX_SIM_WS_REQUEST_H
#define OKX_SIM_WS_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum ws_op { WS_OP_SUBSCRIBE, WS_OP_UNSUBSCRIBE };

enum { WS_REQUEST_ID_BYTES = 33 };

struct ws_request {
    enum ws_op op;
    char id[WS_REQUEST_ID_BYTES]; /* empty when the request has none */
    json_t *root;                 /* owned */
    json_t *args;                 /* of root; an array */
};

/*
 * Reads a request. On failure *code says what OKX would answer ("60012", ...), and request holds
 * the id if there is a proper one. ws_request_clear afterwards in both cases.
 */
int ws_request_read(const char *text, size_t length, struct ws_request *request,
                    const char **code) MUST_CHECK;
void ws_request_clear(struct ws_request *request);

/* A text member of an argument; "" when it is absent or no text. Borrowed. */
const char *ws_request_arg_text(const json_t *arg, const char *member);

#endif
