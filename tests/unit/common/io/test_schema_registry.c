#include "io/schema_registry.h"

#include <stdio.h>
#include <string.h>

#include "io/http_client.h"
#include "tests/support/http_stub.h"
#include "tests/support/unit_test.h"

#define SCHEMA "{\"type\":\"string\"}"

struct fixture {
    struct http_stub *stub;
    struct schema_registry *registry;
};

static struct schema_registry *create(const char *url)
{
    const struct schema_registry_settings settings = {.url = (char *)url};
    struct err err = {0};
    struct schema_registry *registry = schema_registry_create(&settings, &err);

    if (!registry)
        fail_msg("%s", err.message);
    return registry;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    char url[128];

    fixture.stub = http_stub_start();
    snprintf(url, sizeof url, "%s/apis/ccompat/v7//", http_stub_url(fixture.stub));
    fixture.registry = create(url);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    schema_registry_destroy(fixture->registry);
    http_stub_stop(fixture->stub);
    return 0;
}

static void answer(struct fixture *fixture, int status, const char *body)
{
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, status, body);
}

static void assert_request(struct fixture *fixture, size_t index, const char *first_line,
                           const char *body)
{
    const char *request = http_stub_request(fixture->stub, index);

    if (strncmp(request, first_line, strlen(first_line)) != 0)
        fail_msg("request %zu is not '%s' but: %s", index, first_line, request);
    assert_string_equal(strstr(request, "\r\n\r\n") + 4, body);
}

static int register_schema(struct fixture *fixture, int32_t *id, struct err *err)
{
    return schema_registry_register(fixture->registry, "trades-value", text_view_of(SCHEMA), id,
                                    err);
}

static void registering_sets_compatibility_and_posts_the_literal_text(void **state)
{
    struct fixture *fixture = *state;
    struct text_view schema = {0};
    struct err err = {0};
    int32_t id = 0;

    answer(fixture, 200, "{\"compatibility\":\"FULL_TRANSITIVE\"}");
    answer(fixture, 200, "{\"id\":7,\"version\":1}");
    assert_int_equal(register_schema(fixture, &id, &err), 0);
    assert_int_equal(id, 7);
    assert_int_equal(http_stub_request_count(fixture->stub), 2);
    assert_request(fixture, 0, "PUT /apis/ccompat/v7/config/trades-value HTTP/1.1\r\n",
                   "{\"compatibility\":\"FULL_TRANSITIVE\"}");
    assert_request(fixture, 1, "POST /apis/ccompat/v7/subjects/trades-value/versions HTTP/1.1\r\n",
                   "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}");
    assert_non_null(strstr(http_stub_request(fixture->stub, 1),
                           "\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n"));

    /* What was registered needs no request to be known. */
    assert_int_equal(schema_registry_get(fixture->registry, 7, &schema, &err), 0);
    assert_string_equal(schema.data, SCHEMA);
    assert_int_equal(http_stub_request_count(fixture->stub), 2);
    assert_int_equal(http_stub_connection_count(fixture->stub), 1);
}

static void a_registry_that_does_not_know_the_subject_yet_is_told_after_it_does(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    int32_t id = 0;

    answer(fixture, 404, "{\"error_code\":40401,\"message\":\"no such subject\"}");
    answer(fixture, 200, "{\"id\":8}");
    answer(fixture, 200, "{}");
    assert_int_equal(register_schema(fixture, &id, &err), 0);
    assert_int_equal(id, 8);
    assert_request(fixture, 2, "PUT /apis/ccompat/v7/config/trades-value ",
                   "{\"compatibility\":\"FULL_TRANSITIVE\"}");
}

/* Apicurio answers so when two services start at once. */
static void a_conflict_over_compatibility_is_tried_again_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    int32_t id = 0;

    answer(fixture, 409,
           "{\"error_code\":409,\"message\":\"A rule named 'COMPATIBILITY' exists\"}");
    answer(fixture, 200, "{\"compatibility\":\"FULL_TRANSITIVE\"}");
    answer(fixture, 200, "{\"id\":9}");
    assert_int_equal(register_schema(fixture, &id, &err), 0);
    assert_int_equal(id, 9);
    assert_int_equal(http_stub_request_count(fixture->stub), 3);
}

static void a_lasting_conflict_over_compatibility_is_worth_another_try_later(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    int32_t id = 0;

    for (int i = 0; i < 4; i++)
        answer(fixture, 409, "{\"error_code\":409,\"message\":\"exists\"}");
    assert_int_equal(register_schema(fixture, &id, &err), -1);
    assert_int_equal(err.code, ERR_REMOTE);
    assert_true(err.retriable);
    assert_int_equal(http_stub_request_count(fixture->stub), 4);
}

static void refusals_reach_the_caller_with_the_registrys_reason(void **state)
{
    static char huge[5 << 20];
    const struct {
        int status;
        const char *body;
        enum err_code code;
        bool retriable;
        const char *says;
    } cases[] = {
        {409, "{\"error_code\":409,\"message\":\"field px is gone\"}", ERR_REMOTE, false,
         "field px is gone"},
        {401, "{\"error_code\":401,\"message\":\"who are you\"}", ERR_UNAUTHORIZED, true,
         "who are you"},
        {503, "busy", ERR_REMOTE, true, "HTTP 503"},
        {200, "<html>a captive portal</html>", ERR_PROTOCOL, true, "no schema id"},
        {200, huge, ERR_LIMIT, true, "larger than"},
    };
    struct fixture *fixture = *state;

    memset(huge, 'x', sizeof huge - 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        int32_t id = 42;

        answer(fixture, 200, "{}");
        answer(fixture, cases[i].status, cases[i].body);
        assert_int_equal(register_schema(fixture, &id, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
        if (!strstr(err.message, cases[i].says) ||
            !strstr(err.message, "/subjects/trades-value/versions: "))
            fail_msg("'%s'", err.message);
        assert_int_equal(id, 42);
    }
}

static void a_schema_is_fetched_once_and_survives_the_registry(void **state)
{
    struct fixture *fixture = *state;
    struct text_view first = {0}, again = {0};
    struct err err = {0};

    answer(fixture, 200, "{\"schema\":\"\\\"long\\\"\",\"maxId\":9}");
    assert_int_equal(schema_registry_get(fixture->registry, 2147483647, &first, &err), 0);
    assert_string_equal(first.data, "\"long\"");
    assert_request(fixture, 0, "GET /apis/ccompat/v7/schemas/ids/2147483647 ", "");
    assert_int_equal(schema_registry_get(fixture->registry, 2147483647, &again, &err), 0);
    assert_ptr_equal(first.data, again.data);
    assert_int_equal(http_stub_request_count(fixture->stub), 1);
}

/* What stands between us and the registry is no fault of the record that names a schema. */
static void only_an_unknown_id_is_not_found(void **state)
{
    static char huge[5 << 20];
    const struct {
        enum http_stub_manner manner;
        int status;
        const char *body;
        enum err_code code;
        bool retriable;
    } cases[] = {
        /* First: libcurl repeats a request once when a connection that was kept open closes. */
        {HTTP_STUB_CLOSE, 0, "", ERR_NETWORK, true},
        {HTTP_STUB_ANSWER, 404, "{\"error_code\":40403,\"message\":\"none\"}", ERR_NOT_FOUND,
         false},
        {HTTP_STUB_ANSWER, 404, "no such page", ERR_REMOTE, true},
        {HTTP_STUB_ANSWER, 500, "", ERR_REMOTE, true},
        {HTTP_STUB_ANSWER, 200, "[]", ERR_PROTOCOL, true},
        {HTTP_STUB_ANSWER, 200, "<html>a captive portal</html>", ERR_PROTOCOL, true},
        {HTTP_STUB_ANSWER, 200, huge, ERR_LIMIT, true},
        {HTTP_STUB_ANSWER, 302, "moved", ERR_REMOTE, true},
        {HTTP_STUB_ANSWER, 400, "<html>bad request</html>", ERR_REMOTE, true},
        {HTTP_STUB_ANSWER, 401, "{\"error_code\":401,\"message\":\"who are you\"}",
         ERR_UNAUTHORIZED, true},
        {HTTP_STUB_ANSWER, 403, "forbidden", ERR_UNAUTHORIZED, true},
        {HTTP_STUB_ANSWER, 200, "{\"schema\":\"x\",\"schemaType\":\"JSON\"}", ERR_UNSUPPORTED,
         false},
    };
    struct fixture *fixture = *state;

    memset(huge, '[', sizeof huge - 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_view schema = {0};
        struct err err = {0};

        http_stub_queue(fixture->stub, cases[i].manner, cases[i].status, cases[i].body);
        assert_int_equal(schema_registry_get(fixture->registry, 5, &schema, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_int_equal(err.retriable, cases[i].retriable);
        assert_null(schema.data);
    }
}

static void credentials_are_sent_from_url_or_settings_and_never_shown(void **state)
{
    struct http_stub *stub = http_stub_start();
    char with_user[128];
    const char *authorizations[] = {"Basic bWU6cEB3", "Basic bWU6bmV3"}; /* me:p@w, me:new */

    (void)state;
    snprintf(with_user, sizeof with_user, "http://me:p%%40w@%s", http_stub_url(stub) + 7);
    for (size_t i = 0; i < 2; i++) {
        const struct schema_registry_settings settings = {
            .url = with_user, .user = i ? "me" : NULL, .password = i ? "new" : NULL};
        struct text_view schema = {0};
        struct err err = {0};
        struct schema_registry *registry = schema_registry_create(&settings, &err);

        assert_non_null(registry);
        http_stub_queue(stub, HTTP_STUB_ANSWER, 401, "{\"message\":\"no\"}");
        assert_int_equal(schema_registry_get(registry, 1, &schema, &err), -1);
        assert_non_null(strstr(http_stub_request(stub, i), authorizations[i]));
        assert_null(strstr(err.message, "p%40w"));
        assert_null(strstr(err.message, "p@w"));
        assert_null(strstr(err.message, "me:"));
        schema_registry_destroy(registry);
    }
    http_stub_stop(stub);
}

static void an_unusable_address_is_a_configuration_error_without_the_address(void **state)
{
    static const char *const urls[] = {"", "ftp://u:s3cret@h/", "localhost:8080", "http://",
                                       "s3cret"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct schema_registry_settings settings = {.url = (char *)urls[i]};
        struct err err = {0};

        print_message("%s\n", urls[i]);
        assert_null(schema_registry_create(&settings, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_null(strstr(err.message, "s3cret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registering_sets_compatibility_and_posts_the_literal_text,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_registry_that_does_not_know_the_subject_yet_is_told_after_it_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_conflict_over_compatibility_is_tried_again_at_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_lasting_conflict_over_compatibility_is_worth_another_try_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_reach_the_caller_with_the_registrys_reason, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_schema_is_fetched_once_and_survives_the_registry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_an_unknown_id_is_not_found, set_up, tear_down),
        cmocka_unit_test(credentials_are_sent_from_url_or_settings_and_never_shown),
        cmocka_unit_test(an_unusable_address_is_a_configuration_error_without_the_address),
    };
    return cmocka_run_group_tests_name("schema_registry", tests, NULL, NULL);
}
