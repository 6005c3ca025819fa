#include "okx-sim/hostile_body.h"

#include <jansson.h>
#include <string.h>

#include "tests/support/unit_test.h"

enum { PIECES_MAX = 50 };

static const struct http_request request = {.path = "/api/v5/public/time"};

/* Appends up to PIECES_MAX pieces; false when the body goes on behind them. */
static bool write_all(struct http_reply *reply, struct buf *out)
{
    (void)buf_append(out, reply->body.data ? reply->body.data : "", reply->body.length);
    for (int i = 0; reply->append_more && i < PIECES_MAX; i++) {
        size_t start = out->length;

        reply->append_more(reply->context, out);
        if (out->length == start)
            return true;
    }
    return !reply->append_more;
}

static void a_redirect_leads_to_itself(void **state)
{
    struct http_reply reply;

    (void)state;
    http_reply_init(&reply);
    hostile_body_fill(&reply, REST_FAULT_REDIRECT, &request);
    assert_int_equal(reply.status, 302);
    assert_string_equal(reply.location, request.path);
    http_reply_clear(&reply);
    assert_string_equal(reply.location, "");
}

static void an_endless_body_does_not_end(void **state)
{
    struct http_reply reply;
    struct buf out;

    (void)state;
    buf_init(&out, 64 << 20);
    http_reply_init(&reply);
    hostile_body_fill(&reply, REST_FAULT_ENDLESS, &request);
    assert_false(write_all(&reply, &out));
    assert_true(out.length > 1 << 20);
    http_reply_clear(&reply);
    buf_clear(&out);
}

static void large_bodies_come_in_pieces_and_are_json(void **state)
{
    const struct {
        enum rest_fault_form form;
        size_t length;
    } cases[] = {
        {REST_FAULT_HUGE, 100000000 + strlen("{\"code\":\"0\",\"msg\":\"\"}")},
        {REST_FAULT_ROWS, 6000000 + strlen("{\"code\":\"0\",\"data\":[[]]}")},
    };
    struct http_reply reply;
    struct buf out;

    (void)state;
    buf_init(&out, 256 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t pieces = 0;

        buf_reset(&out);
        http_reply_init(&reply);
        hostile_body_fill(&reply, cases[i].form, &request);
        while (!write_all(&reply, &out))
            pieces++;
        assert_true(pieces > 0);
        assert_int_equal(out.length, cases[i].length);
        assert_memory_equal(out.data, "{\"code\":\"0\",", 12);
        assert_memory_equal(out.data + out.length - 1, "}", 1);
        http_reply_clear(&reply);
    }
    buf_clear(&out);
}

static void a_nested_body_is_deeper_than_any_parser_goes(void **state)
{
    struct http_reply reply;
    json_error_t error;

    (void)state;
    http_reply_init(&reply);
    hostile_body_fill(&reply, REST_FAULT_NESTED, &request);
    assert_null(json_loadb(reply.body.data, reply.body.length, 0, &error));
    assert_non_null(strstr(error.text, "maximum parsing depth"));
    http_reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirect_leads_to_itself),
        cmocka_unit_test(an_endless_body_does_not_end),
        cmocka_unit_test(large_bodies_come_in_pieces_and_are_json),
        cmocka_unit_test(a_nested_body_is_deeper_than_any_parser_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
