#include "source_table.h"

#include <stdlib.h>

#include "base/mem.h"

void source_table_init(struct source_table *table, const struct topic_names *topics,
                       size_t writer_count)
{
    *table = (struct source_table){.topics = topics, .writer_count = writer_count};
}

void source_table_clear(struct source_table *table)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        for (size_t i = 0; i < table->capacity[topic]; i++)
            free(table->partitions[topic][i]);
        free(table->partitions[topic]);
    }
    *table = (struct source_table){0};
}

/* What goes to fetches comes from two topics, and has one writer for that. */
static size_t writer_of(const struct source_table *table, enum topic topic, int32_t partition)
{
    if (topic == TOPIC_TRADES || topic == TOPIC_CANDLES)
        return (size_t)partition % table->writer_count;
    return 0;
}

static struct source_partition *make_source(const struct source_table *table, enum topic topic,
                                            int32_t partition)
{
    struct source_partition *source = mem_calloc(1, sizeof *source);

    source->topic = topic;
    source->topic_name = topic_name(table->topics, topic);
    source->partition = partition;
    source->writer = writer_of(table, topic, partition);
    atomic_init(&source->generation, 0);
    return source;
}

static void grow(struct source_table *table, enum topic topic, size_t needed)
{
    size_t capacity = table->capacity[topic];

    if (needed <= capacity)
        return;
    table->partitions[topic] =
        mem_realloc_array(table->partitions[topic], needed, sizeof *table->partitions[topic]);
    for (size_t i = capacity; i < needed; i++)
        table->partitions[topic][i] = NULL;
    table->capacity[topic] = needed;
}

struct source_partition *source_table_get(struct source_table *table, const char *topic_name,
                                          int32_t partition)
{
    enum topic topic = topic_from_name(table->topics, topic_name);
    struct source_partition **place;

    if (topic == TOPIC_COUNT || partition < 0)
        return NULL;
    grow(table, topic, (size_t)partition + 1);
    place = &table->partitions[topic][partition];
    if (!*place)
        *place = make_source(table, topic, partition);
    return *place;
}

void source_table_visit(struct source_table *table,
                        void (*visit)(struct source_partition *source, void *context),
                        void *context)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        for (size_t i = 0; i < table->capacity[topic]; i++) {
            if (table->partitions[topic][i])
                visit(table->partitions[topic][i], context);
        }
    }
}
