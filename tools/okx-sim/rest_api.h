/*
 * OKX's REST endpoints over the tape: /api/v5/... (okx-v5.md, section 4). Knows neither clock nor
 * socket. One thread's.
 */
#ifndef OKX_SIM_REST_API_H
#define OKX_SIM_REST_API_H

#include <stdbool.h>
#include <stdint.h>

#include "faults.h"
#include "http_request.h"
#include "instant.h"
#include "okx_signature.h"
#include "tape.h"

struct rest_api;
struct replay;

struct rest_api_options {
    struct tape *tape;                  /* borrowed */
    struct faults *faults;              /* borrowed */
    const struct replay *replay;        /* borrowed; NULL: answers come from the tape */
    struct okx_credentials credentials; /* borrowed texts */
    bool has_rate_limits;
    int64_t trades_lag_ms;  /* trades show this much later than on the WebSocket */
    int64_t confirm_lag_ms; /* candles, too: a bar is unconfirmed this long after its end */
};

struct rest_api *rest_api_create(const struct rest_api_options *options) MUST_CHECK;
void rest_api_destroy(struct rest_api *api);

/* Fills reply, which was initialised; whatever the request, there is an answer. */
void rest_api_answer(struct rest_api *api, const struct http_request *request, struct instant now,
                     struct http_reply *reply);

/* {"market/trades":{"requests":1,"throttled":0,"max_in_window":1},...} */
void rest_api_append_stats(const struct rest_api *api, struct buf *out);
/* Whether this is the name of an endpoint: "market/trades". */
bool rest_api_has_endpoint(const char *endpoint);

#endif
