#include "io/partition_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void partition_set_clear(struct partition_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->states[i].topic);
    free(set->states);
    *set = (struct partition_set){0};
}

struct partition_state *partition_set_find(const struct partition_set *set, const char *topic,
                                           int32_t partition)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->states[i].partition == partition && strcmp(set->states[i].topic, topic) == 0)
            return &set->states[i];
    }
    return NULL;
}

void partition_set_replace(struct partition_set *set,
                           const rd_kafka_topic_partition_list_t *assigned,
                           rd_kafka_topic_partition_list_t **gained,
                           rd_kafka_topic_partition_list_t **dropped)
{
    struct partition_set next = {.count = (size_t)assigned->cnt};

    *gained = rd_kafka_topic_partition_list_new(0);
    *dropped = rd_kafka_topic_partition_list_new(0);
    next.states = mem_calloc(next.count ? next.count : 1, sizeof *next.states);
    for (size_t i = 0; i < next.count; i++) {
        const rd_kafka_topic_partition_t *added = &assigned->elems[i];
        const struct partition_state *known =
            partition_set_find(set, added->topic, added->partition);

        if (known)
            next.states[i] = *known;
        else
            next.states[i] = (struct partition_state){.next_offset = -1};
        next.states[i].topic = mem_strdup(added->topic);
        next.states[i].partition = added->partition;
        if (!known)
            rd_kafka_topic_partition_list_add(*gained, added->topic, added->partition);
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct partition_state *old = &set->states[i];

        if (!partition_set_find(&next, old->topic, old->partition))
            rd_kafka_topic_partition_list_add(*dropped, old->topic, old->partition);
    }
    partition_set_clear(set);
    *set = next;
}

rd_kafka_topic_partition_list_t *partition_set_list(const struct partition_set *set, bool is_paused)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)set->count);

    for (size_t i = 0; i < set->count; i++) {
        if (set->states[i].is_paused == is_paused)
            rd_kafka_topic_partition_list_add(list, set->states[i].topic, set->states[i].partition);
    }
    return list;
}
