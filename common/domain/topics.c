#include "domain/topics.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    bool is_partitioned_by_instrument, is_compacted;
    int retention_days; /* 0: unlimited */
} topics[TOPIC_COUNT] = {
    [TOPIC_TRADES] = {"trades", true, false, 7},
    [TOPIC_CANDLES] = {"candles", true, false, 7},
    [TOPIC_CURRENCIES] = {"currencies", false, true, 0},
    [TOPIC_CONTROL] = {"control", true, false, 7},
    [TOPIC_FETCH_RESULTS] = {"fetch-results", false, true, 0},
    [TOPIC_POSITIONS] = {"positions", true, true, 0},
    [TOPIC_DEAD_LETTERS] = {"dead-letters", false, false, 30},
};

static bool is_legal(const char *prefix)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return strspn(prefix, legal) == strlen(prefix);
}

int topic_names_init(struct topic_names *names, const char *prefix, struct err *err)
{
    size_t longest = 0;

    if (!prefix)
        prefix = "";
    if (!is_legal(prefix))
        return err_set(err, ERR_CONFIG,
                       "topic prefix '%s' may hold letters, digits, '.', '_' and '-' only", prefix);
    for (int i = 0; i < TOPIC_COUNT; i++)
        longest = strlen(topics[i].name) > longest ? strlen(topics[i].name) : longest;
    if (strlen(prefix) + longest >= TOPIC_NAME_BYTES)
        return err_set(err, ERR_CONFIG, "topic prefix is longer than %zu characters",
                       TOPIC_NAME_BYTES - 1 - longest);
    for (int i = 0; i < TOPIC_COUNT; i++)
        snprintf(names->names[i], TOPIC_NAME_BYTES, "%s%s", prefix, topics[i].name);
    return 0;
}

enum topic topic_from_name(const struct topic_names *names, const char *name)
{
    enum topic topic = 0;
    while (topic < TOPIC_COUNT && strcmp(names->names[topic], name) != 0)
        topic++;
    return topic;
}

const char *topic_full_name(const struct topic_names *names, const char *plain_name)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(topics[i].name, plain_name) == 0)
            return names->names[i];
    return plain_name;
}

bool topic_is_partitioned_by_instrument(enum topic topic)
{
    return topics[topic].is_partitioned_by_instrument;
}

bool topic_is_compacted(enum topic topic)
{
    return topics[topic].is_compacted;
}

int64_t topic_retention_ms(enum topic topic)
{
    const int64_t day_ms = 86400000;
    return topics[topic].retention_days ? topics[topic].retention_days * day_ms : -1;
}
