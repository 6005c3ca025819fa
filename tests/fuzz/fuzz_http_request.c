/* okx-sim: the query of an HTTP request, a parameter a line. */
#include "okx-sim/http_request.h"

#include <stdlib.h>

#include "fuzz.h"

enum { LEAST = -5, MOST = 1000, FALLBACK = 7 };

static void check_int(const struct http_request *request, const char *name)
{
    const char *text = http_request_parameter(request, name);
    int64_t value;
    struct err err = {0};

    fuzz_paint(&value, sizeof value);
    bool succeeded = http_request_int(request, name, FALLBACK, LEAST, MOST, &value, &err) == 0;
    if (succeeded || !text || fuzz_is_utf8(text, strlen(text)))
        fuzz_check_outcome(succeeded, &err);
    if (!succeeded)
        FUZZ_CHECK(fuzz_is_painted(&value, sizeof value));
    else
        FUZZ_CHECK(text && *text ? value >= LEAST && value <= MOST : value == FALLBACK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct http_request request = {0};

    while (input.left > 0) {
        char *line = fuzz_text(fuzz_take_until(&input, '\n'));
        size_t before = request.parameter_count;

        http_request_add_parameter(&request, line);
        FUZZ_CHECK(request.parameter_count == before || request.parameter_count == before + 1);
        free(line);
    }
    FUZZ_CHECK(request.parameter_count <= HTTP_REQUEST_PARAMETERS_MAX);
    for (size_t i = 0; i < request.parameter_count; i++) {
        const struct http_parameter *parameter = &request.parameters[i];

        FUZZ_CHECK(memchr(parameter->name, '\0', sizeof parameter->name));
        FUZZ_CHECK(memchr(parameter->value, '\0', sizeof parameter->value));
        FUZZ_CHECK(http_request_parameter(&request, parameter->name));
        check_int(&request, parameter->name);
    }
    check_int(&request, "limit");
    return 0;
}
