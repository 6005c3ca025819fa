#include "okx_request.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/trade.h"

enum {
    ENCODED_BYTES = 3 * INST_ID_BYTES,
    ARGUMENT_BYTES_MAX = 6 * INST_ID_BYTES + 64, /* escaped id, channel and braces */
};

const char *okx_endpoint_name(enum okx_endpoint endpoint)
{
    static const char *const names[OKX_ENDPOINT_COUNT] = {
        [OKX_ENDPOINT_TIME] = "public/time",
        [OKX_ENDPOINT_INSTRUMENTS] = "public/instruments",
        [OKX_ENDPOINT_TRADES] = "market/trades",
        [OKX_ENDPOINT_HISTORY_TRADES] = "market/history-trades",
        [OKX_ENDPOINT_CANDLES] = "market/candles",
        [OKX_ENDPOINT_HISTORY_CANDLES] = "market/history-candles",
        [OKX_ENDPOINT_CURRENCIES] = "asset/currencies",
    };
    return names[endpoint];
}

static void percent_encode(const char *text, char encoded[ENCODED_BYTES])
{
    size_t length = 0;

    for (; *text && length + 4 <= ENCODED_BYTES; text++) {
        unsigned char byte = (unsigned char)*text;
        bool is_plain = byte < 0x80 && (isalnum(byte) || strchr("-_.~", byte));
        int written =
            snprintf(encoded + length, ENCODED_BYTES - length, is_plain ? "%c" : "%%%02X", byte);
        length += (size_t)written;
    }
    encoded[length] = '\0';
}

void okx_path_time(char path[OKX_PATH_BYTES])
{
    snprintf(path, OKX_PATH_BYTES, "/api/v5/public/time");
}

void okx_path_spot_instruments(char path[OKX_PATH_BYTES])
{
    snprintf(path, OKX_PATH_BYTES, "/api/v5/public/instruments?instType=SPOT");
}

void okx_path_currencies(char path[OKX_PATH_BYTES])
{
    snprintf(path, OKX_PATH_BYTES, "/api/v5/asset/currencies");
}

void okx_path_trades(const char *inst_id, int limit, char path[OKX_PATH_BYTES])
{
    char encoded[ENCODED_BYTES];

    percent_encode(inst_id, encoded);
    snprintf(path, OKX_PATH_BYTES, "/api/v5/market/trades?instId=%s&limit=%d", encoded, limit);
}

void okx_path_history_trades(const char *inst_id, int64_t before_id, char path[OKX_PATH_BYTES])
{
    char encoded[ENCODED_BYTES];

    percent_encode(inst_id, encoded);
    snprintf(path, OKX_PATH_BYTES,
             "/api/v5/market/history-trades?instId=%s&type=1&after=%" PRId64 "&limit=%d", encoded,
             before_id, OKX_HISTORY_TRADES_LIMIT);
}

void okx_path_candles(enum okx_endpoint endpoint, const char *inst_id, const char *bar,
                      int64_t before_ms, int64_t limit, char path[OKX_PATH_BYTES])
{
    char encoded[ENCODED_BYTES];

    percent_encode(inst_id, encoded);
    snprintf(path, OKX_PATH_BYTES, "/api/v5/%s?instId=%s&bar=%s&after=%" PRId64 "&limit=%" PRId64,
             okx_endpoint_name(endpoint), encoded, bar, before_ms, limit);
}

const char *okx_ws_path(const char *channel)
{
    return strcmp(channel, "trades-all") == 0 ? "/ws/v5/business" : "/ws/v5/public";
}

static void append_argument(const char *channel, const char *inst_id, struct buf *out)
{
    buf_append_format(out, "{\"channel\":\"%s\",\"instId\":\"", channel);
    buf_append_json_escaped(out, inst_id, strlen(inst_id));
    buf_append_text(out, "\"}");
}

size_t okx_request_write(const char *operation, const char *id, const char *channel,
                         const char *const *inst_ids, size_t count, struct buf *out)
{
    size_t written = 0;

    buf_append_format(out, "{\"id\":\"%s\",\"op\":\"%s\",\"args\":[", id, operation);
    while (written < count && out->length + ARGUMENT_BYTES_MAX < out->max_bytes) {
        if (written > 0)
            buf_append_char(out, ',');
        append_argument(channel, inst_ids[written], out);
        written++;
    }
    buf_append_text(out, "]}");
    return written;
}
