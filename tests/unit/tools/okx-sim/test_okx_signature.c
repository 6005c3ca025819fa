#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "okx-sim/okx_signature.h"

#define SECRET "22582BD0CFF14C41EDBF1AB98506286D"
#define NOW_MS INT64_C(1607418537715) /* 2020-12-08T09:08:57.715Z */

static const struct okx_credentials credentials = {"key", SECRET, "phrase"};

static struct http_request signed_request(const char *signature)
{
    struct http_request request = {.path = "/api/v5/asset/currencies",
                                   .access_key = "key",
                                   .access_timestamp = "2020-12-08T09:08:57.715Z",
                                   .access_passphrase = "phrase"};

    snprintf(request.access_sign, sizeof request.access_sign, "%s", signature);
    return request;
}

static void signatures_are_those_of_an_independent_implementation(void **state)
{
    static const struct {
        const char *text, *signature;
    } cases[] = {
        {"2020-12-08T09:08:57.715ZGET/api/v5/asset/currencies",
         "nmk1ZQ5aEy1xaCdDx7p8eo2VLlUtRuaK0BdSl8YNJI8="},
        {"2020-12-08T09:08:57.715ZGET/api/v5/asset/currencies?ccy=BTC%2CETH",
         "cSoEAAT3lTpaY1lshlMxXu5856DN2nWbQm59TbiFK1k="},
        {"1704876947GET/users/self/verify", "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="},
    };
    char signature[OKX_SIGNATURE_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        okx_signature_of(SECRET, cases[i].text, signature);
        assert_string_equal(signature, cases[i].signature);
    }
}

static void a_properly_signed_request_passes(void **state)
{
    struct http_request request = signed_request("nmk1ZQ5aEy1xaCdDx7p8eo2VLlUtRuaK0BdSl8YNJI8=");

    (void)state;
    assert_null(okx_signature_check(&request, &credentials, NOW_MS));
    assert_null(okx_signature_check(&request, &credentials, NOW_MS + 30000));
    assert_null(okx_signature_check(&request, &credentials, NOW_MS - 30000));
}

static void a_comma_of_the_query_may_have_been_encoded_or_not(void **state)
{
    struct http_request request = signed_request("cSoEAAT3lTpaY1lshlMxXu5856DN2nWbQm59TbiFK1k=");
    char plain[OKX_SIGNATURE_BYTES];

    (void)state;
    http_request_add_parameter(&request, "ccy=BTC,ETH");
    assert_null(okx_signature_check(&request, &credentials, NOW_MS));
    okx_signature_of(SECRET, "2020-12-08T09:08:57.715ZGET/api/v5/asset/currencies?ccy=BTC,ETH",
                     plain);
    memcpy(request.access_sign, plain, sizeof plain);
    assert_null(okx_signature_check(&request, &credentials, NOW_MS));
}

static void each_mistake_has_its_code(void **state)
{
    static const struct {
        const char *member, *value, *code;
        int64_t now_ms;
    } cases[] = {
        {"key", "", "50103", NOW_MS},
        {"passphrase", "", "50104", NOW_MS},
        {"passphrase", "wrong", "50105", NOW_MS},
        {"sign", "", "50106", NOW_MS},
        {"timestamp", "", "50107", NOW_MS},
        {"key", "another", "50111", NOW_MS},
        {"timestamp", "2020-12-08T09:08:57Z", "50112", NOW_MS},
        {"timestamp", "2020-12-08T09:08:57.7Z", "50112", NOW_MS},
        {"timestamp", "2020-12-08T09:08:57.715+", "50112", NOW_MS},
        {"timestamp", "1607418537715", "50112", NOW_MS},
        {"timestamp", "2020-12-08T09:08:57.715Z", "50102", NOW_MS + 30001},
        {"timestamp", "2020-12-08T09:08:57.715Z", "50102", NOW_MS - 30001},
        {"sign", "nmk1ZQ5aEy1xaCdDx7p8eo2VLlUtRuaK0BdSl8YNJI9=", "50113", NOW_MS},
        {"sign", "x", "50113", NOW_MS},
        {"timestamp", "2020-12-08T09:08:57.716Z", "50113", NOW_MS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request request =
            signed_request("nmk1ZQ5aEy1xaCdDx7p8eo2VLlUtRuaK0BdSl8YNJI8=");
        char *member = strcmp(cases[i].member, "key") == 0          ? request.access_key
                       : strcmp(cases[i].member, "sign") == 0       ? request.access_sign
                       : strcmp(cases[i].member, "passphrase") == 0 ? request.access_passphrase
                                                                    : request.access_timestamp;
        snprintf(member, HTTP_REQUEST_TEXT_BYTES, "%s", cases[i].value);
        assert_string_equal(okx_signature_check(&request, &credentials, cases[i].now_ms),
                            cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_an_independent_implementation),
        cmocka_unit_test(a_properly_signed_request_passes),
        cmocka_unit_test(a_comma_of_the_query_may_have_been_encoded_or_not),
        cmocka_unit_test(each_mistake_has_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
