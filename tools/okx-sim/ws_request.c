#include "ws_request.h"

#include <string.h>

enum { ID_LENGTH_MAX = WS_REQUEST_ID_BYTES - 1 };

/* 1 to 32 ASCII letters and digits. */
static bool is_proper_id(const json_t *id)
{
    const char *text = json_string_value(id);
    size_t length = json_string_length(id);

    if (!text || length == 0 || length > ID_LENGTH_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

static int refuse(const char **code, const char *reason)
{
    *code = reason;
    return -1;
}

int ws_request_read(const char *text, size_t length, struct ws_request *request, const char **code)
{
    const char *op;
    json_t *id;

    *request = (struct ws_request){0};
    request->root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(request->root))
        return refuse(code, "60012");
    id = json_object_get(request->root, "id");
    if (id && !is_proper_id(id))
        return refuse(code, "60033");
    if (id)
        memcpy(request->id, json_string_value(id), json_string_length(id));
    op = json_string_value(json_object_get(request->root, "op"));
    if (!op)
        return refuse(code, "60012");
    if (strcmp(op, "login") == 0)
        return refuse(code, "60028"); /* public channels know no login */
    if (strcmp(op, "subscribe") != 0 && strcmp(op, "unsubscribe") != 0)
        return refuse(code, "60019");
    request->op = *op == 's' ? WS_OP_SUBSCRIBE : WS_OP_UNSUBSCRIBE;
    request->args = json_object_get(request->root, "args");
    if (!json_is_array(request->args) || json_array_size(request->args) == 0)
        return refuse(code, "60012");
    return 0;
}

void ws_request_clear(struct ws_request *request)
{
    json_decref(request->root);
    *request = (struct ws_request){0};
}

const char *ws_request_arg_text(const json_t *arg, const char *member)
{
    const char *text = json_string_value(json_object_get(arg, member));

    return text ? text : "";
}
