/* The newest offset of each key in a partition of a compacted topic. One thread. */
#ifndef DEAD_LETTERS_NEWEST_KEYS_H
#define DEAD_LETTERS_NEWEST_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"

struct newest_keys;

/* Reads the partition. Errors as letter_topic_open and letter_topic_scan. */
struct newest_keys *newest_keys_load(const struct kafka_settings *settings, const char *topic,
                                     int32_t partition, struct err *err) MUST_CHECK;
/* Accepts NULL. */
void newest_keys_destroy(struct newest_keys *keys);
/* -1 when the key does not occur. */
int64_t newest_keys_find(const struct newest_keys *keys, const void *key, size_t length);

#endif
