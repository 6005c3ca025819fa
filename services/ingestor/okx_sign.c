#include "okx_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int okx_sign(const char *secret, const char *timestamp, const char *method, const char *path,
             const char *body, char signature[OKX_SIGN_BYTES], struct err *err)
{
    char *text = mem_sprintf("%s%s%s%s", timestamp, method, path, body);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_bytes = 0;
    const unsigned char *made =
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text),
             digest, &digest_bytes);

    free(text);
    if (!made)
        return err_set(err, ERR_SYSTEM, "HMAC-SHA256 failed");
    EVP_EncodeBlock((unsigned char *)signature, digest, (int)digest_bytes);
    return 0;
}
