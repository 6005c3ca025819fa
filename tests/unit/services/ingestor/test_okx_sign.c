#include "tests/support/unit_test.h"

#include "ingestor/okx_sign.h"

static const char secret[] = "22582BD0CFF14C41EDBF1AB98506286D"; /* the documentation's example */

struct sign_case {
    const char *timestamp, *method, *path, *body, *signature;
};

/* okx-v5.md, 4.4: computed with Python's hmac. */
static const struct sign_case sign_cases[] = {
    {"2020-12-08T09:08:57.715Z", "GET", "/api/v5/asset/currencies", "",
     "nmk1ZQ5aEy1xaCdDx7p8eo2VLlUtRuaK0BdSl8YNJI8="},
    {"2020-12-08T09:08:57.715Z", "GET", "/api/v5/asset/currencies?ccy=BTC%2CETH", "",
     "cSoEAAT3lTpaY1lshlMxXu5856DN2nWbQm59TbiFK1k="},
    {"2020-12-08T09:08:57.715Z", "POST", "/api/v5/account/set-leverage",
     "{\"instId\":\"BTC-USDT\",\"lever\":\"5\",\"mgnMode\":\"isolated\"}",
     "eCnnCgWLjlQ9XnpUkrcny3qNq3WW/81KNrDr/XR6Xv8="},
    {"1704876947", "GET", "/users/self/verify", "", "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="},
};

static void signatures_match_the_published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sign_cases / sizeof *sign_cases; i++) {
        const struct sign_case *row = &sign_cases[i];
        char signature[OKX_SIGN_BYTES];
        struct err err = {0};

        assert_int_equal(
            okx_sign(secret, row->timestamp, row->method, row->path, row->body, signature, &err),
            0);
        assert_string_equal(signature, row->signature);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signatures_match_the_published_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
