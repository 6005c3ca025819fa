#include "io/schema_cache.h"

#include <string.h>

#include "tests/support/http_stub.h"
#include "tests/support/unit_test.h"

struct fixture {
    struct http_stub *stub;
    struct schema_registry *registry;
    struct schema_cache *cache;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct schema_registry_settings settings = {0};
    struct err err = {0};

    fixture.stub = http_stub_start();
    settings.url = (char *)http_stub_url(fixture.stub);
    fixture.registry = schema_registry_create(&settings, &err);
    assert_non_null(fixture.registry);
    fixture.cache = schema_cache_create(fixture.registry);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    schema_cache_destroy(fixture->cache);
    schema_registry_destroy(fixture->registry);
    http_stub_stop(fixture->stub);
    return 0;
}

static void a_schema_is_asked_for_and_parsed_once(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    const struct schema_node *first = NULL;

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{\"schema\":\"\\\"long\\\"\"}");
    first = schema_cache_get(fixture->cache, 4, &err);
    assert_non_null(first);
    assert_int_equal(first->type, SCHEMA_LONG);
    assert_ptr_equal(schema_cache_get(fixture->cache, 4, &err), first);
    assert_int_equal(http_stub_request_count(fixture->stub), 1);
}

static void a_schema_that_cannot_be_had_is_not_asked_for_again(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum err_code code;
    } cases[] = {
        {404, "{\"error_code\":40403,\"message\":\"none\"}", ERR_NOT_FOUND},
        {200, "{\"schema\":\"syntax\",\"schemaType\":\"PROTOBUF\"}", ERR_UNSUPPORTED},
        {200, "{\"schema\":\"no json\"}", ERR_PROTOCOL},
    };
    struct fixture *fixture = *state;

    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, cases[i].status, cases[i].body);
        for (int again = 0; again < 2; again++) {
            struct err err = {0};
            assert_null(schema_cache_get(fixture->cache, i + 1, &err));
            assert_int_equal(err.code, cases[i].code);
            assert_false(err.retriable);
        }
        assert_int_equal(http_stub_request_count(fixture->stub), i + 1);
    }
}

static void a_registry_that_does_not_answer_is_asked_again(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 401, "");
    assert_null(schema_cache_get(fixture->cache, 1, &err));
    assert_true(err.retriable);
    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, "{\"schema\":\"\\\"int\\\"\"}");
    assert_non_null(schema_cache_get(fixture->cache, 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_schema_is_asked_for_and_parsed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_schema_that_cannot_be_had_is_not_asked_for_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_registry_that_does_not_answer_is_asked_again, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("avrocat schema_cache", tests, NULL, NULL);
}
