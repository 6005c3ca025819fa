/* okx-sim: what a client says on the WebSocket. */
#include "okx-sim/ws_request.h"

#include "fuzz.h"

static bool is_proper_id(const char *id)
{
    return strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
           strlen(id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ws_request request;
    const char *code = NULL;
    bool succeeded = ws_request_read((const char *)data, size, &request, &code) == 0;

    FUZZ_CHECK(succeeded == (code == NULL));
    FUZZ_CHECK(memchr(request.id, '\0', sizeof request.id) && is_proper_id(request.id));
    FUZZ_CHECK(succeeded || (strlen(code) == 5 && strspn(code, "0123456789") == 5));
    if (succeeded) {
        FUZZ_CHECK(request.op == WS_OP_SUBSCRIBE || request.op == WS_OP_UNSUBSCRIBE);
        FUZZ_CHECK(json_array_size(request.args) > 0);
        for (size_t i = 0; i < json_array_size(request.args); i++) {
            const json_t *arg = json_array_get(request.args, i);
            const char *channel = ws_request_arg_text(arg, "channel");

            FUZZ_CHECK(fuzz_is_utf8(channel, strlen(channel)));
            FUZZ_CHECK(ws_request_arg_text(arg, "instId"));
        }
    }
    ws_request_clear(&request);
    return 0;
}
