#include "tests/support/unit_test.h"

#include <string.h>

#include "okx-sim/ws_request.h"

static void a_request_is_read_with_its_arguments(void **state)
{
    const char *text = "{\"id\":\"1512\",\"op\":\"subscribe\",\"args\":["
                       "{\"channel\":\"trades\",\"instId\":\"BTC-USDT\"},{\"channel\":7}]}";
    struct ws_request request;
    const char *code = NULL;

    (void)state;
    assert_int_equal(ws_request_read(text, strlen(text), &request, &code), 0);
    assert_int_equal(request.op, WS_OP_SUBSCRIBE);
    assert_string_equal(request.id, "1512");
    assert_int_equal(json_array_size(request.args), 2);
    assert_string_equal(ws_request_arg_text(json_array_get(request.args, 0), "instId"), "BTC-USDT");
    assert_string_equal(ws_request_arg_text(json_array_get(request.args, 1), "channel"), "");
    assert_string_equal(ws_request_arg_text(json_array_get(request.args, 1), "instId"), "");
    ws_request_clear(&request);
}

static void what_is_no_request_has_okx_s_code(void **state)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {"", "60012"},
        {"pinG", "60012"},
        {"[]", "60012"},
        {"{}", "60012"},
        {"{\"op\":\"subscribe\"}", "60012"},
        {"{\"op\":\"subscribe\",\"args\":{}}", "60012"},
        {"{\"op\":\"subscribe\",\"args\":[]}", "60012"},
        {"{\"op\":\"subscribe\",\"argss\":[{}]}", "60012"},
        {"{\"op\":1,\"args\":[{}]}", "60012"},
        {"{\"op\":\"order\",\"args\":[{}]}", "60019"},
        {"{\"op\":\"login\",\"args\":[{}]}", "60028"},
        {"{\"id\":\"a-b\",\"op\":\"subscribe\",\"args\":[{}]}", "60033"},
        {"{\"id\":\"\",\"op\":\"subscribe\",\"args\":[{}]}", "60033"},
        {"{\"id\":12,\"op\":\"subscribe\",\"args\":[{}]}", "60033"},
        {"{\"id\":\"123456789012345678901234567890123\",\"op\":\"subscribe\",\"args\":[{}]}",
         "60033"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ws_request request;
        const char *code = "none";
        if (ws_request_read(cases[i].text, strlen(cases[i].text), &request, &code) == 0 ||
            strcmp(code, cases[i].code) != 0)
            fail_msg("%s gives %s", cases[i].text, code);
        ws_request_clear(&request);
    }
}

static void an_id_of_32_letters_is_proper_and_kept_on_failure(void **state)
{
    const char *text = "{\"id\":\"12345678901234567890123456789012\",\"op\":\"subscribe\"}";
    struct ws_request request;
    const char *code = NULL;

    (void)state;
    assert_int_equal(ws_request_read(text, strlen(text), &request, &code), -1);
    assert_string_equal(code, "60012");
    assert_string_equal(request.id, "12345678901234567890123456789012");
    ws_request_clear(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_with_its_arguments),
        cmocka_unit_test(what_is_no_request_has_okx_s_code),
        cmocka_unit_test(an_id_of_32_letters_is_proper_and_kept_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
