#include "codec/writer_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/schema_text.h"
#include "tests/support/unit_test.h"

static struct writer_schema *parse(const char *text)
{
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(text_view_of(text), &err);

    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

static void our_own_schemas_become_trees_with_logical_types(void **state)
{
    struct err err = {0};
    struct writer_schema *schema = writer_schema_parse(schema_text(RECORD_TRADE), &err);
    const struct schema_node *root = NULL;

    (void)state;
    assert_non_null(schema);
    root = writer_schema_root(schema);
    assert_int_equal(root->type, SCHEMA_RECORD);
    assert_string_equal(root->full_name, "io.currencytrends.marketdata.Trade");
    assert_int_equal(root->count, 12);
    assert_string_equal(root->names[2], "px");
    assert_int_equal(root->children[2]->type, SCHEMA_BYTES);
    assert_int_equal(root->children[2]->logical_type, SCHEMA_LOGICAL_DECIMAL);
    assert_int_equal(root->children[2]->scale, 18);
    assert_int_equal(root->children[5]->logical_type, SCHEMA_LOGICAL_TIMESTAMP_MILLIS);
    assert_int_equal(root->children[6]->type, SCHEMA_UNION);
    assert_int_equal(root->children[6]->count, 2);
    assert_int_equal(root->children[6]->children[1]->type, SCHEMA_LONG);
    assert_string_equal(root->children[9]->full_name, "io.currencytrends.marketdata.Origin");
    assert_string_equal(root->children[9]->names[1], "REST");
    assert_int_equal(root->children[10]->logical_type, SCHEMA_LOGICAL_TIMESTAMP_MICROS);
    assert_int_equal(root->children[11]->type, SCHEMA_MAP);
    assert_int_equal(root->children[11]->children[0]->type, SCHEMA_STRING);
    writer_schema_destroy(schema);
}

static void names_are_resolved_by_namespace_and_may_recur(void **state)
{
    struct writer_schema *schema =
        parse("{\"type\":\"record\",\"name\":\"a.b.Node\",\"fields\":["
              "{\"name\":\"next\",\"type\":[\"null\",\"Node\"]},"
              "{\"name\":\"id\",\"type\":{\"type\":\"fixed\",\"name\":\"Id\",\"namespace\":\"c\","
              "\"size\":4}},"
              "{\"name\":\"other\",\"type\":\"c.Id\"},"
              "{\"name\":\"wrapped\",\"type\":{\"type\":{\"type\":\"array\",\"items\":\"a.b."
              "Node\"}}}]}");
    const struct schema_node *root = writer_schema_root(schema);

    (void)state;
    assert_ptr_equal(root->children[0]->children[1], root);
    assert_ptr_equal(root->children[2], root->children[1]);
    assert_int_equal(root->children[1]->fixed_bytes, 4);
    assert_ptr_equal(root->children[3]->children[0], root);
    writer_schema_destroy(schema);
}

static void a_logical_type_that_does_not_fit_its_type_is_none(void **state)
{
    static const char *const cases[] = {
        "{\"type\":\"string\",\"logicalType\":\"decimal\",\"precision\":4}",
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"scale\":-1}",
        "{\"type\":\"int\",\"logicalType\":\"timestamp-millis\"}",
        "{\"type\":\"long\",\"logicalType\":\"no such\"}",
        "{\"type\":\"long\",\"logicalType\":7}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer_schema *schema = parse(cases[i]);
        assert_int_equal(writer_schema_root(schema)->logical_type, SCHEMA_LOGICAL_NONE);
        writer_schema_destroy(schema);
    }
}

static void malformed_schemas_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "no JSON"},
        {"{", "no JSON"},
        {"7", "no type"},
        {"{}", "no type"},
        {"\"unheard\"", "unknown type 'unheard'"},
        {"[\"null\",[\"int\"]]", "union directly within"},
        {"{\"type\":\"record\",\"fields\":[]}", "without a name"},
        {"{\"type\":\"record\",\"name\":\"R\"}", "no fields"},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"type\":\"int\"}]}", "has no name"},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\"}]}", "field f: "},
        {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"int\"},"
         "{\"name\":\"f\",\"type\":\"int\"}]}",
         "field f twice"},
        {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\","
         "\"size\":1}]",
         "defines 'F' twice"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "no symbols"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}", "is no text"},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "size of fixed"},
        {"{\"type\":\"fixed\",\"name\":\"F\"}", "size of fixed"},
        {"{\"type\":\"array\"}", "no type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};

        assert_null(writer_schema_parse(text_view_of(cases[i].text), &err));
        assert_int_equal(err.code, ERR_PROTOCOL);
        if (!strstr(err.message, cases[i].says))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, err.message, cases[i].says);
    }
}

static void depth_and_size_have_limits(void **state)
{
    struct buf text = {0};
    struct err err = {0};

    (void)state;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append_text(&text, "{\"type\":\"array\",\"items\":"), 0);
    assert_int_equal(buf_append_text(&text, "\"int\""), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append_text(&text, "}"), 0);
    assert_null(writer_schema_parse(text_view_of(text.data), &err));
    assert_int_equal(err.code, ERR_LIMIT);

    buf_reset(&text);
    assert_int_equal(buf_append_text(&text, "[\"null\""), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append_text(&text, ",\"int\""), 0);
    assert_int_equal(buf_append_text(&text, "]"), 0);
    assert_null(writer_schema_parse(text_view_of(text.data), &err));
    assert_int_equal(err.code, ERR_LIMIT);

    /* Every use of a name is a search among all names. */
    buf_reset(&text);
    err = (struct err){0};
    assert_int_equal(buf_append_text(&text, "[{\"type\":\"fixed\",\"name\":\"Id\",\"size\":4}"), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_append_text(&text, ",\"Id\""), 0);
    assert_int_equal(buf_append_text(&text, "]"), 0);
    assert_null(writer_schema_parse(text_view_of(text.data), &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_schemas_become_trees_with_logical_types),
        cmocka_unit_test(names_are_resolved_by_namespace_and_may_recur),
        cmocka_unit_test(a_logical_type_that_does_not_fit_its_type_is_none),
        cmocka_unit_test(malformed_schemas_are_refused_with_a_reason),
        cmocka_unit_test(depth_and_size_have_limits),
    };
    return cmocka_run_group_tests_name("writer_schema", tests, NULL, NULL);
}
