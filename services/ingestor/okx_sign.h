/*
 * The signature of a private REST request: Base64(HMAC-SHA256(secret, timestamp + METHOD +
 * requestPath + body)). Pure. Source: OKX API v5, Overview, "REST Authentication"; okx-v5.md 4.4.
 */
#ifndef INGESTOR_OKX_SIGN_H
#define INGESTOR_OKX_SIGN_H

#include "base/attributes.h"
#include "base/err.h"

enum { OKX_SIGN_BYTES = 45 }; /* 44 characters of Base64 and NUL */

/*
 * timestamp  as in OK-ACCESS-TIMESTAMP: "2020-12-08T09:08:57.715Z"
 * method     upper case
 * path       from /api/v5 on, with the query exactly as sent
 * body       the exact bytes sent; "" for GET
 * Errors: ERR_SYSTEM when the crypto library refuses.
 */
int okx_sign(const char *secret, const char *timestamp, const char *method, const char *path,
             const char *body, char signature[OKX_SIGN_BYTES], struct err *err) MUST_CHECK;

#endif
