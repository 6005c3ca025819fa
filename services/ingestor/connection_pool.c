#include "connection_pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "token_bucket.h"

enum { CONNECTS_PER_SECOND = 3 }; /* okx-v5.md, 2.2 */

struct pool_slot {
    struct stream_connection *connection;
    struct stream_connection *successor; /* takes over once it is settled (64008); or NULL */
};

struct connection_pool {
    struct stream_connection_options connection;
    size_t channels_per_connection;
    struct pool_slot *slots;
    size_t slot_count;
    struct token_bucket connects;
};

static void add_slot(struct connection_pool *pool, struct stream_connection *connection)
{
    pool->slots = mem_realloc_array(pool->slots, pool->slot_count + 1, sizeof *pool->slots);
    pool->slots[pool->slot_count++] = (struct pool_slot){.connection = connection};
}

static void on_notice(struct stream_connection *connection, void *context)
{
    struct connection_pool *pool = context;

    for (size_t i = 0; i < pool->slot_count; i++) {
        struct pool_slot *slot = &pool->slots[i];

        if (slot->connection == connection && !slot->successor) {
            slot->successor = stream_connection_clone(connection);
            add_slot(pool, slot->successor);
            return;
        }
    }
}

struct connection_pool *connection_pool_create(const struct stream_connection_options *connection,
                                               size_t channels_per_connection)
{
    struct connection_pool *pool = mem_calloc(1, sizeof *pool);

    pool->connection = *connection;
    pool->connection.on_notice = on_notice;
    pool->connection.notice_context = pool;
    pool->channels_per_connection = channels_per_connection;
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
            stream_connection_count(slot->connection) < pool->channels_per_connection) {
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

static bool is_anyones_successor(const struct connection_pool *pool,
                                 const struct stream_connection *connection)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].successor == connection)
            return true;
    }
    return false;
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

/* Retires what has a settled successor or nothing to do, and forgets what is gone. */
static void tidy(struct connection_pool *pool)
{
    for (size_t i = pool->slot_count; i > 0; i--) {
        struct pool_slot *slot = &pool->slots[i - 1];
        struct stream_connection *connection = slot->connection;
        bool is_replaced = slot->successor && (stream_connection_is_settled(slot->successor) ||
                                               !stream_connection_is_open(connection));

        if (is_replaced)
            stream_connection_retire(connection, "replaced");
        else if (!slot->successor && stream_connection_count(connection) == 0 &&
                 !is_anyones_successor(pool, connection))
            stream_connection_retire(connection, "unused");
        if (stream_connection_is_gone(connection))
            forget(pool, slot);
    }
}

void connection_pool_tick(struct connection_pool *pool, bool reads, int64_t now_ms)
{
    for (size_t i = 0; i < pool->slot_count; i++) {
        size_t ticket = 0;
        bool may_connect = token_bucket_take(&pool->connects, now_ms, &ticket) == 0;
        bool has_connected =
            stream_connection_tick(pool->slots[i].connection, reads, may_connect, now_ms);

        if (may_connect && has_connected)
            token_bucket_release(&pool->connects, ticket, now_ms);
        else if (may_connect)
            token_bucket_cancel(&pool->connects, ticket);
    }
    tidy(pool);
}

void connection_pool_retire(struct connection_pool *pool, const char *reason)
{
    for (size_t i = 0; i < pool->slot_count; i++)
        stream_connection_retire(pool->slots[i].connection, reason);
}

void connection_pool_summarize(const struct connection_pool *pool,
                               struct connection_summary *summary)
{
    *summary = (struct connection_summary){0};
    for (size_t i = 0; i < pool->slot_count; i++) {
        const struct stream_connection *connection = pool->slots[i].connection;

        summary->open += stream_connection_is_open(connection);
        if (pool->slots[i].successor || stream_connection_is_retired(connection))
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
