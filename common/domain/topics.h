/* The topics: names, kinds and creation settings. Pure. The reference is docs/topics.md. */
#ifndef DOMAIN_TOPICS_H
#define DOMAIN_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

enum topic {
    TOPIC_TRADES,
    TOPIC_CANDLES,
    TOPIC_CURRENCIES,
    TOPIC_CONTROL,
    TOPIC_FETCH_RESULTS,
    TOPIC_POSITIONS,
    TOPIC_DEAD_LETTERS,
    TOPIC_COUNT,
};

enum { TOPIC_NAME_BYTES = 250 }; /* Kafka's limit of 249 and NUL */

struct topic_names {
    char names[TOPIC_COUNT][TOPIC_NAME_BYTES];
};

/* prefix may be NULL or "". Errors: ERR_CONFIG for characters or a length that Kafka refuses. */
int topic_names_init(struct topic_names *names, const char *prefix, struct err *err) MUST_CHECK;
static inline const char *topic_name(const struct topic_names *names, enum topic topic)
{
    return names->names[topic];
}
/* The topic of that full name, or TOPIC_COUNT. */
enum topic topic_from_name(const struct topic_names *names, const char *name);

/* The full name of one of our topics by its plain name ("trades"); any other name as it stands.
 * Borrowed from one of the arguments. */
const char *topic_full_name(const struct topic_names *names, const char *plain_name);

/* True for trades, candles, control and positions, which share the configured partition count so
 * that an instrument has the same partition number in each; the others have one partition. */
bool topic_is_partitioned_by_instrument(enum topic topic);
bool topic_is_compacted(enum topic topic);
int64_t topic_retention_ms(enum topic topic); /* -1: unlimited (compacted) */

#endif
