#include "dead-letters/letter_text.h"

#include <jansson.h>
#include <string.h>

#include "dead-letters/hex_dump.h"
#include "tests/support/unit_test.h"

static const struct letter letter = {
    .kind = LETTER_OF_RECORD,
    .position = {0, 17},
    .timestamp_ms = 1700000000123,
    .source_topic = "trades",
    .source_partition = 3,
    .source_offset = 1234,
    .service = "persister",
    .stage = "store",
    .reason = "remote",
    .sqlstate = "23514",
    .message = "violates \"c\"\x1b[2J\nDETAIL: x",
    .attempts = 2,
    .retried_from = "0:3",
    .truncated_from = -1,
    .key = "BTC-USDT",
    .key_length = 8,
    .value = "\0\0\0\0\5ab",
    .value_length = 7,
};

static void bytes_are_dumped_by_sixteen(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    hex_dump_append(&out, "\0\x7f\xff 0123456789abcdef", 20, 18);
    assert_string_equal(
        out.data,
        "    00000000  00 7f ff 20 30 31 32 33  34 35 36 37 38 39 61 62  |... 0123456789ab|\n"
        "    00000010  63 64                                             |cd|\n"
        "    ... and 2 bytes more\n");
    buf_clear(&out);
}

static void a_line_holds_no_control_characters(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    letter_text_append_heading(&out);
    letter_text_append_line(&out, &letter, LETTER_OPEN);
    assert_string_equal(
        out.data,
        "LETTER   SOURCE                   KEY           STAGE   REASON          TIMES  STATE      "
        "WHEN                      MESSAGE\n"
        "0:17     trades:3:1234            BTC-USDT      store   remote/23514    2      open       "
        "2023-11-14T22:13:20.123Z  violates \"c\" [2J DETAIL: x\n");
    buf_clear(&out);
}

static void json_is_json_whatever_the_letter_holds(void **state)
{
    struct letter odd = letter;
    struct letter_value value = {.schema_id = -1};
    struct advice advice;
    struct buf out;

    (void)state;
    odd.key = "\xff\0";
    odd.key_length = 2;
    (void)err_set(&value.fault, ERR_PROTOCOL, "bad \"bytes\"");
    advice_give(&odd, LETTER_OPEN, true, &value.fault, &advice);
    buf_init(&value.json, 1 << 16);
    buf_init(&out, 1 << 16);
    letter_text_append_json(&out, &odd, LETTER_OPEN, &value, &advice);
    json_t *json = json_loads(out.data, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "letter")), "0:17");
    assert_string_equal(json_string_value(json_object_get(json, "message")), odd.message);
    assert_string_equal(json_string_value(json_object_get(json, "raw")), "AAAAAAVhYg==");
    assert_string_equal(json_string_value(json_object_get(json, "valueError")), "bad \"bytes\"");
    assert_true(json_is_null(json_object_get(json, "value")));
    assert_true(json_is_object(json_object_get(json, "key")));
    json_decref(json);
    buf_clear(&out);
}

static void advice_is_for_the_cause(void **state)
{
    const struct err fine = {0};
    const struct err unknown_schema = {.code = ERR_NOT_FOUND, .message = "schema 9"};
    const struct err unreadable = {.code = ERR_PROTOCOL, .message = "cut short"};
    struct letter large = letter;
    const struct letter frame = {.kind = LETTER_OF_OKX, .source_topic = "okx:trades-all"};
    const struct letter foreign = {.kind = LETTER_UNKNOWN};
    struct letter triggered = letter;
    const struct {
        const struct letter *letter;
        enum letter_state state;
        bool is_ours;
        const struct err *fault;
        const char *wrong, *remedy;
    } cases[] = {
        {&letter, LETTER_OPEN, true, &fine, "CHECK", "retry 0:17"},
        {&triggered, LETTER_OPEN, true, &fine, "trigger", "retry 0:17"},
        {&letter, LETTER_OPEN, true, &unknown_schema, "schema 9", "restore it"},
        {&letter, LETTER_OPEN, true, &unreadable, "cut short", "--json"},
        {&letter, LETTER_OPEN, false, &fine, "none of the topics", "TOPIC_PREFIX"},
        {&frame, LETTER_OPEN, false, &fine, "never was a record", "trade_gaps"},
        {&foreign, LETTER_OPEN, false, &fine, "No header", "dismiss 0:0"},
        {&large, LETTER_OPEN, true, &unreadable, "too large", "-t trades -p 3 -o 1234"},
        {&letter, LETTER_PUT_BACK, true, &fine, "CHECK", "put back already"},
    };

    (void)state;
    large.truncated_from = 1000000;
    memcpy(triggered.sqlstate, "P0001", sizeof "P0001");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct advice advice = {0};

        advice_give(cases[i].letter, cases[i].state, cases[i].is_ours, cases[i].fault, &advice);
        if (!strstr(advice.wrong, cases[i].wrong) || !strstr(advice.remedy, cases[i].remedy))
            fail_msg("case %zu: %s | %s", i, advice.wrong, advice.remedy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_dumped_by_sixteen),
        cmocka_unit_test(a_line_holds_no_control_characters),
        cmocka_unit_test(json_is_json_whatever_the_letter_holds),
        cmocka_unit_test(advice_is_for_the_cause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
