#include "okx_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/buf.h"
#include "base/rfc3339.h"

enum { CLOCK_TOLERANCE_MS = 30000, TIMESTAMP_LENGTH = 24, SIGNED_BYTES_MAX = 8192 };

void okx_signature_of(const char *secret, const char *text, char signature[OKX_SIGNATURE_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text),
         digest, &length);
    EVP_EncodeBlock((unsigned char *)signature, digest, (int)length);
}

/* The request path as it was signed, commas written as given. */
static void append_path(struct buf *out, const struct http_request *request, const char *comma)
{
    buf_append_text(out, request->path);
    for (size_t i = 0; i < request->parameter_count; i++) {
        const struct http_parameter *parameter = &request->parameters[i];
        buf_append_char(out, i == 0 ? '?' : '&');
        buf_append_text(out, parameter->name);
        buf_append_char(out, '=');
        for (const char *c = parameter->value; *c; c++) {
            if (*c == ',')
                buf_append_text(out, comma);
            else
                buf_append_char(out, *c);
        }
    }
}

/*
 * libwebsockets hands the query over decoded, while the signature covers it as it was sent. A comma
 * is the only character of these queries that clients encode or not, so both ways are tried.
 */
static bool is_signed(const struct http_request *request, const char *secret)
{
    static const char *const commas[] = {"%2C", ",", "%2c"};
    char expected[OKX_SIGNATURE_BYTES];
    bool matches = false;
    struct buf text;

    buf_init(&text, SIGNED_BYTES_MAX);
    for (size_t i = 0; i < sizeof commas / sizeof commas[0] && !matches; i++) {
        buf_reset(&text);
        buf_append_text(&text, request->access_timestamp);
        buf_append_text(&text, request->is_post ? "POST" : "GET");
        append_path(&text, request, commas[i]);
        okx_signature_of(secret, text.data, expected);
        matches = strlen(request->access_sign) == strlen(expected) &&
                  CRYPTO_memcmp(request->access_sign, expected, strlen(expected)) == 0;
    }
    buf_clear(&text);
    return matches;
}

const char *okx_signature_check(const struct http_request *request,
                                const struct okx_credentials *credentials, int64_t now_ms)
{
    struct text_view timestamp = text_view_of(request->access_timestamp);
    struct err ignored;
    int64_t time_ms;

    if (!*request->access_key)
        return "50103";
    if (!*request->access_passphrase)
        return "50104";
    if (!*request->access_sign)
        return "50106";
    if (!*request->access_timestamp)
        return "50107";
    if (timestamp.length != TIMESTAMP_LENGTH || timestamp.data[TIMESTAMP_LENGTH - 1] != 'Z' ||
        timestamp.data[TIMESTAMP_LENGTH - 5] != '.' ||
        rfc3339_parse_ms(timestamp, &time_ms, &ignored) != 0)
        return "50112";
    if (time_ms < now_ms - CLOCK_TOLERANCE_MS || time_ms > now_ms + CLOCK_TOLERANCE_MS)
        return "50102";
    if (strcmp(request->access_key, credentials->key) != 0)
        return "50111";
    if (!is_signed(request, credentials->secret))
        return "50113";
    if (strcmp(request->access_passphrase, credentials->passphrase) != 0)
        return "50105";
    return NULL;
}
