/* The market data of the REST interface: queries to rows. Pure over the tape. */
#ifndef OKX_SIM_REST_MARKET_H
#define OKX_SIM_REST_MARKET_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "http_request.h"
#include "tape.h"

struct rest_market_view {
    struct tape *tape;
    int64_t now_ms;
    int64_t view_ms; /* what the answering cache knows of: a little before now */
};

/*
 * Each appends the rows that the request asks for, newest first, separated by commas.
 * Errors: ERR_NOT_FOUND for an unknown instId (51001), ERR_CONFIG for a missing parameter (50014),
 * ERR_UNSUPPORTED for before with type 2 (50039), others for wrong parameters (51000).
 */
int rest_market_trades(const struct rest_market_view *view, const struct http_request *request,
                       struct buf *out, struct err *err) MUST_CHECK;
int rest_market_history_trades(const struct rest_market_view *view,
                               const struct http_request *request, struct buf *out,
                               struct err *err) MUST_CHECK;
/* bars_max: how far back the endpoint reaches, in bars; 0: to the listing. */
int rest_market_candles(const struct rest_market_view *view, const struct http_request *request,
                        int64_t bars_max, struct buf *out, struct err *err) MUST_CHECK;

#endif
