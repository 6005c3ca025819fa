/* An answer of the schema registry, read as each kind of answer; and the input as a schema that is
 * sent to it. */
#include "io/registry_message.h"

#include <jansson.h>
#include <stdlib.h>

#include "fuzz.h"

static void check_id(struct text_view body)
{
    int32_t id;
    struct err err = {0};

    fuzz_paint(&id, sizeof id);
    bool succeeded = registry_message_read_id(body, &id, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    FUZZ_CHECK(succeeded ? id > 0 : fuzz_is_painted(&id, sizeof id));
}

static void check_schema(struct text_view body)
{
    struct err err = {0};
    char *schema = registry_message_read_schema(body, &err);

    fuzz_check_outcome(schema != NULL, &err);
    if (schema)
        FUZZ_CHECK(fuzz_is_utf8(schema, strlen(schema)));
    free(schema);
}

static void check_refusal(struct text_view body)
{
    static const long statuses[] = {400, 401, 403, 404, 408, 409, 422, 429, 500, 503};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct err err = {0};

        FUZZ_CHECK(registry_message_set_refusal(statuses[i], body, &err) == -1);
        fuzz_check_outcome(false, &err);
        FUZZ_CHECK(err.code != ERR_NOT_FOUND || !err.retriable);
        FUZZ_CHECK(statuses[i] != 429 || err.retriable || err.code == ERR_NOT_FOUND);
    }
}

/* What is sent, the registry reads as the same text. */
static void check_put(struct text_view text)
{
    struct buf out;
    struct err err = {0};

    if (!fuzz_is_utf8(text.data, text.length) || memchr(text.data, '\0', text.length))
        return;
    buf_init(&out, 8 * text.length + 64);
    FUZZ_CHECK(registry_message_put_schema(&out, text, &err) == 0);
    json_t *json = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *schema = json_object_get(json, "schema");
    FUZZ_CHECK(json_object_size(json) == 1 && json_string_length(schema) == text.length);
    FUZZ_CHECK(memcmp(json_string_value(schema), text.data, text.length) == 0);
    json_decref(json);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_view body = {.data = (const char *)data, .length = size};

    check_id(body);
    check_schema(body);
    check_refusal(body);
    check_put(body);
    return 0;
}
