#include "io/record_reader.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec/avro_codec.h"
#include "codec/wire_format.h"
#include "domain/trade_position.h"
#include "tests/support/http_stub.h"
#include "tests/support/unit_test.h"

struct fixture {
    struct http_stub *stub;
    struct schema_registry *registry;
    struct record_reader *reader;
    struct buf value; /* a position, framed with schema id 3 */
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct trade_position position = {.inst_id = "BTC-USDT", .updated_at_ms = 9};
    struct schema_registry_settings settings = {0};
    uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];
    struct err err = {0};

    fixture.stub = http_stub_start();
    settings.url = (char *)http_stub_url(fixture.stub);
    fixture.registry = schema_registry_create(&settings, &err);
    assert_non_null(fixture.registry);
    fixture.reader = record_reader_create(fixture.registry);
    buf_init(&fixture.value, 1024);
    wire_format_write(prefix, 3);
    assert_int_equal(buf_append(&fixture.value, prefix, sizeof prefix), 0);
    assert_int_equal(avro_encode(RECORD_TRADE_POSITION, &position, &fixture.value, &err), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buf_clear(&fixture->value);
    record_reader_destroy(fixture->reader);
    schema_registry_destroy(fixture->registry);
    http_stub_stop(fixture->stub);
    return 0;
}

static int read_position(struct fixture *fixture, struct trade_position *position, struct err *err)
{
    return record_reader_read(fixture->reader, RECORD_TRADE_POSITION, fixture->value.data,
                              fixture->value.length, position, err);
}

static void queue_schema(struct fixture *fixture, enum record_kind kind)
{
    json_t *json = json_pack("{s:s}", "schema", schema_text(kind).data);
    char *body = json_dumps(json, 0);

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 200, body);
    free(body);
    json_decref(json);
}

static void the_schema_is_fetched_for_the_first_record_only(void **state)
{
    struct fixture *fixture = *state;
    struct trade_position position;
    struct err err = {0};

    queue_schema(fixture, RECORD_TRADE_POSITION);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read_position(fixture, &position, &err), 0);
        assert_string_equal(position.inst_id, "BTC-USDT");
        assert_int_equal(position.updated_at_ms, 9);
    }
    assert_int_equal(http_stub_request_count(fixture->stub), 1);
}

/* A record must never be given up because the registry had a bad day. */
static void what_is_the_registrys_fault_is_retriable_and_passes(void **state)
{
    static const struct {
        int status;
        const char *body;
    } refusals[] = {
        {500, ""}, {401, "{\"message\":\"expired\"}"}, {404, "proxy"}, {400, ""}, {200, "hello"}};
    struct fixture *fixture = *state;
    struct trade_position position;
    struct err err = {0};

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, refusals[i].status, refusals[i].body);
        assert_int_equal(read_position(fixture, &position, &err), -1);
        assert_true(err.retriable);
    }
    queue_schema(fixture, RECORD_TRADE_POSITION);
    assert_int_equal(read_position(fixture, &position, &err), 0);
}

static void what_is_the_records_fault_is_final(void **state)
{
    struct fixture *fixture = *state;
    struct trade_position position;
    struct err err = {0};

    http_stub_queue(fixture->stub, HTTP_STUB_ANSWER, 404,
                    "{\"error_code\":40403,\"message\":\"Schema 3 not found\"}");
    assert_int_equal(read_position(fixture, &position, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(err.retriable);

    queue_schema(fixture, RECORD_TRADE);
    assert_int_equal(record_reader_read(fixture->reader, RECORD_TRADE, NULL, 0, &position, &err),
                     -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    fixture->value.data[0] = 1;
    assert_int_equal(read_position(fixture, &position, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL);
    fixture->value.data[0] = 0;
    assert_int_equal(read_position(fixture, &position, &err), -1);
    assert_int_equal(err.code, ERR_PROTOCOL); /* a position's bytes by the schema of a trade */
    assert_false(err.retriable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_schema_is_fetched_for_the_first_record_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_the_registrys_fault_is_retriable_and_passes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_the_records_fault_is_final, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("record_reader", tests, NULL, NULL);
}
