#include "connection_pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "token_bucket.h"
#include "ws_succession.h"

enum { CONNECTS_PER_SECOND = 3 }; /* okx-v5.md, 2.2 */

struct pool_slot {
    struct stream_connection *connection;
    struct stream_connection *successor; /* takes over once it sends the same; or NULL */
    struct ws_succession succession;
    size_t ticket; /* of its attempt to connect, while has_ticket */
    bool has_ticket;
};

struct connection_pool {
    struct stream_connection_options connection;
    struct connection_pool_limits limits;
    struct backoff age_spread;
    struct pool_slot *slots;
    size_t slot_count;
    struct token_bucket connects;
};

static void add_slot(struct connection_pool *pool, struct stream_connection *connection)
{
    pool->slots = mem_realloc_array(pool->slots, pool->slot_count + 1, sizeof *pool->slots);
    struct pool_slot *slot = &pool->slots[pool->slot_count++];
    *slot = (struct pool_slot){.connection = connection};
    ws_succession_init(&slot->succession);
}

static void begin_succession(struct connection_pool *pool, size_t index)
{
    struct stream_connection *successor =
        stream_connection_create_heir(pool->slots[index].connection);

    pool->slots[index].successor = successor;
    add_slot(pool, successor);
}

static void on_notice(struct stream_connection *connection, void *context)
{
    struct connection_pool *pool = context;

    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].connection == connection && !pool->slots[i].successor) {
            begin_succession(pool, i);
            return;
        }
    }
}

struct connection_pool *connection_pool_create(const struct stream_connection_options *connection,
                                               const struct connection_pool_limits *limits)
{
    struct connection_pool *pool = mem_calloc(1, sizeof *pool);

    pool->connection = *connection;
    pool->connection.on_notice = on_notice;
    pool->connection.notice_context = pool;
    pool->limits = *limits;
    ws_succession_spread(&pool->age_spread, limits->age_ms, 0);
    token_bucket_init(&pool->connects, CONNECTS_PER_SECOND, 1000);
    return pool;
}

void connection_pool_destroy(struct connection_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->slot_count; i++)
        stream_connection_destroy(pool->slots[i].connection);
    free(pool->slots);
    token_bucket_clear(&pool->connects);
    free(pool);
}

void connection_pool_add(struct connection_pool *pool, const char *inst_id)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        struct pool_slot *slot = &pool->slots[i];

        if (!slot->successor && !stream_connection_is_retired(slot->connection) &&
            stream_connection_count(slot->connection) < pool->limits.channels_per_connection) {
            stream_connection_add(slot->connection, inst_id);
            return;
        }
    }
    struct stream_connection *connection = stream_connection_create(&pool->connection);
    stream_connection_add(connection, inst_id);
    add_slot(pool, connection);
}

void connection_pool_remove(struct connection_pool *pool, const char *inst_id)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        stream_connection_remove(pool->slots[i].connection, inst_id);
}

/* The slot whose successor this is; NULL: nobody's. */
static const struct pool_slot *predecessor_of(const struct connection_pool *pool,
                                              const struct stream_connection *connection)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].successor == connection)
            return &pool->slots[i];
    }
    return NULL;
}

static bool has_live_predecessor(const struct connection_pool *pool,
                                 const struct stream_connection *connection)
{
    const struct pool_slot *slot = predecessor_of(pool, connection);

    while (slot && stream_connection_is_retired(slot->connection))
        slot = predecessor_of(pool, slot->connection);
    return slot != NULL;
}

static bool is_covered(const struct pool_slot *slot)
{
    return slot->successor && stream_connection_covers(slot->successor, slot->connection);
}

static void forget(struct connection_pool *pool, struct pool_slot *slot)
{
    struct stream_connection *connection = slot->connection;

    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].successor == connection)
            pool->slots[i].successor = slot->successor;
    }
    *slot = pool->slots[--pool->slot_count];
    stream_connection_destroy(connection);
}

/* Makes successors for what is due, and retires what has handed over. */
static void tick_succession(struct connection_pool *pool, size_t index, bool reads, int64_t now_ms)
{
    struct pool_slot *slot = &pool->slots[index];
    const struct ws_succession_facts facts = {
        .is_open = stream_connection_is_open(slot->connection),
        .reads = reads,
        .is_heir = predecessor_of(pool, slot->connection) != NULL,
        .has_successor = slot->successor != NULL,
        .is_covered = is_covered(slot),
    };

    if (stream_connection_is_retired(slot->connection))
        return;
    switch (ws_succession_tick(&slot->succession, &facts, pool->limits.age_ms, &pool->age_spread,
                               now_ms)) {
    case WS_SUCCESSION_NOTHING:
        break;
    case WS_SUCCESSION_BEGIN:
        begin_succession(pool, index);
        break;
    case WS_SUCCESSION_END:
        stream_connection_retire(slot->connection, "replaced");
        break;
    }
}

/* Heirs whose predecessors are all done take over. */
static void tick_heirs(struct connection_pool *pool)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        struct stream_connection *connection = pool->slots[i].connection;

        if (stream_connection_is_heir(connection) && !has_live_predecessor(pool, connection))
            stream_connection_take_over(connection);
    }
}

/* OKX counts when an attempt reaches it, which is no later than when it has succeeded or failed. */
static void return_ticket(struct connection_pool *pool, struct pool_slot *slot, int64_t now_ms)
{
    if (!slot->has_ticket || stream_connection_is_connecting(slot->connection))
        return;
    slot->has_ticket = false;
    token_bucket_release(&pool->connects, slot->ticket, now_ms);
}

/* Retires what has nothing to do, and forgets what is gone. */
static void tidy(struct connection_pool *pool, int64_t now_ms)
{
    for (size_t i = pool->slot_count; i > 0; i--) {
        struct pool_slot *slot = &pool->slots[i - 1];

        if (!slot->successor && stream_connection_count(slot->connection) == 0 &&
            !predecessor_of(pool, slot->connection))
            stream_connection_retire(slot->connection, "unused");
        if (stream_connection_is_gone(slot->connection)) {
            return_ticket(pool, slot, now_ms);
            forget(pool, slot);
        }
    }
}

static void tick_connection(struct connection_pool *pool, struct pool_slot *slot, bool reads,
                            int64_t now_ms)
{
    size_t ticket = 0;

    return_ticket(pool, slot, now_ms);
    bool may_connect = token_bucket_take(&pool->connects, now_ms, &ticket) == 0;
    bool has_begun = stream_connection_tick(slot->connection, reads, may_connect, now_ms);

    if (has_begun) {
        slot->ticket = ticket;
        slot->has_ticket = true;
    } else if (may_connect) {
        token_bucket_cancel(&pool->connects, ticket);
    }
}

void connection_pool_tick(struct connection_pool *pool, bool reads, int64_t now_ms)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        tick_connection(pool, &pool->slots[i], reads, now_ms);
    for (size_t i = pool->slot_count; i > 0; i--)
        tick_succession(pool, i - 1, reads, now_ms);
    tick_heirs(pool);
    tidy(pool, now_ms);
}

void connection_pool_retire(struct connection_pool *pool, const char *reason)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        stream_connection_retire(pool->slots[i].connection, reason);
}

/* During a succession, the one that OKX sends everything on; the other says nothing about how well
 * the instruments are served. */
static bool speaks_for_its_instruments(const struct connection_pool *pool,
                                       const struct pool_slot *slot)
{
    const struct pool_slot *predecessor = predecessor_of(pool, slot->connection);

    if (stream_connection_is_retired(slot->connection))
        return false;
    if (slot->successor && (is_covered(slot) || !stream_connection_is_open(slot->connection)))
        return false;
    return !predecessor || !stream_connection_is_open(predecessor->connection) ||
           is_covered(predecessor);
}

void connection_pool_summarize(const struct connection_pool *pool,
                               struct connection_summary *summary)
{
    *summary = (struct connection_summary){0};
    for (size_t i = 0; i < pool->slot_count; i++) {
        const struct stream_connection *connection = pool->slots[i].connection;

        summary->open += stream_connection_is_open(connection);
        if (!speaks_for_its_instruments(pool, &pool->slots[i]))
            continue;
        summary->active += stream_connection_active(connection);
        summary->refused += stream_connection_refused(connection);
        if (!stream_connection_is_open(connection))
            snprintf(summary->trouble, sizeof summary->trouble, "%s",
                     stream_connection_trouble(connection));
        else if (!stream_connection_is_settled(connection) && summary->trouble[0] == '\0')
            snprintf(summary->trouble, sizeof summary->trouble, "subscribing");
    }
}
