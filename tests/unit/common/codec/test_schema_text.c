#include "codec/schema_text.h"

#include <avro.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit_test.h"

static const char *const files[RECORD_KIND_COUNT] = {
    [RECORD_TRADE] = "Trade",
    [RECORD_CANDLE] = "Candle",
    [RECORD_CURRENCY_CHAIN] = "CurrencyChain",
    [RECORD_FETCH_COMMAND] = "FetchCommand",
    [RECORD_FETCH_RESULT] = "FetchResult",
    [RECORD_TRADE_POSITION] = "TradePosition",
};

static json_t *load(enum record_kind kind)
{
    struct text_view text = schema_text(kind);
    json_t *json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(json);
    return json;
}

static void each_kind_is_the_record_of_its_file_in_our_namespace(void **state)
{
    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        json_t *json = load(kind);
        assert_string_equal(json_string_value(json_object_get(json, "name")), files[kind]);
        assert_string_equal(json_string_value(json_object_get(json, "namespace")),
                            "io.currencytrends.marketdata");
        json_decref(json);
    }
}

/* The tests run from the repository root, as the build does. */
static void text_is_the_file_byte_by_byte(void **state)
{
    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        char path[64];
        char content[16384];
        struct text_view text = schema_text(kind);
        FILE *file = NULL;
        size_t length = 0;

        snprintf(path, sizeof path, "schemas/%s.avsc", files[kind]);
        file = fopen(path, "rb");
        assert_non_null(file);
        length = fread(content, 1, sizeof content, file);
        fclose(file);
        assert_int_equal(length, text.length);
        assert_memory_equal(content, text.data, length);
    }
}

static void avro_c_parses_every_schema(void **state)
{
    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct text_view text = schema_text(kind);
        avro_schema_t schema = NULL;

        if (avro_schema_from_json_length(text.data, text.length, &schema) != 0)
            fail_msg("%s: %s", files[kind], avro_strerror());
        assert_int_equal(avro_typeof(schema), AVRO_RECORD);
        avro_schema_decref(schema);
    }
}

/* Checks every record and enum at any depth, and every field of every record. */
static void assert_documented(const json_t *json, const char *where)
{
    const char *key = NULL;
    json_t *value = NULL;
    size_t index = 0;

    if (json_is_array(json)) {
        json_array_foreach(json, index, value) assert_documented(value, where);
        return;
    }
    if (!json_is_object(json))
        return;
    if (json_object_get(json, "name")) {
        const char *name = json_string_value(json_object_get(json, "name"));
        const char *doc = json_string_value(json_object_get(json, "doc"));
        if (!doc || strlen(doc) < 10)
            fail_msg("%s: %s has no doc worth the name", where, name);
    }
    json_object_foreach((json_t *)json, key, value) if (strcmp(key, "default") != 0)
        assert_documented(value, where);
}

static void every_record_enum_and_field_has_a_doc(void **state)
{
    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        json_t *json = load(kind);
        assert_documented(json, files[kind]);
        json_decref(json);
    }
}

static void every_nullable_field_defaults_to_null(void **state)
{
    (void)state;
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        json_t *json = load(kind);
        json_t *field = NULL;
        size_t index = 0;

        json_array_foreach(json_object_get(json, "fields"), index, field)
        {
            const json_t *type = json_object_get(field, "type");
            if (!json_is_array(type))
                continue;
            assert_int_equal(json_array_size(type), 2);
            assert_string_equal(json_string_value(json_array_get(type, 0)), "null");
            assert_true(json_is_null(json_object_get(field, "default")));
        }
        json_decref(json);
    }
}

static void topics_and_kinds_belong_together(void **state)
{
    (void)state;
    assert_int_equal(record_kind_topic(RECORD_TRADE), TOPIC_TRADES);
    assert_int_equal(record_kind_topic(RECORD_FETCH_COMMAND), TOPIC_CONTROL);
    assert_int_equal(record_kind_topic(RECORD_TRADE_POSITION), TOPIC_POSITIONS);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++)
        assert_int_equal(topic_record_kind(record_kind_topic(kind)), kind);
    assert_int_equal(topic_record_kind(TOPIC_DEAD_LETTERS), RECORD_KIND_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_the_record_of_its_file_in_our_namespace),
        cmocka_unit_test(text_is_the_file_byte_by_byte),
        cmocka_unit_test(avro_c_parses_every_schema),
        cmocka_unit_test(every_record_enum_and_field_has_a_doc),
        cmocka_unit_test(every_nullable_field_defaults_to_null),
        cmocka_unit_test(topics_and_kinds_belong_together),
    };
    return cmocka_run_group_tests_name("schema_text", tests, NULL, NULL);
}
