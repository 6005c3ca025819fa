/* Single rows of OKX's JSON, once parsed, to domain records. Pure. Contracts: okx_message.h. */
#ifndef INGESTOR_OKX_ROW_H
#define INGESTOR_OKX_ROW_H

#include <jansson.h>

#include "okx_message.h"

/* Rows are borrowed. Their numbers may be marked strings (exact_numbers.h). */
int okx_row_read_trade(const json_t *row, struct trade *trade, struct err *err) MUST_CHECK;
int okx_row_read_candle(const json_t *row, const char *inst_id, const char *bar,
                        struct candle *candle, struct err *err) MUST_CHECK;
int okx_row_read_currency_chain(const json_t *row, struct currency_chain *chain,
                                struct err *err) MUST_CHECK;
int okx_row_read_instrument(const json_t *row, struct okx_instrument *instrument,
                            struct err *err) MUST_CHECK;
int okx_row_read_time(const json_t *row, int64_t *unix_ms, struct err *err) MUST_CHECK;
/* Returns owned: the value as compact JSON text, numbers with their own digits. */
char *okx_row_text(const json_t *value) MUST_CHECK;

#endif
