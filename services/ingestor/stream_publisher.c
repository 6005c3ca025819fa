#include "stream_publisher.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "repair_plan.h"

struct publish_target {
    struct stream_publisher *publisher;
    struct publish_target *next;
    char inst_id[INST_ID_BYTES];
    struct publish_progress progress; /* guarded by the publisher's lock */
    bool is_started;
    bool is_announced; /* some position of it stands in the topic */
    bool is_beginning; /* its trades wait until begin_sequence has passed */
    uint64_t begin_sequence;
    size_t kept_count; /* of its records; later ones must not overtake them */
    struct publish_mark published;
};

enum { AWAITED_PER_BLOCK = 128 };

/* A record whose acknowledgement is awaited. */
struct awaited {
    struct kafka_receipt receipt;
    struct publish_target *target;
    uint64_t sequence;
    int64_t received_at_us; /* 0: no live trade */
    struct awaited *next_free;
};

/* They come and go with every trade, so they are taken from blocks and used again. */
struct awaited_block {
    struct awaited_block *next;
    struct awaited items[AWAITED_PER_BLOCK];
};

/* A record that Kafka had no room for. */
struct kept {
    struct kept *next;
    enum record_kind kind;
    struct publish_target *target;
    struct awaited *awaited; /* somebody else's as soon as the record is sent */
    void *record;            /* owned: a heap copy of the domain struct */
};

struct stream_publisher {
    struct record_writer *writer;
    struct ingestor_metrics *metrics;
    struct service_failure *failure;
    int64_t repair_trades_max;
    pthread_mutex_t lock; /* guards the targets' progress and the blocks */
    struct awaited_block *blocks;
    struct awaited *free_awaited;
    struct publish_target *targets;
    struct kept *first, *last;
    bool is_full; /* Kafka had no room when last asked */
};

struct stream_publisher *stream_publisher_create(struct record_writer *writer,
                                                 struct ingestor_metrics *metrics,
                                                 struct service_failure *failure,
                                                 int64_t repair_trades_max)
{
    struct stream_publisher *publisher = mem_calloc(1, sizeof *publisher);

    publisher->writer = writer;
    publisher->metrics = metrics;
    publisher->failure = failure;
    publisher->repair_trades_max = repair_trades_max;
    pthread_mutex_init(&publisher->lock, NULL);
    return publisher;
}

static void clear_record(enum record_kind kind, void *record)
{
    if (kind == RECORD_TRADE)
        trade_clear(record);
    else if (kind == RECORD_FETCH_RESULT)
        fetch_result_clear(record);
}

static struct kept *drop_first(struct stream_publisher *publisher)
{
    struct kept *kept = publisher->first;

    kept->target->kept_count--;
    publisher->first = kept->next;
    if (!publisher->first)
        publisher->last = NULL;
    clear_record(kept->kind, kept->record);
    free(kept->record);
    free(kept);
    return publisher->first;
}

void stream_publisher_destroy(struct stream_publisher *publisher)
{
    if (!publisher)
        return;
    while (publisher->first)
        drop_first(publisher);
    while (publisher->blocks) {
        struct awaited_block *next = publisher->blocks->next;

        free(publisher->blocks);
        publisher->blocks = next;
    }
    while (publisher->targets) {
        struct publish_target *next = publisher->targets->next;

        publish_progress_clear(&publisher->targets->progress);
        free(publisher->targets);
        publisher->targets = next;
    }
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

/* --- records under way --------------------------------------------------------------------------
 */

/* Under the lock. */
static struct awaited *take_awaited(struct stream_publisher *publisher)
{
    struct awaited *awaited = publisher->free_awaited;

    if (!awaited) {
        struct awaited_block *block = mem_alloc(sizeof *block);

        block->next = publisher->blocks;
        publisher->blocks = block;
        for (size_t i = 0; i < AWAITED_PER_BLOCK; i++) {
            block->items[i].next_free = awaited;
            awaited = &block->items[i];
        }
    }
    publisher->free_awaited = awaited->next_free;
    return awaited;
}

/* Under the lock. */
static void release_awaited(struct stream_publisher *publisher, struct awaited *awaited)
{
    awaited->next_free = publisher->free_awaited;
    publisher->free_awaited = awaited;
}

/* --- delivery reports: on the producer's thread ------------------------------------------------
 */

static void on_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct awaited *awaited = context;
    struct stream_publisher *publisher = awaited->target->publisher;
    int64_t received_at_us = awaited->received_at_us;
    bool is_acknowledged = delivery->error == RD_KAFKA_RESP_ERR_NO_ERROR;
    struct optional_int64 offset = {
        .present = received_at_us != 0,
        .value = delivery->offset,
    };

    pthread_mutex_lock(&publisher->lock);
    if (is_acknowledged)
        publish_progress_acknowledge(&awaited->target->progress, awaited->sequence, offset);
    release_awaited(publisher, awaited);
    pthread_mutex_unlock(&publisher->lock);
    if (!is_acknowledged)
        service_failure_raise(publisher->failure, "Kafka refused a live record",
                              rd_kafka_err2str(delivery->error));
    else if (received_at_us != 0)
        metric_observe_us(publisher->metrics->publish_latency, clock_wall_us() - received_at_us);
}

static void on_position_delivery(const struct kafka_delivery *delivery, void *context)
{
    struct stream_publisher *publisher = context;

    if (delivery->error != RD_KAFKA_RESP_ERR_NO_ERROR)
        service_failure_raise(publisher->failure, "Kafka refused a position",
                              rd_kafka_err2str(delivery->error));
}

/* --- sending ------------------------------------------------------------------------------------
 */

/* False when Kafka has no room for it now. */
static bool try_send(struct stream_publisher *publisher, enum record_kind kind, const void *record,
                     struct awaited *awaited)
{
    struct err err = {0};

    publisher->is_full =
        record_writer_send_with(publisher->writer, kind, record, &awaited->receipt, &err) != 0;
    if (!publisher->is_full)
        return true;
    if (!err.retriable)
        service_failure_raise(publisher->failure, "cannot publish live records", err.message);
    return false;
}

/* Trades wait for the position that begins their series. */
static bool may_send(struct stream_publisher *publisher, enum record_kind kind,
                     struct publish_target *target)
{
    if (kind != RECORD_TRADE || !target->is_beginning)
        return true;
    pthread_mutex_lock(&publisher->lock);
    target->is_beginning = !publish_progress_has_passed(&target->progress, target->begin_sequence);
    pthread_mutex_unlock(&publisher->lock);
    return !target->is_beginning;
}

/* Takes what record (bytes long) owns. */
static void send_or_keep(struct stream_publisher *publisher, enum record_kind kind, void *record,
                         size_t bytes, struct awaited *awaited)
{
    struct publish_target *target = awaited->target;

    /* Order matters within an instrument only: the first trades of a thousand instruments wait for
     * their positions together, not one after the other. */
    if (target->kept_count == 0 && !publisher->is_full && may_send(publisher, kind, target) &&
        try_send(publisher, kind, record, awaited)) {
        clear_record(kind, record);
        return;
    }
    struct kept *kept = mem_calloc(1, sizeof *kept);
    kept->kind = kind;
    kept->target = target;
    kept->awaited = awaited;
    kept->record = mem_alloc(bytes);
    memcpy(kept->record, record, bytes);
    target->kept_count++;
    if (publisher->last)
        publisher->last->next = kept;
    else
        publisher->first = kept;
    publisher->last = kept;
}

static struct trade_position make_position(const struct publish_target *target,
                                           const struct publish_mark *mark)
{
    struct trade_position position = {
        .trade_id = mark->trade_id,
        .event_time_ms = mark->event_time_ms,
        .offset = mark->offset,
        .updated_at_ms = clock_wall_ms(),
    };

    snprintf(position.inst_id, sizeof position.inst_id, "%s", target->inst_id);
    return position;
}

static struct awaited *await(struct stream_publisher *publisher, struct publish_target *target,
                             const struct publish_mark *mark, int64_t received_at_us)
{
    pthread_mutex_lock(&publisher->lock);
    struct awaited *awaited = take_awaited(publisher);
    uint64_t sequence = publish_progress_add(&target->progress, *mark);
    pthread_mutex_unlock(&publisher->lock);
    *awaited = (struct awaited){
        .receipt = {on_delivery, awaited, false},
        .target = target,
        .sequence = sequence,
        .received_at_us = received_at_us,
    };
    return awaited;
}

bool stream_publisher_drain(struct stream_publisher *publisher)
{
    struct kept *kept;

    while ((kept = publisher->first) && may_send(publisher, kept->kind, kept->target) &&
           try_send(publisher, kept->kind, kept->record, kept->awaited))
        drop_first(publisher);
    return publisher->first == NULL;
}

bool stream_publisher_is_blocked(const struct stream_publisher *publisher)
{
    return publisher->first != NULL;
}

void stream_publisher_send_trade(struct stream_publisher *publisher, struct publish_target *target,
                                 struct trade *trade, bool moves_position)
{
    const struct publish_mark mark = {
        .trade_id = {moves_position, trade->trade_id},
        .event_time_ms = {moves_position, trade->event_time_ms},
    };
    struct awaited *awaited = await(publisher, target, &mark, trade->received_at_us);

    send_or_keep(publisher, RECORD_TRADE, trade, sizeof *trade, awaited);
}

void stream_publisher_begin(struct stream_publisher *publisher, struct publish_target *target,
                            const struct publish_mark *mark)
{
    struct trade_position position = make_position(target, mark);
    struct awaited *awaited = await(publisher, target, mark, 0);

    target->is_beginning = true;
    target->begin_sequence = awaited->sequence;
    target->is_announced = true;
    target->published = *mark;
    send_or_keep(publisher, RECORD_TRADE_POSITION, &position, sizeof position, awaited);
}

/* Ids that are too many to ask for: visible as a hole that stays, at once. */
static void give_up(struct stream_publisher *publisher, struct publish_target *target,
                    const struct repair_plan *plan)
{
    const struct publish_mark barrier = {0};
    struct fetch_result result = {.status = FETCH_STATUS_INCOMPLETE};
    int64_t now_ms = clock_wall_ms();

    fetch_command_for_trades(&result.command, target->inst_id, plan->unfillable_from_id,
                             plan->unfillable_to_id, FETCH_REASON_GAP, now_ms);
    fetch_result_add_missing(&result, plan->unfillable_from_id, plan->unfillable_to_id);
    snprintf(result.error, sizeof result.error,
             "not asked for: the hole has more trades than REPAIR_TRADES_MAX (%lld)",
             (long long)publisher->repair_trades_max);
    result.finished_at_ms = now_ms;
    log_warn("hole in the trade ids is too large to repair in full",
             LOG_STR("inst_id", target->inst_id), LOG_INT("from_id", plan->unfillable_from_id),
             LOG_INT("to_id", plan->unfillable_to_id));
    send_or_keep(publisher, RECORD_FETCH_RESULT, &result, sizeof result,
                 await(publisher, target, &barrier, 0));
}

void stream_publisher_send_repair(struct stream_publisher *publisher, struct publish_target *target,
                                  int64_t from_id, int64_t to_id,
                                  const struct publish_mark *reaches_to)
{
    static const struct publish_mark barrier = {0};
    struct repair_plan plan = repair_plan_make(from_id, to_id, publisher->repair_trades_max);
    int64_t part_from_id = 0;
    int64_t part_to_id = 0;

    metric_increment(publisher->metrics->gaps_detected);
    metric_add(publisher->metrics->gap_trades, to_id - from_id + 1);
    log_info("trades are missing, asking for them", LOG_STR("inst_id", target->inst_id),
             LOG_INT("from_id", from_id), LOG_INT("to_id", to_id));
    if (plan.is_capped)
        give_up(publisher, target, &plan);
    while (repair_plan_next(&plan, &part_from_id, &part_to_id)) {
        bool is_last = plan.to_id < plan.from_id;
        struct fetch_command command;

        fetch_command_for_trades(&command, target->inst_id, part_from_id, part_to_id,
                                 FETCH_REASON_GAP, clock_wall_ms());
        send_or_keep(publisher, RECORD_FETCH_COMMAND, &command, sizeof command,
                     await(publisher, target, is_last && reaches_to ? reaches_to : &barrier, 0));
    }
}

void stream_publisher_skip_to(struct stream_publisher *publisher, struct publish_target *target,
                              const struct publish_mark *mark)
{
    pthread_mutex_lock(&publisher->lock);
    uint64_t sequence = publish_progress_add(&target->progress, *mark);
    publish_progress_acknowledge(&target->progress, sequence, mark->offset);
    pthread_mutex_unlock(&publisher->lock);
}

/* --- targets and positions ----------------------------------------------------------------------
 */

struct publish_target *stream_publisher_add_target(struct stream_publisher *publisher,
                                                   const char *inst_id)
{
    struct publish_target *target = mem_calloc(1, sizeof *target);

    target->publisher = publisher;
    target->next = publisher->targets;
    publisher->targets = target;
    snprintf(target->inst_id, sizeof target->inst_id, "%s", inst_id);
    publish_progress_init(&target->progress);
    return target;
}

void stream_publisher_start(struct stream_publisher *publisher, struct publish_target *target,
                            const struct trade_position *position)
{
    struct publish_mark mark = {0};

    if (position)
        mark = (struct publish_mark){position->trade_id, position->event_time_ms, position->offset};
    pthread_mutex_lock(&publisher->lock);
    publish_progress_start(&target->progress, mark);
    pthread_mutex_unlock(&publisher->lock);
    target->published = mark;
    target->is_announced = position != NULL;
    target->is_beginning = false;
    target->is_started = true;
}

void stream_publisher_stop(struct stream_publisher *publisher, struct publish_target *target)
{
    (void)publisher;
    target->is_started = false;
}

static void publish_position(struct stream_publisher *publisher, struct publish_target *target,
                             const struct publish_mark *mark)
{
    struct err err = {0};
    struct trade_position position = make_position(target, mark);

    if (record_writer_send(publisher->writer, RECORD_TRADE_POSITION, &position,
                           on_position_delivery, publisher, &err) == 0) {
        target->published = *mark;
        target->is_announced = true;
    } else if (!err.retriable) {
        service_failure_raise(publisher->failure, "cannot publish positions", err.message);
    }
}

void stream_publisher_announce(struct stream_publisher *publisher, struct publish_target *target)
{
    const struct publish_mark nothing = {0};

    if (!target->is_announced)
        publish_position(publisher, target, &nothing);
}

void stream_publisher_publish_positions(struct stream_publisher *publisher)
{
    for (struct publish_target *target = publisher->targets; target; target = target->next) {
        if (!target->is_started)
            continue;
        pthread_mutex_lock(&publisher->lock);
        struct publish_mark mark = target->progress.position;
        pthread_mutex_unlock(&publisher->lock);
        if (mark.trade_id.present && (!target->published.trade_id.present ||
                                      mark.trade_id.value != target->published.trade_id.value))
            publish_position(publisher, target, &mark);
    }
}
