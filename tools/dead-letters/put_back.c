#include "put_back.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/shutdown.h"
#include "io/dead_letter.h"
#include "io/kafka_producer.h"

enum { TURN_MS = 250, ACKNOWLEDGE_TIMEOUT_MS = 60000, NUMBER_BYTES = 24, TARGET_BYTES = 300 };

struct item {
    struct letter_position position;
    enum letter_state state;
    enum topic topic;
    struct kafka_delivery record; /* of the record; written by its report */
    struct kafka_delivery mark;
    bool has_mark; /* it was sent */
};

struct put_back {
    const struct kafka_settings *settings;
    struct metrics *metrics;
    struct kafka_producer *producer;
    struct item items[PUT_BACK_BATCH_MAX];
    size_t count;
};

struct put_back *put_back_create(const struct kafka_settings *settings, struct err *err)
{
    struct put_back *put_back = mem_calloc(1, sizeof *put_back);

    put_back->settings = settings;
    put_back->metrics = metrics_create();
    put_back->producer = kafka_producer_create(settings, "dead-letters", put_back->metrics, err);
    if (put_back->producer)
        return put_back;
    put_back_destroy(put_back);
    return NULL;
}

void put_back_destroy(struct put_back *put_back)
{
    if (!put_back)
        return;
    kafka_producer_destroy(put_back->producer); /* the last report comes before it returns */
    metrics_destroy(put_back->metrics);
    free(put_back);
}

/* Runs on the producer's thread; kafka_producer_flush orders it before who reads the result. */
static void note_delivery(const struct kafka_delivery *delivery, void *context)
{
    *(struct kafka_delivery *)context = *delivery;
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[NUMBER_BYTES];

    snprintf(text, sizeof text, "%" PRId64, number);
    rd_kafka_header_add(headers, name, -1, text, -1);
}

/* Returns owned: the source record's headers, and the two that outlive the trip. */
static rd_kafka_headers_t *record_headers(const struct letter *letter)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    char position[LETTER_POSITION_BYTES];
    const char *name = NULL;
    const void *value = NULL;
    size_t length = 0;

    for (size_t i = 0;
         letter->headers && rd_kafka_header_get_all(letter->headers, i, &name, &value, &length) ==
                                RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        if (strncmp(name, DEAD_LETTER_HEADERS, strlen(DEAD_LETTER_HEADERS)) != 0)
            rd_kafka_header_add(headers, name, -1, value, (ssize_t)length);
    }
    letter_position_format(letter->position, position);
    add_number(headers, DEAD_LETTER_ATTEMPTS, letter->attempts);
    rd_kafka_header_add(headers, DEAD_LETTER_RETRIED_FROM, -1, position, -1);
    return headers;
}

/* The next item of the batch, which counts once put_back->count says so. NULL: the batch is full.
 */
static struct item *next_item(struct put_back *put_back, const struct letter *letter,
                              struct err *err)
{
    struct item *item = &put_back->items[put_back->count];

    if (put_back->count == PUT_BACK_BATCH_MAX) {
        (void)err_set_retriable(err, ERR_FULL, "the batch is full");
        return NULL;
    }
    *item = (struct item){.position = letter->position};
    return item;
}

int put_back_send(struct put_back *put_back, const struct letter *letter, enum topic topic,
                  const void *value, size_t value_length, struct err *err)
{
    struct item *item = next_item(put_back, letter, err);
    struct kafka_record record = {
        .topic = topic_name(&put_back->settings->topics, topic),
        .key = letter->key,
        .key_length = letter->key_length,
        .value = value,
        .value_length = value_length,
        .partition = RD_KAFKA_PARTITION_UA,
    };

    if (!item)
        return -1;
    record.headers = record_headers(letter);
    if (kafka_producer_send(put_back->producer, &record, note_delivery, &item->record, err) != 0) {
        rd_kafka_headers_destroy(record.headers);
        return -1;
    }
    item->state = LETTER_PUT_BACK;
    item->topic = topic;
    put_back->count++;
    return 0;
}

int put_back_dismiss(struct put_back *put_back, const struct letter *letter, struct err *err)
{
    struct item *item = next_item(put_back, letter, err);

    if (!item)
        return -1;
    item->state = LETTER_DISMISSED;
    put_back->count++;
    return 0;
}

static int wait_for_acknowledgements(struct put_back *put_back, struct err *err)
{
    int64_t give_up_at_ms = clock_monotonic_ms() + ACKNOWLEDGE_TIMEOUT_MS;
    struct err left = {0};

    while (kafka_producer_flush(put_back->producer, TURN_MS, &left) != 0) {
        if (shutdown_requested())
            return err_set(err, ERR_STOPPED, "interrupted: %s", left.message);
        if (clock_monotonic_ms() > give_up_at_ms)
            return err_set_retriable(
                err, ERR_TIMEOUT, "Kafka at %.100s does not acknowledge for %d s",
                put_back->settings->bootstrap_servers, ACKNOWLEDGE_TIMEOUT_MS / 1000);
    }
    return 0;
}

/* The mark goes to the letter's own partition, behind it: it is kept as long as the letter. */
static int send_mark(struct put_back *put_back, struct item *item, struct err *err)
{
    char position[LETTER_POSITION_BYTES];
    char target[TARGET_BYTES];
    struct kafka_record mark = {
        .topic = topic_name(&put_back->settings->topics, TOPIC_DEAD_LETTERS),
        .partition = item->position.partition,
        .headers = rd_kafka_headers_new(3),
    };

    letter_position_format(item->position, position);
    rd_kafka_header_add(mark.headers, MARK_SETTLES, -1, position, -1);
    rd_kafka_header_add(mark.headers, MARK_OUTCOME, -1, letter_state_name(item->state), -1);
    if (item->state == LETTER_PUT_BACK) {
        snprintf(target, sizeof target, "%s %" PRId32 ":%" PRId64,
                 topic_name(&put_back->settings->topics, item->topic), item->record.partition,
                 item->record.offset);
        rd_kafka_header_add(mark.headers, MARK_TARGET, -1, target, -1);
    }
    if (kafka_producer_send(put_back->producer, &mark, note_delivery, &item->mark, err) == 0) {
        item->has_mark = true;
        return 0;
    }
    rd_kafka_headers_destroy(mark.headers);
    return -1;
}

static void report_on(const struct item *item, const struct err *mark_fault,
                      put_back_report_fn *report, void *context)
{
    struct put_back_result result = {
        .position = item->position,
        .state = item->state,
        .topic = item->topic,
        .partition = item->record.partition,
        .offset = item->record.offset,
    };

    if (item->record.error != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)err_set(&result.reason, ERR_REMOTE, "Kafka refused the record: %s",
                      rd_kafka_err2str(item->record.error));
    else if (!item->has_mark)
        result.reason = *mark_fault;
    else if (item->mark.error != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)err_set(&result.reason, ERR_REMOTE, "Kafka refused the mark: %s",
                      rd_kafka_err2str(item->mark.error));
    report(&result, context);
}

int put_back_finish(struct put_back *put_back, put_back_report_fn *report, void *context,
                    struct err *err)
{
    struct err mark_fault = {0};

    if (wait_for_acknowledgements(put_back, err) != 0)
        return -1;
    for (size_t i = 0; i < put_back->count; i++) {
        struct item *item = &put_back->items[i];

        if (item->record.error == RD_KAFKA_RESP_ERR_NO_ERROR && mark_fault.code == ERR_NONE &&
            send_mark(put_back, item, &mark_fault) != 0)
            (void)err_wrap(&mark_fault, "the letter could not be marked");
    }
    if (wait_for_acknowledgements(put_back, err) != 0)
        return -1;
    for (size_t i = 0; i < put_back->count; i++)
        report_on(&put_back->items[i], &mark_fault, report, context);
    put_back->count = 0;
    return 0;
}
