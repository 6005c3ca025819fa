#include "avrocat/record_lines.h"

#include <string.h>

#include "tests/support/unit_test.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"text\",\"type\":\"string\"},"     \
    "{\"name\":\"list\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}]}"

struct fixture {
    struct writer_schema *schema, *other;
    struct buf out;
    struct shown_record record;
};

static struct writer_schema *parse(const char *text)
{
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(text_view_of(text), &err);

    assert_non_null(schema);
    return schema;
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.schema = parse(SCHEMA);
    fixture.other = parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                          "{\"name\":\"new\",\"type\":\"int\"},"
                          "{\"name\":\"text\",\"type\":\"string\"}]}");
    buf_init(&fixture.out, 1 << 16);
    fixture.record = (struct shown_record){
        .topic = "t",
        .partition = 3,
        .offset = 12345678901,
        .timestamp_ms = 1000,
        .key = "BTC-USDT",
        .key_length = 8,
        .kind = SHOWN_AVRO,
        .value = (const uint8_t *)"\6a,b\2\2\"\0",
        .value_length = 8,
        .type = writer_schema_root(fixture.schema),
    };
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buf_clear(&fixture->out);
    writer_schema_destroy(fixture->schema);
    writer_schema_destroy(fixture->other);
    return 0;
}

static void assert_line(struct fixture *fixture, struct record_lines *lines, int status,
                        const char *expected)
{
    struct err err = {0};

    buf_reset(&fixture->out);
    assert_int_equal(record_lines_append(lines, &fixture->out, &fixture->record, &err), status);
    assert_int_equal(err.code == ERR_NONE, status == 0);
    assert_string_equal(fixture->out.data ? fixture->out.data : "", expected);
}

static void a_json_line_has_an_envelope_around_the_value(void **state)
{
    const struct shown_header headers[] = {
        {"why", "bad", 3}, {"none", NULL, 0}, {"raw", "\xff", 1}};
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_JSON, false);

    assert_line(fixture, lines, 0,
                "{\"topic\":\"t\",\"partition\":3,\"offset\":12345678901,"
                "\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"key\":\"BTC-USDT\","
                "\"value\":{\"text\":\"a,b\",\"list\":[\"\\\"\"]}}\n");
    fixture->record.headers = headers;
    fixture->record.header_count = 3;
    fixture->record.key = NULL;
    fixture->record.timestamp_ms = -1;
    fixture->record.value = NULL;
    assert_line(fixture, lines, 0,
                "{\"topic\":\"t\",\"partition\":3,\"offset\":12345678901,\"timestamp\":null,"
                "\"key\":null,\"headers\":{\"why\":\"bad\",\"none\":null,"
                "\"raw\":{\"base64\":\"/w==\"}},\"value\":null}\n");
    record_lines_destroy(lines);
}

static void a_value_that_cannot_be_decoded_is_shown_with_its_reason_and_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_JSON, false);
    struct record_lines *values = record_lines_create(OUTPUT_JSON, true);

    fixture->record.value_length = 3; /* cut short */
    assert_line(fixture, lines, -1,
                "{\"topic\":\"t\",\"partition\":3,\"offset\":12345678901,"
                "\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"key\":\"BTC-USDT\",\"value\":null,"
                "\"error\":\"field text: ends 2 bytes into a value of 3\",\"raw\":\"BmEs\"}\n");
    fixture->record.kind = SHOWN_UNDECODABLE;
    fixture->record.reason = "schema 7 is unknown";
    assert_line(fixture, lines, -1,
                "{\"topic\":\"t\",\"partition\":3,\"offset\":12345678901,"
                "\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"key\":\"BTC-USDT\",\"value\":null,"
                "\"error\":\"schema 7 is unknown\",\"raw\":\"BmEs\"}\n");
    assert_line(fixture, values, -1, "");
    record_lines_destroy(values);
    record_lines_destroy(lines);
}

static void bytes_behind_the_value_are_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_JSON, true);
    struct record_lines *csv = record_lines_create(OUTPUT_CSV, true);

    fixture->record.value = (const uint8_t *)"\2x\0\0";
    fixture->record.value_length = 4;
    assert_line(fixture, lines, -1, "");
    assert_line(fixture, csv, -1, "text,list\n");
    record_lines_destroy(csv);
    record_lines_destroy(lines);
}

static void raw_values_are_text_or_base64(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_JSON, true);

    fixture->record.kind = SHOWN_RAW;
    fixture->record.value = (const uint8_t *)"{\"a\":1}";
    fixture->record.value_length = 7;
    assert_line(fixture, lines, 0, "\"{\\\"a\\\":1}\"\n");
    fixture->record.value = (const uint8_t *)"a\0b";
    fixture->record.value_length = 3;
    assert_line(fixture, lines, 0, "{\"base64\":\"YQBi\"}\n");
    fixture->record.value = NULL;
    assert_line(fixture, lines, 0, "null\n");
    record_lines_destroy(lines);
}

static void csv_has_one_header_and_quotes_where_it_must(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_CSV, false);
    struct record_lines *values = record_lines_create(OUTPUT_CSV, true);

    assert_line(fixture, lines, 0,
                "topic,partition,offset,timestamp,key,text,list\n"
                "t,3,12345678901,1970-01-01T00:00:01.000Z,BTC-USDT,\"a,b\",\"[\"\"\\\"\"\"\"]\"\n");
    fixture->record.value = (const uint8_t *)"\6\"\r\n\0";
    fixture->record.value_length = 5;
    assert_line(fixture, lines, 0,
                "t,3,12345678901,1970-01-01T00:00:01.000Z,BTC-USDT,\"\"\"\r\n\",[]\n");
    fixture->record.value = NULL;
    assert_line(fixture, lines, 0, "t,3,12345678901,1970-01-01T00:00:01.000Z,BTC-USDT,,\n");
    fixture->record.value = (const uint8_t *)"\2x\0";
    fixture->record.value_length = 3;
    assert_line(fixture, values, 0, "text,list\nx,[]\n");
    record_lines_destroy(values);
    record_lines_destroy(lines);
}

static void csv_keeps_its_columns_when_the_schema_changes(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_CSV, true);

    fixture->record.value = (const uint8_t *)"\2x\0";
    fixture->record.value_length = 3;
    assert_line(fixture, lines, 0, "text,list\nx,[]\n");
    fixture->record.type = writer_schema_root(fixture->other);
    fixture->record.value = (const uint8_t *)"\2\2y";
    assert_line(fixture, lines, 0, "y,\n");
    record_lines_destroy(lines);
}

static void csv_leaves_out_what_it_has_no_columns_or_cells_for(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_CSV, true);
    const uint8_t *value = fixture->record.value;

    fixture->record.value = NULL;
    assert_line(fixture, lines, -1, "");
    fixture->record.value = value;
    fixture->record.value_length = 2;
    assert_line(fixture, lines, -1, "text,list\n");
    record_lines_destroy(lines);
}

static void csv_of_raw_values_shows_headers_and_value(void **state)
{
    const struct shown_header headers[] = {{"why", "bad", 3}};
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_CSV, true);

    fixture->record.kind = SHOWN_RAW;
    fixture->record.headers = headers;
    fixture->record.header_count = 1;
    fixture->record.value = (const uint8_t *)"oops";
    fixture->record.value_length = 4;
    assert_line(fixture, lines, 0, "headers,value\n\"{\"\"why\"\":\"\"bad\"\"}\",oops\n");
    record_lines_destroy(lines);
}

static void a_value_that_is_no_record_has_one_column(void **state)
{
    struct fixture *fixture = *state;
    struct record_lines *lines = record_lines_create(OUTPUT_CSV, true);
    struct writer_schema *schema = parse("\"long\"");

    fixture->record.type = writer_schema_root(schema);
    fixture->record.value = (const uint8_t *)"\4";
    fixture->record.value_length = 1;
    assert_line(fixture, lines, 0, "value\n2\n");
    record_lines_destroy(lines);
    writer_schema_destroy(schema);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_json_line_has_an_envelope_around_the_value),
        TEST(a_value_that_cannot_be_decoded_is_shown_with_its_reason_and_bytes),
        TEST(bytes_behind_the_value_are_an_error),
        TEST(raw_values_are_text_or_base64),
        TEST(csv_has_one_header_and_quotes_where_it_must),
        TEST(csv_keeps_its_columns_when_the_schema_changes),
        TEST(csv_leaves_out_what_it_has_no_columns_or_cells_for),
        TEST(csv_of_raw_values_shows_headers_and_value),
        TEST(a_value_that_is_no_record_has_one_column),
    };
    return cmocka_run_group_tests_name("avrocat record_lines", tests, NULL, NULL);
}
