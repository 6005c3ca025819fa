#include "io/kafka_log.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { LIMITER_COUNT = 32, LINE_INTERVAL_MS = 10000 };

/* Part of the logger, so process-wide as it is: librdkafka may log before a client exists. Lines
 * share a limiter by hash; two kinds that collide only lose detail, never memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_limiter limiters[LIMITER_COUNT];

static size_t hash_text(size_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u; /* FNV-1a */
    return hash;
}

static bool may_log(const char *client, const char *facility, int64_t *suppressed)
{
    size_t slot = hash_text(hash_text(14695981039346656037u, client), facility) % LIMITER_COUNT;
    bool allowed;

    pthread_mutex_lock(&lock);
    limiters[slot].interval_ms = LINE_INTERVAL_MS;
    allowed = log_limiter_allow(&limiters[slot], clock_monotonic_ms(), suppressed);
    pthread_mutex_unlock(&lock);
    return allowed;
}

/* syslog's levels. What librdkafka calls an error it goes on retrying, so that is a warning here.
 */
static enum log_level level_from_syslog(int level)
{
    if (level <= 2)
        return LOG_LEVEL_ERROR;
    if (level <= 4)
        return LOG_LEVEL_WARN;
    return level <= 6 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void kafka_log_write(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    const char *name = client ? rd_kafka_name(client) : "librdkafka";
    /* Settings are for producers and consumers alike; each says which ones are not for it. */
    bool is_config_hint = strcmp(facility, "CONFWARN") == 0;
    enum log_level ours = is_config_hint ? LOG_LEVEL_DEBUG : level_from_syslog(level);
    int64_t suppressed = 0;

    if (!log_is_enabled(ours))
        return;
    /* Debug lines are asked for (the property "debug"), so all of them are shown. */
    if (ours != LOG_LEVEL_DEBUG && !may_log(name, facility, &suppressed))
        return;
    LOG_AT(ours, "librdkafka", LOG_STR("client", name), LOG_STR("kind", facility),
           LOG_STR("text", text), LOG_INT("suppressed", suppressed));
}

void kafka_log_error(const rd_kafka_t *client, rd_kafka_resp_err_t error, const char *text)
{
    enum { SYSLOG_WARNING = 4 };

    if (error != RD_KAFKA_RESP_ERR__TRANSPORT)
        kafka_log_write(client, SYSLOG_WARNING, rd_kafka_err2name(error), text);
}
