#include "io/kafka_statistics.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The struct is jansson's value itself: nothing else is kept. */
static json_t *as_json(const struct kafka_statistics *statistics)
{
    return (json_t *)statistics;
}

struct kafka_statistics *kafka_statistics_parse(const char *text, size_t length)
{
    json_t *root = json_loadb(text, length, 0, NULL);

    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return (struct kafka_statistics *)root;
}

void kafka_statistics_destroy(struct kafka_statistics *statistics)
{
    json_decref(as_json(statistics));
}

bool kafka_statistics_is_connected(const struct kafka_statistics *statistics)
{
    const char *name;
    json_t *broker;

    json_object_foreach(json_object_get(as_json(statistics), "brokers"), name, broker)
    {
        const char *state = json_string_value(json_object_get(broker, "state"));

        /* UPDATE: up, and asking for metadata. */
        if (state && (strcmp(state, "UP") == 0 || strcmp(state, "UPDATE") == 0))
            return true;
    }
    return false;
}

int64_t kafka_statistics_round_trip_us(const struct kafka_statistics *statistics)
{
    int64_t slowest = -1;
    const char *name;
    json_t *broker;

    json_object_foreach(json_object_get(as_json(statistics), "brokers"), name, broker)
    {
        const json_t *round_trip = json_object_get(broker, "rtt");
        int64_t p99 = json_integer_value(json_object_get(round_trip, "p99"));

        if (json_integer_value(json_object_get(round_trip, "cnt")) > 0 && p99 > slowest)
            slowest = p99;
    }
    return slowest;
}

int64_t kafka_statistics_start_offset(const struct kafka_statistics *statistics, const char *topic,
                                      int32_t partition)
{
    char number[16];
    const json_t *entry = json_object_get(as_json(statistics), "topics");
    int64_t next, queued;

    snprintf(number, sizeof number, "%d", (int)partition);
    entry = json_object_get(json_object_get(entry, topic), "partitions");
    entry = json_object_get(entry, number);
    if (!entry || json_integer_value(json_object_get(entry, "hi_offset")) < 0)
        return -1;
    next = json_integer_value(json_object_get(entry, "next_offset")); /* -1001: none yet */
    queued = json_integer_value(json_object_get(entry, "fetchq_cnt"));
    return queued >= 0 && queued <= next ? next - queued : -1;
}
