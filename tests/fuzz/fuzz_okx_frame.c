/* A WebSocket frame: the envelope, and every row of a data frame read as a trade. */
#include "base/decimal.h"
#include "fuzz.h"
#include "ingestor/okx_message.h"
#include "record_check.h"

#include <jansson.h>
#include <stdlib.h>

/* What jansson, asked directly, says of the row must be what the trade holds. */
static void check_number(const json_t *value, struct decimal number)
{
    char plain[512], formatted[DECIMAL_TEXT_BYTES];
    struct text_view text = {json_string_value(value), json_string_length(value)};

    if (!text.data || !fuzz_plain_decimal(text, plain, sizeof plain))
        return; /* an integer, or zeros beyond what fuzz_plain_decimal reads */
    decimal_format(number, formatted);
    FUZZ_CHECK(strcmp(plain, formatted) == 0);
}

static void check_trade(const struct okx_rows *rows, size_t index, const struct trade *trade)
{
    static const size_t known = 9; /* members that have a field of their own */
    struct buf avro;
    char *text = okx_rows_text(rows, index);
    json_error_t error;
    json_t *row = json_loads(text, 0, &error);

    /* jansson cannot hold each number of an unknown member; fuzz_exact_numbers sees to those. */
    if (!row && json_error_code(&error) == json_error_numeric_overflow)
        goto out;
    FUZZ_CHECK(json_is_object(row));
    FUZZ_CHECK(strcmp(json_string_value(json_object_get(row, "instId")) ?: trade->inst_id,
                      trade->inst_id) == 0);
    check_number(json_object_get(row, "px"), trade->price);
    check_number(json_object_get(row, "sz"), trade->size);
    FUZZ_CHECK(trade->trade_id >= 0 && trade_first_id(trade) >= 0);
    FUZZ_CHECK(json_object_size(row) <= known + trade->extra.count);
    buf_init(&avro, 8 << 20);
    record_check_round_trip(RECORD_TRADE, trade, &avro);
    buf_clear(&avro);
out:
    json_decref(row);
    free(text);
}

static void check_rows(const struct okx_rows *rows)
{
    for (size_t i = 0; i < okx_rows_count(rows); i++) {
        struct trade trade;
        struct err err = {0};

        fuzz_paint(&trade, sizeof trade);
        bool succeeded = okx_rows_read_trade(rows, i, &trade, &err) == 0;
        fuzz_check_outcome(succeeded, &err);
        if (!succeeded) {
            FUZZ_CHECK(fuzz_is_painted(&trade, sizeof trade));
            continue;
        }
        trade.origin = ORIGIN_STREAM;
        trade.received_at_us = 0;
        check_trade(rows, i, &trade);
        trade_clear(&trade);
    }
}

static void check_text(const char *text, size_t bytes)
{
    const char *end = memchr(text, '\0', bytes);

    FUZZ_CHECK(end && fuzz_is_utf8(text, (size_t)(end - text)));
}

static void check_frame(const struct okx_frame *frame)
{
    check_text(frame->event, sizeof frame->event);
    check_text(frame->channel, sizeof frame->channel);
    check_text(frame->inst_id, sizeof frame->inst_id);
    check_text(frame->code, sizeof frame->code);
    check_text(frame->text, sizeof frame->text);
    check_text(frame->request_id, sizeof frame->request_id);
    FUZZ_CHECK((frame->rows != NULL) == (frame->kind == OKX_FRAME_DATA));
    FUZZ_CHECK((frame->event[0] != '\0') ==
               (frame->kind != OKX_FRAME_DATA && frame->kind != OKX_FRAME_PONG));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct okx_frame frame;
    struct err err = {0};

    fuzz_paint(&frame, sizeof frame);
    bool succeeded = okx_frame_read((const char *)data, size, &frame, &err) == 0;
    if (succeeded || fuzz_is_utf8((const char *)data, size))
        fuzz_check_outcome(succeeded, &err);
    if (!succeeded) {
        FUZZ_CHECK(fuzz_is_painted(&frame, sizeof frame));
        return 0;
    }
    check_frame(&frame);
    if (frame.rows)
        check_rows(frame.rows);
    okx_frame_clear(&frame);
    return 0;
}
