/* The fetch steps that take one answer: currencies, the list of instruments. */
#ifndef INGESTOR_LIST_FETCH_H
#define INGESTOR_LIST_FETCH_H

#include "fetch_job.h"

/* asset/currencies, signed. Without an API key the command is skipped. */
enum fetch_step currency_fetch_step(const struct fetch_context *context, struct fetch_job *job);

struct instrument_list {
    char (*ids)[INST_ID_BYTES]; /* owned */
    size_t count;
};
void instrument_list_destroy(struct instrument_list *list);

/* public/instruments: every live SPOT instrument quoted in base_currency. On success *list is
 * owned. */
enum fetch_step instrument_fetch_step(const struct fetch_context *context, struct fetch_job *job,
                                      const char *base_currency, struct instrument_list **list);

#endif
