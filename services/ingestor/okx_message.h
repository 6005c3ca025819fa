/*
 * What OKX sends, as domain records: WebSocket frames and REST answers. Pure. The only module that
 * knows that they are JSON, with okx_row, which reads single rows.
 *
 * Every reader leaves its output untouched on failure. Rows are read one by one, so that a bad row
 * harms no other.
 * Source: OKX API v5; okx-v5.md, sections 2.3, 2.4, 4 and 5; tests/fixtures/okx/.
 */
#ifndef INGESTOR_OKX_MESSAGE_H
#define INGESTOR_OKX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "domain/candle.h"
#include "domain/currency_chain.h"
#include "domain/trade.h"

enum {
    OKX_CHANNEL_BYTES = 48,
    OKX_EVENT_BYTES = 48,
    OKX_CODE_BYTES = 24, /* not always numeric: "51004_1101" */
    OKX_REQUEST_ID_BYTES = 40,
    OKX_ERROR_TEXT_BYTES = 160,
};

/* The last millisecond of the year 9999: beyond it, no calendar of ours or PostgreSQL's goes. */
#define OKX_TIME_MS_MAX INT64_C(253402300799999)

/* The "data" array of a frame or an answer. */
struct okx_rows;

enum okx_frame_kind {
    OKX_FRAME_PONG,
    OKX_FRAME_SUBSCRIBED,   /* channel and inst_id say to what */
    OKX_FRAME_UNSUBSCRIBED, /* likewise */
    OKX_FRAME_ERROR,        /* code and text; request_id if the request had one */
    OKX_FRAME_NOTICE,       /* code 64008: OKX will close this connection soon */
    OKX_FRAME_OTHER_EVENT,  /* nothing that concerns us; event names it */
    OKX_FRAME_DATA,         /* channel, inst_id and rows */
};

struct okx_frame {
    enum okx_frame_kind kind;
    char event[OKX_EVENT_BYTES]; /* texts are "" when absent; too long ones are cut */
    char channel[OKX_CHANNEL_BYTES];
    char inst_id[INST_ID_BYTES];
    char code[OKX_CODE_BYTES];
    char text[OKX_ERROR_TEXT_BYTES];
    char request_id[OKX_REQUEST_ID_BYTES];
    struct okx_rows *rows; /* owned; data frames only */
};

/*
 * Reads one whole text frame: length bytes of UTF-8 that need not end in NUL, borrowed.
 * Errors: ERR_PROTOCOL when it is neither "pong" nor a JSON object of one of the known forms.
 */
int okx_frame_read(const char *text, size_t length, struct okx_frame *frame,
                   struct err *err) MUST_CHECK;
void okx_frame_clear(struct okx_frame *frame);
/* "trades" and "trades-all": their rows are trades. */
bool okx_channel_has_trades(const char *channel);

/*
 * Reads the body of a REST answer and judges it by code, then by HTTP status. Returns owned the
 * rows of a success, or NULL:
 *   ERR_RATE_LIMIT, retriable      50011, 50040, HTTP 429
 *   ERR_REMOTE, retriable          50001, 50004, 50013, 50026, other codes with 5xx, bad bodies
 *                                  with 5xx, 403 or 200 (a CDN's page, a cut answer)
 *   ERR_NOT_FOUND                  51001: no such instrument
 *   ERR_UNAUTHORIZED               50100..50120: credentials
 *   ERR_UNAUTHORIZED, retriable    50102: our clock is off; set it by public/time, then once more
 *   ERR_REMOTE                     any other code
 * The message carries OKX's code and text.
 */
struct okx_rows *okx_answer_read(long http_status, const char *text, size_t length,
                                 struct err *err) MUST_CHECK;

void okx_rows_destroy(struct okx_rows *rows);
size_t okx_rows_count(const struct okx_rows *rows);
/* Returns owned: the row as compact JSON text, numbers with the digits that OKX sent. */
char *okx_rows_text(const struct okx_rows *rows, size_t index) MUST_CHECK;

/*
 * Each fills the whole record but origin, received_at_us and the snapshot members; owned parts are
 * released by the record's _clear. Errors: ERR_PROTOCOL (a member is missing or malformed),
 * ERR_OUT_OF_RANGE (a value that we cannot hold exactly), ERR_LIMIT (too many or too long unknown
 * members). Numbers may be JSON numbers or strings, of any number of digits; those of unknown
 * members keep theirs.
 */
int okx_rows_read_trade(const struct okx_rows *rows, size_t index, struct trade *trade,
                        struct err *err) MUST_CHECK;
/* inst_id and bar are what was asked for: candle rows do not carry them. */
int okx_rows_read_candle(const struct okx_rows *rows, size_t index, const char *inst_id,
                         const char *bar, struct candle *candle, struct err *err) MUST_CHECK;
int okx_rows_read_currency_chain(const struct okx_rows *rows, size_t index,
                                 struct currency_chain *chain, struct err *err) MUST_CHECK;

struct okx_instrument {
    char inst_id[INST_ID_BYTES];
    char quote_currency[INST_ID_BYTES]; /* "" in preopen rows */
    char state[32];                     /* "live", "suspend", "preopen", ... */
};
int okx_rows_read_instrument(const struct okx_rows *rows, size_t index,
                             struct okx_instrument *instrument, struct err *err) MUST_CHECK;
/* public/time */
int okx_rows_read_time(const struct okx_rows *rows, int64_t *unix_ms, struct err *err) MUST_CHECK;

#endif
