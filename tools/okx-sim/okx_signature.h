/* Checks a signed request as OKX does (okx-v5.md, section 4.4). Pure. */
#ifndef OKX_SIM_OKX_SIGNATURE_H
#define OKX_SIM_OKX_SIGNATURE_H

#include <stdint.h>

#include "http_request.h"

struct okx_credentials {
    const char *key, *secret, *passphrase;
};

/* Base64(HMAC-SHA256(secret, text)), with NUL. */
enum { OKX_SIGNATURE_BYTES = 45 };
void okx_signature_of(const char *secret, const char *text, char signature[OKX_SIGNATURE_BYTES]);

/* Returns NULL when the request is properly signed, or OKX's code: "50103" to "50113", "50102". */
const char *okx_signature_check(const struct http_request *request,
                                const struct okx_credentials *credentials, int64_t now_ms);

#endif
