#include "io/registry_message.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    ERROR_SUBJECT_NOT_FOUND = 40401,
    ERROR_SCHEMA_NOT_FOUND = 40403,
    MESSAGE_SHOWN_BYTES = 160,
};

int registry_message_put_schema(struct buf *out, struct text_view schema, struct err *err)
{
    (void)buf_append_text(out, "{\"schema\":\"");
    (void)buf_append_json_escaped(out, schema.data, schema.length);
    (void)buf_append_text(out, "\"}");
    if (out->overflowed)
        return err_set(err, ERR_LIMIT, "schema does not fit into %zu bytes", out->max_bytes);
    return 0;
}

/* Returns owned a JSON object, or NULL. */
static json_t *load_object(struct text_view body)
{
    json_t *json = json_loadb(body.data ? body.data : "", body.length, 0, NULL);

    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

int registry_message_read_id(struct text_view body, int32_t *id, struct err *err)
{
    json_t *json = load_object(body);
    const json_t *value = json_object_get(json, "id");
    json_int_t number = json_integer_value(value);

    json_decref(json);
    if (number < 1 || number > INT32_MAX)
        return err_set(err, ERR_PROTOCOL, "answer holds no schema id");
    *id = (int32_t)number;
    return 0;
}

static int check_schema(const json_t *json, struct err *err)
{
    const char *type = json_string_value(json_object_get(json, "schemaType"));

    if (!json_is_string(json_object_get(json, "schema")))
        return err_set(err, ERR_PROTOCOL, "answer holds no schema");
    if (type && strcmp(type, "AVRO") != 0)
        return err_set(err, ERR_UNSUPPORTED, "schema is of type %.40s, not AVRO", type);
    if (json_array_size(json_object_get(json, "references")) > 0)
        return err_set(err, ERR_UNSUPPORTED, "schema refers to other schemas");
    return 0;
}

char *registry_message_read_schema(struct text_view body, struct err *err)
{
    json_t *json = load_object(body);
    char *schema = NULL;

    if (check_schema(json, err) == 0)
        schema = mem_strdup(json_string_value(json_object_get(json, "schema")));
    json_decref(json);
    return schema;
}

static int set_refusal(long status, json_int_t error_code, const char *message, struct err *err)
{
    if (status == 401 || status == 403) /* accounts are put right while we wait */
        return err_set_retriable(err, ERR_UNAUTHORIZED, "HTTP %ld: %.*s", status,
                                 MESSAGE_SHOWN_BYTES, message);
    if (error_code == ERROR_SUBJECT_NOT_FOUND || error_code == ERROR_SCHEMA_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "HTTP %ld: %.*s", status, MESSAGE_SHOWN_BYTES, message);
    if (status == 429)
        return err_set_retriable(err, ERR_RATE_LIMIT, "HTTP %ld: %.*s", status, MESSAGE_SHOWN_BYTES,
                                 message);
    if (status == 404 || status == 408 || status >= 500)
        return err_set_retriable(err, ERR_REMOTE, "HTTP %ld: %.*s", status, MESSAGE_SHOWN_BYTES,
                                 message);
    return err_set(err, ERR_REMOTE, "HTTP %ld: %.*s", status, MESSAGE_SHOWN_BYTES, message);
}

/* Returns owned the title of a page, as proxies send them, or NULL. */
static char *page_title(struct text_view body)
{
    static const char start[] = "<title>";
    static const char end[] = "</title>";
    const char *first = NULL;
    const char *last = NULL;

    if (body.length > 0)
        first = memmem(body.data, body.length, start, sizeof start - 1);
    if (!first)
        return NULL;
    first += sizeof start - 1;
    last = memmem(first, (size_t)(body.data + body.length - first), end, sizeof end - 1);
    return last ? mem_strndup(first, (size_t)(last - first)) : NULL;
}

int registry_message_set_refusal(long status, struct text_view body, struct err *err)
{
    json_t *json = load_object(body);
    const char *message = json_string_value(json_object_get(json, "message"));
    json_int_t error_code = json_integer_value(json_object_get(json, "error_code"));
    char *title = message ? NULL : page_title(body);

    if (!message)
        message = title ? title : "no reason given";
    (void)set_refusal(status, error_code, message, err);
    free(title);
    json_decref(json);
    return -1;
}
