#include "http_request.h"

#include <string.h>

#include "base/text_view.h"

void http_request_add_parameter(struct http_request *request, const char *text)
{
    struct http_parameter *parameter = &request->parameters[request->parameter_count];
    size_t name_bytes = strcspn(text, "=");
    const char *value = text[name_bytes] == '=' ? text + name_bytes + 1 : "";

    if (request->parameter_count == HTTP_REQUEST_PARAMETERS_MAX ||
        name_bytes >= sizeof parameter->name || strlen(value) >= sizeof parameter->value)
        return;
    memset(parameter, 0, sizeof *parameter);
    memcpy(parameter->name, text, name_bytes);
    memcpy(parameter->value, value, strlen(value));
    request->parameter_count++;
}

const char *http_request_parameter(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    }
    return NULL;
}

int http_request_int(const struct http_request *request, const char *name, int64_t fallback,
                     int64_t min, int64_t max, int64_t *value, struct err *err)
{
    const char *text = http_request_parameter(request, name);
    int64_t number = fallback;

    if (text && *text && text_view_read_int64(text_view_of(text), &number, err) != 0)
        return err_wrap(err, "%s", name);
    if (text && *text && (number < min || number > max))
        return err_set(err, ERR_OUT_OF_RANGE, "%s is not within %lld to %lld", name, (long long)min,
                       (long long)max);
    *value = number;
    return 0;
}

void http_reply_init(struct http_reply *reply)
{
    *reply = (struct http_reply){.status = 200, .content_type = "application/json"};
    buf_init(&reply->body, HTTP_REPLY_BODY_BYTES_MAX);
}

void http_reply_clear(struct http_reply *reply)
{
    buf_clear(&reply->body);
    if (reply->free_context)
        reply->free_context(reply->context);
    http_reply_init(reply);
}
