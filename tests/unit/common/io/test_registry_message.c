#include "io/registry_message.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit_test.h"

static void a_schema_is_put_as_one_json_text(void **state)
{
    struct buf out = {0};
    struct err err = {0};

    (void)state;
    buf_init(&out, 256);
    assert_int_equal(
        registry_message_put_schema(&out, text_view_of("{\n\t\"type\":\"int\"}\\"), &err), 0);
    assert_string_equal(out.data, "{\"schema\":\"{\\n\\t\\\"type\\\":\\\"int\\\"}\\\\\"}");
    buf_clear(&out);
    buf_init(&out, 10);
    assert_int_equal(registry_message_put_schema(&out, text_view_of("\"int\""), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&out);
}

static void an_id_is_a_positive_number_of_31_bits(void **state)
{
    static const struct {
        const char *body;
        int32_t id; /* 0: refused */
    } cases[] = {
        {"{\"id\":1}", 1},
        {"{\"id\":2147483647,\"version\":1,\"schemaType\":\"AVRO\"}", INT32_MAX},
        {"{\"id\":2147483648}", 0},
        {"{\"id\":0}", 0},
        {"{\"id\":-1}", 0},
        {"{\"id\":\"1\"}", 0},
        {"{\"id\":1.5}", 0},
        {"{}", 0},
        {"[1]", 0},
        {"", 0},
        {"<html>", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        int32_t id = 42;
        int status = registry_message_read_id(text_view_of(cases[i].body), &id, &err);

        print_message("%s\n", cases[i].body);
        assert_int_equal(status, cases[i].id ? 0 : -1);
        assert_int_equal(id, cases[i].id ? cases[i].id : 42);
        assert_int_equal(err.code, cases[i].id ? ERR_NONE : ERR_PROTOCOL);
    }
}

static void a_schema_is_read_unless_it_is_not_ours_to_read(void **state)
{
    static const struct {
        const char *body, *schema;
        enum err_code code;
    } cases[] = {
        {"{\"schema\":\"\\\"int\\\"\"}", "\"int\"", ERR_NONE},
        {"{\"schema\":\"s\",\"schemaType\":\"AVRO\",\"references\":[],\"x\":1}", "s", ERR_NONE},
        {"{\"schema\":\"s\",\"schemaType\":\"PROTOBUF\"}", NULL, ERR_UNSUPPORTED},
        {"{\"schema\":\"s\",\"references\":[{\"name\":\"o\"}]}", NULL, ERR_UNSUPPORTED},
        {"{\"schema\":7}", NULL, ERR_PROTOCOL},
        {"{\"id\":7}", NULL, ERR_PROTOCOL},
        {"", NULL, ERR_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        char *schema = registry_message_read_schema(text_view_of(cases[i].body), &err);

        print_message("%s\n", cases[i].body);
        if (cases[i].schema)
            assert_string_equal(schema, cases[i].schema);
        else
            assert_null(schema);
        assert_int_equal(err.code, cases[i].code);
        free(schema);
    }
}

static void refusals_are_told_apart(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum err_code code;
        bool retriable;
        const char *message;
    } cases[] = {
        {404, "{\"error_code\":40403,\"message\":\"Schema 9 not found\"}", ERR_NOT_FOUND, false,
         "HTTP 404: Schema 9 not found"},
        {404, "{\"error_code\":40401,\"message\":\"No subject\"}", ERR_NOT_FOUND, false,
         "HTTP 404: No subject"},
        {404, "<html>nginx</html>", ERR_REMOTE, true, "HTTP 404: no reason given"},
        {409, "{\"error_code\":409,\"message\":\"incompatible\"}", ERR_REMOTE, false,
         "HTTP 409: incompatible"},
        {422, "{\"error_code\":42201,\"message\":\"Invalid Avro schema\"}", ERR_REMOTE, false,
         "HTTP 422: Invalid Avro schema"},
        {400, "<html><title>400 No certificate</title><body>", ERR_REMOTE, false,
         "HTTP 400: 400 No certificate"},
        {404, "<title>endless", ERR_REMOTE, true, "HTTP 404: no reason given"},
        {401, "{\"error_code\":401,\"message\":\"Unauthorized\"}", ERR_UNAUTHORIZED, true,
         "HTTP 401: Unauthorized"},
        {403, "", ERR_UNAUTHORIZED, true, "HTTP 403: no reason given"},
        {429, "", ERR_RATE_LIMIT, true, "HTTP 429: no reason given"},
        {500, "{\"error_code\":50001,\"message\":\"store\"}", ERR_REMOTE, true, "HTTP 500: store"},
        {503, "", ERR_REMOTE, true, "HTTP 503: no reason given"},
        {302, "", ERR_REMOTE, false, "HTTP 302: no reason given"},
        {400, "{\"message\":7,\"error_code\":\"x\"}", ERR_REMOTE, false,
         "HTTP 400: no reason given"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        assert_int_equal(
            registry_message_set_refusal(cases[i].status, text_view_of(cases[i].body), &err), -1);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
    }
}

static void a_long_reason_is_capped(void **state)
{
    char body[1100];
    struct err err = {0};

    (void)state;
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"message\":\"", 12);
    memcpy(body + sizeof body - 3, "\"}", 3);
    assert_int_equal(registry_message_set_refusal(400, text_view_of(body), &err), -1);
    assert_true(strlen(err.message) < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_is_put_as_one_json_text),
        cmocka_unit_test(an_id_is_a_positive_number_of_31_bits),
        cmocka_unit_test(a_schema_is_read_unless_it_is_not_ours_to_read),
        cmocka_unit_test(refusals_are_told_apart),
        cmocka_unit_test(a_long_reason_is_capped),
    };
    return cmocka_run_group_tests_name("registry_message", tests, NULL, NULL);
}
