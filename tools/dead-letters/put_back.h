/*
 * Puts records back on their topics and marks their letters, in batches: first the records, and
 * once Kafka has acknowledged them (idempotent, acks=all) the marks. A crash in between leaves a
 * letter open whose record is back already; putting it back again stores nothing twice. One thread,
 * but for delivery reports.
 */
#ifndef DEAD_LETTERS_PUT_BACK_H
#define DEAD_LETTERS_PUT_BACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"
#include "letter.h"

enum { PUT_BACK_BATCH_MAX = 500 };

struct put_back;

/* What became of one letter: reason is ERR_NONE when its mark stands in dead-letters. partition and
 * offset say where the record went. */
struct put_back_result {
    struct letter_position position;
    enum letter_state state;
    enum topic topic; /* of the record that was put back */
    int32_t partition;
    int64_t offset;
    struct err reason;
};
typedef void put_back_report_fn(const struct put_back_result *result, void *context);

/* Borrows the settings for its lifetime. Errors: ERR_CONFIG, ERR_SYSTEM. */
struct put_back *put_back_create(const struct kafka_settings *settings, struct err *err) MUST_CHECK;
/* Accepts NULL. */
void put_back_destroy(struct put_back *put_back);

/* Sends the letter's record to topic, with this value (NULL: a tombstone). Copies. Errors: ERR_FULL
 * when the batch is: finish it first; else as kafka_producer_send. */
int put_back_send(struct put_back *put_back, const struct letter *letter, enum topic topic,
                  const void *value, size_t value_length, struct err *err) MUST_CHECK;
/* The letter is only to be marked. Errors: ERR_FULL. */
int put_back_dismiss(struct put_back *put_back, const struct letter *letter,
                     struct err *err) MUST_CHECK;
/* Waits for the acknowledgements, writes the marks, waits for theirs, and reports on each letter of
 * the batch. Errors: ERR_TIMEOUT, ERR_STOPPED: the letters that were not reported are open still.
 */
int put_back_finish(struct put_back *put_back, put_back_report_fn *report, void *context,
                    struct err *err) MUST_CHECK;

#endif
