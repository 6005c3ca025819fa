#include "shard.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shutdown.h"
#include "codec/avro_codec.h"
#include "instrument_registry.h"
#include "io/dead_letter.h"
#include "io/kafka_consumer.h"
#include "io/record_reader.h"
#include "io/topic_reader.h"
#include "offset_tracker.h"

enum {
    IDLE_POLL_MS = 100,
    BUSY_POLL_MS = 5, /* while positions are being read, or the group is being joined */
    POSITIONS_PER_TURN = 1000,
    INSTRUMENT_LISTS_MAX = 8,
    OLD_OWNER_MS = 1000, /* how long after a rebalance a previous owner may still publish */
    REGISTRY_RETRY_BASE_MS = 500,
    REGISTRY_RETRY_CAP_MS = 5000,
};

/* A record that waits for the schema registry, or for room on the way to dead-letters. */
struct held_record {
    rd_kafka_message_t *message; /* owned; NULL: none */
    int64_t retry_at_ms;
    struct backoff backoff;
};

struct shard {
    struct shard_options options;
    struct fetch_workers *workers;
    struct kafka_consumer *consumer;
    struct topic_reader *positions;
    struct published_tail *tail; /* NULL unless the channel is aggregated */
    int64_t tail_from_ms;        /* no tail is read before: the old owner may still publish */
    struct record_reader *reader;
    struct instrument_registry *instruments;
    size_t waiting_partitions; /* whose positions are being read */
    struct held_record command;
    struct held_record position;
    struct bounded_queue *instrument_lists;
    pthread_mutex_t lock;          /* guards offsets, which delivery reports finish */
    struct offset_tracker offsets; /* of control */
};

static const char *control_topic(const struct shard *shard)
{
    return topic_name(&shard->options.kafka->topics, TOPIC_CONTROL);
}

/* --- records that must wait ---------------------------------------------------------------------
 */

static void hold(struct held_record *held, rd_kafka_message_t *message)
{
    held->message = message;
    held->retry_at_ms = clock_monotonic_ms() + backoff_next_ms(&held->backoff);
}

/* The record that waited, once its time has come. */
static rd_kafka_message_t *take_held(struct held_record *held)
{
    rd_kafka_message_t *message = held->message;

    if (!message || clock_monotonic_ms() < held->retry_at_ms)
        return NULL;
    held->message = NULL;
    return message;
}

static void release_held(struct held_record *held)
{
    if (held->message)
        rd_kafka_message_destroy(held->message);
    held->message = NULL;
}

/* --- offsets ------------------------------------------------------------------------------------
 */

void shard_finish_command(struct shard *shard, int32_t partition, int64_t offset)
{
    pthread_mutex_lock(&shard->lock);
    offset_tracker_finish(&shard->offsets, partition, offset);
    pthread_mutex_unlock(&shard->lock);
}

static bool begin_command(struct shard *shard, int32_t partition, int64_t offset)
{
    pthread_mutex_lock(&shard->lock);
    bool is_new = offset_tracker_begin(&shard->offsets, partition, offset);
    pthread_mutex_unlock(&shard->lock);
    return is_new;
}

static void store_offsets(struct shard *shard)
{
    for (int32_t partition = 0; partition < shard->offsets.partition_count; partition++) {
        int64_t next_offset = 0;

        pthread_mutex_lock(&shard->lock);
        bool has_moved = offset_tracker_take_mark(&shard->offsets, partition, &next_offset);
        pthread_mutex_unlock(&shard->lock);
        if (has_moved)
            kafka_consumer_store_offset(shard->consumer, control_topic(shard), partition,
                                        next_offset);
    }
}

/* --- assignment: within kafka_consumer_poll -----------------------------------------------------
 */

static void on_revoke(const rd_kafka_topic_partition_list_t *revoked, bool lost, void *context)
{
    (void)revoked;
    (void)lost;
    store_offsets(context);
}

static void gain_partition(struct shard *shard, int32_t partition)
{
    struct err err = {0};

    instrument_registry_gain(shard->instruments, partition);
    shard->waiting_partitions++;
    shard->tail_from_ms = clock_monotonic_ms() + OLD_OWNER_MS;
    if (topic_reader_add(shard->positions, partition, RD_KAFKA_OFFSET_BEGINNING, &err) != 0)
        service_failure_raise(shard->options.failure, "cannot read positions", err.message);
}

static void drop_partition(struct shard *shard, int32_t partition)
{
    if (instrument_registry_is_waiting(shard->instruments, partition)) {
        topic_reader_remove(shard->positions, partition);
        if (shard->tail)
            published_tail_stop(shard->tail, partition);
        shard->waiting_partitions--;
    }
    instrument_registry_lose(shard->instruments, partition);
    fetch_queue_discard(shard->options.queue, partition);
    pthread_mutex_lock(&shard->lock);
    offset_tracker_forget(&shard->offsets, partition);
    pthread_mutex_unlock(&shard->lock);
    if (shard->command.message && shard->command.message->partition == partition)
        release_held(&shard->command);
    if (shard->position.message && shard->position.message->partition == partition)
        release_held(&shard->position);
}

static void on_assigned(const rd_kafka_topic_partition_list_t *gained,
                        const rd_kafka_topic_partition_list_t *dropped, void *context)
{
    struct shard *shard = context;

    for (int i = 0; i < dropped->cnt; i++)
        drop_partition(shard, dropped->elems[i].partition);
    for (int i = 0; i < gained->cnt; i++)
        gain_partition(shard, gained->elems[i].partition);
    log_info("partitions of control assigned", LOG_INT("gained", gained->cnt),
             LOG_INT("dropped", dropped->cnt));
}

/* --- commands -----------------------------------------------------------------------------------
 */

struct rejected_command {
    struct shard *shard;
    int32_t partition;
    int64_t offset;
};

static void on_rejected_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct rejected_command *rejected = context;

    if (delivery->error == RD_KAFKA_RESP_ERR_NO_ERROR)
        shard_finish_command(rejected->shard, rejected->partition, rejected->offset);
    else
        service_failure_raise(rejected->shard->options.failure, "Kafka refused a dead letter",
                              rd_kafka_err2str(delivery->error));
    free(rejected);
}

/* Takes the message. A command that cannot be read must not stop those behind it. */
static void reject_command(struct shard *shard, rd_kafka_message_t *message,
                           const struct err *reason)
{
    struct err err = {0};
    rd_kafka_headers_t *headers = NULL;
    struct rejected_command *rejected = mem_alloc(sizeof *rejected);
    struct dead_letter letter = {
        .service = "ingestor",
        .source_topic = control_topic(shard),
        .source_partition = message->partition,
        .source_offset = message->offset,
        .stage = "decode",
        .reason = reason->code,
        .message = reason->message,
        .key = message->key,
        .key_length = message->key_len,
        .value = message->payload,
        .value_length = message->len,
    };

    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        letter.headers = headers;
    *rejected = (struct rejected_command){shard, message->partition, message->offset};
    if (dead_letter_send(shard->options.producer, &shard->options.kafka->topics, &letter,
                         on_rejected_delivery, rejected, &err) == 0) {
        log_warn("command cannot be read, sent to dead-letters",
                 LOG_INT("partition", message->partition), LOG_INT("offset", message->offset),
                 LOG_STR("reason", reason->message));
        rd_kafka_message_destroy(message);
        return;
    }
    free(rejected);
    if (!err.retriable)
        service_failure_raise(shard->options.failure, "cannot publish dead letters", err.message);
    hold(&shard->command, message);
}

/* Takes the message, whose offset is begun. */
static void run_command(struct shard *shard, rd_kafka_message_t *message)
{
    struct fetch_command command;
    struct err err = {0};

    if (record_reader_read(shard->reader, RECORD_FETCH_COMMAND, message->payload, message->len,
                           &command, &err) == 0) {
        backoff_reset(&shard->command.backoff);
        fetch_workers_run_command(shard->workers, &command, message->partition, message->offset);
        rd_kafka_message_destroy(message);
    } else if (err.retriable) {
        log_warn("command waits for the schema registry", LOG_STR("reason", err.message));
        hold(&shard->command, message);
    } else {
        reject_command(shard, message, &err);
    }
}

static int poll_commands(struct shard *shard, struct err *err)
{
    rd_kafka_message_t *held = take_held(&shard->command);
    /* An assignment does not end a poll that waits for records. */
    bool is_busy = shard->waiting_partitions > 0 || !kafka_consumer_has_assignment(shard->consumer);
    int64_t timeout_ms = is_busy ? BUSY_POLL_MS : IDLE_POLL_MS;

    if (held)
        run_command(shard, held);
    /* Paused partitions give no records, but polling keeps us in the group. */
    if (shard->command.message ||
        fetch_queue_commands(shard->options.queue) >= shard->options.commands_max)
        kafka_consumer_pause_all(shard->consumer);
    else
        kafka_consumer_resume_all(shard->consumer);

    rd_kafka_message_t *message = kafka_consumer_poll(shard->consumer, timeout_ms, err);
    if (!message)
        return err->code == ERR_NONE ? 0 : -1;
    if (begin_command(shard, message->partition, message->offset))
        run_command(shard, message);
    else
        rd_kafka_message_destroy(message);
    return 0;
}

/* --- positions and instruments ------------------------------------------------------------------
 */

/* Takes the message. False when it must be tried again. */
static bool note_position(struct shard *shard, rd_kafka_message_t *message)
{
    struct trade_position position;
    struct err err = {0};

    if (message->payload) { /* else: forgotten on purpose */
        if (record_reader_read(shard->reader, RECORD_TRADE_POSITION, message->payload, message->len,
                               &position, &err) == 0) {
            instrument_registry_note(shard->instruments, &position);
        } else if (err.retriable) {
            log_warn("position waits for the schema registry", LOG_STR("reason", err.message));
            hold(&shard->position, message);
            return false;
        } else {
            log_error("position cannot be read: its instrument begins anew",
                      LOG_INT("partition", message->partition), LOG_INT("offset", message->offset),
                      LOG_STR("reason", err.message));
        }
    }
    backoff_reset(&shard->position.backoff);
    rd_kafka_message_destroy(message);
    return true;
}

/* True once nothing more is to be learnt about the partition before its instruments are followed.
 */
static bool is_partition_read(struct shard *shard, int32_t partition)
{
    struct err err = {0};

    if (!shard->tail)
        return topic_reader_is_caught_up(shard->positions, partition);
    if (published_tail_is_reading(shard->tail, partition))
        return published_tail_finish(shard->tail, partition);
    if (topic_reader_is_caught_up(shard->positions, partition) &&
        clock_monotonic_ms() >= shard->tail_from_ms &&
        published_tail_begin(shard->tail, partition,
                             instrument_registry_lowest_offset(shard->instruments, partition),
                             &err) != 0)
        service_failure_raise(shard->options.failure, "cannot read published trades", err.message);
    return false;
}

static void release_read_partitions(struct shard *shard)
{
    for (int32_t partition = 0; partition < shard->offsets.partition_count; partition++) {
        if (instrument_registry_is_waiting(shard->instruments, partition) &&
            is_partition_read(shard, partition)) {
            instrument_registry_ready(shard->instruments, partition);
            topic_reader_remove(shard->positions, partition);
            shard->waiting_partitions--;
        }
    }
}

static void read_positions(struct shard *shard)
{
    rd_kafka_message_t *message = take_held(&shard->position);

    if (shard->waiting_partitions == 0)
        return;
    if (shard->position.message || (message && !note_position(shard, message)))
        return;
    for (int i = 0; i < POSITIONS_PER_TURN; i++) {
        message = topic_reader_poll(shard->positions, i == 0 ? BUSY_POLL_MS : 0);
        if (!message)
            break;
        if (!note_position(shard, message))
            return;
    }
    if (shard->tail)
        published_tail_poll(shard->tail);
    release_read_partitions(shard);
}

void shard_select_instruments(struct shard *shard, struct instrument_list *list)
{
    if (!bounded_queue_try_push(shard->instrument_lists, list))
        instrument_list_destroy(list); /* a newer one will come */
}

static void follow(const char *inst_id, const struct trade_position *position, void *context)
{
    const struct shard *shard = context;
    struct published_trade *published = NULL;
    size_t count = 0;

    if (shard->tail)
        published = published_tail_take(
            shard->tail, inst_id, position ? position->offset : (struct optional_int64){0}, &count);
    trade_stream_follow(shard->options.stream, inst_id, position, published, count);
}

static void leave(const char *inst_id, void *context)
{
    const struct shard *shard = context;

    trade_stream_leave(shard->options.stream, inst_id);
}

static void update_instruments(struct shard *shard)
{
    const struct instrument_changes changes = {follow, leave, shard};
    struct instrument_list *list;

    while ((list = bounded_queue_pop(shard->instrument_lists, 0))) {
        log_info("instruments of OKX", LOG_INT("count", list->count));
        instrument_registry_select(shard->instruments, (const char(*)[INST_ID_BYTES])list->ids,
                                   list->count);
        instrument_list_destroy(list);
    }
    instrument_registry_apply(shard->instruments, &changes);
}

/* --- life cycle ---------------------------------------------------------------------------------
 */

static void show_state(struct shard *shard)
{
    struct status_server *status = shard->options.status;

    status_server_beat(status);
    metric_set(shard->options.metrics->fetch_pending,
               (int64_t)fetch_queue_commands(shard->options.queue));
    if (!kafka_producer_is_connected(shard->options.producer))
        status_server_set_condition(status, "kafka", false, "not connected");
    else if (kafka_consumer_denial(shard->consumer))
        status_server_set_condition(status, "kafka", false, kafka_consumer_denial(shard->consumer));
    else if (!kafka_consumer_has_assignment(shard->consumer))
        status_server_set_condition(status, "kafka", false, "joining the group");
    else if (shard->waiting_partitions > 0)
        status_server_set_condition(status, "kafka", false, "reading positions");
    else
        status_server_set_condition(status, "kafka", true, NULL);
}

static int join_group(struct shard *shard, struct err *err)
{
    char *group_id = mem_sprintf(
        "%singestor", shard->options.kafka->topic_prefix ? shard->options.kafka->topic_prefix : "");
    const char *topics[] = {control_topic(shard)};
    const struct kafka_consumer_options options = {
        .client_id = "ingestor",
        .group_id = group_id,
        .topics = topics,
        .topic_count = 1,
        .offset_reset = "earliest",
        .handler = {on_revoke, on_assigned, shard},
    };

    shard->consumer = kafka_consumer_create(shard->options.kafka, &options,
                                            shard->options.metrics->registry, err);
    free(group_id);
    return shard->consumer ? 0 : -1;
}

/* The readers first: joining the group may bring an assignment at once. */
static int open_topics(struct shard *shard, struct err *err)
{
    shard->positions =
        topic_reader_create(shard->options.kafka, "ingestor-positions",
                            topic_name(&shard->options.kafka->topics, TOPIC_POSITIONS), err);
    if (!shard->positions)
        return -1;
    if (shard->options.is_aggregated) {
        shard->tail = published_tail_create(shard->options.kafka, shard->options.registry, err);
        if (!shard->tail)
            return -1;
    }
    return join_group(shard, err);
}

struct shard *shard_create(const struct shard_options *options, struct err *err)
{
    struct shard *shard = mem_calloc(1, sizeof *shard);
    int32_t partition_count = (int32_t)options->kafka->topic_partitions;

    shard->options = *options;
    shard->reader = record_reader_create(options->registry);
    shard->instruments = instrument_registry_create(partition_count);
    shard->instrument_lists = bounded_queue_create(INSTRUMENT_LISTS_MAX);
    pthread_mutex_init(&shard->lock, NULL);
    offset_tracker_init(&shard->offsets, partition_count);
    backoff_init(&shard->command.backoff, REGISTRY_RETRY_BASE_MS / 5, REGISTRY_RETRY_BASE_MS,
                 REGISTRY_RETRY_CAP_MS, 0);
    shard->position.backoff = shard->command.backoff;
    instrument_registry_select(shard->instruments,
                               (const char(*)[INST_ID_BYTES])options->selection->ids,
                               options->selection->id_count);
    if (open_topics(shard, err) != 0) {
        shard_leave(shard);
        shard_destroy(shard);
        return NULL;
    }
    return shard;
}

int shard_run(struct shard *shard, struct fetch_workers *workers, struct err *err)
{
    shard->workers = workers;
    while (!shutdown_requested()) {
        if (poll_commands(shard, err) != 0)
            return -1;
        read_positions(shard);
        update_instruments(shard);
        store_offsets(shard);
        show_state(shard);
    }
    return 0;
}

void shard_leave(struct shard *shard)
{
    if (!shard)
        return;
    release_held(&shard->command);
    release_held(&shard->position);
    if (shard->consumer)
        store_offsets(shard);
    kafka_consumer_destroy(
        shard->consumer); /* may still bring an assignment, which needs the rest */
    shard->consumer = NULL;
    topic_reader_destroy(shard->positions);
    shard->positions = NULL;
    published_tail_destroy(shard->tail);
    shard->tail = NULL;
}

void shard_destroy(struct shard *shard)
{
    struct instrument_list *list;

    if (!shard)
        return;
    record_reader_destroy(shard->reader);
    instrument_registry_destroy(shard->instruments);
    offset_tracker_clear(&shard->offsets);
    pthread_mutex_destroy(&shard->lock);
    while ((list = bounded_queue_pop(shard->instrument_lists, 0)))
        instrument_list_destroy(list);
    bounded_queue_destroy(shard->instrument_lists);
    free(shard);
}
