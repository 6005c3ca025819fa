#include "newest_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "letter_topic.h"

struct key_offset {
    char *key; /* owned */
    size_t length;
    int64_t offset;
};

struct newest_keys {
    struct key_offset *items; /* by key, then by offset */
    size_t count;
    size_t capacity;
};

static int compare_keys(const struct key_offset *left, const struct key_offset *right)
{
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->key, right->key, shorter);

    if (order != 0 || left->length == right->length)
        return order;
    return left->length < right->length ? -1 : 1;
}

static int compare(const void *left, const void *right)
{
    const struct key_offset *a = left;
    const struct key_offset *b = right;
    int order = compare_keys(a, b);

    return order != 0 ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static int visit(const rd_kafka_message_t *message, void *context, struct err *err)
{
    struct newest_keys *keys = context;

    (void)err;
    if (!message->key)
        return 0;
    if (keys->count == keys->capacity) {
        keys->capacity = keys->capacity ? 2 * keys->capacity : 256;
        keys->items = mem_realloc_array(keys->items, keys->capacity, sizeof *keys->items);
    }
    keys->items[keys->count++] = (struct key_offset){
        .key = mem_strndup(message->key, message->key_len),
        .length = message->key_len,
        .offset = message->offset,
    };
    return 0;
}

struct newest_keys *newest_keys_load(const struct kafka_settings *settings, const char *topic,
                                     int32_t partition, struct err *err)
{
    struct newest_keys *keys = mem_calloc(1, sizeof *keys);
    struct letter_topic *reader = letter_topic_open(settings, topic, err);
    int status = -1;

    if (reader && partition >= 0 && partition < letter_topic_partitions(reader))
        status = letter_topic_scan_partition(reader, partition, RD_KAFKA_OFFSET_BEGINNING, visit,
                                             keys, err);
    else if (reader)
        (void)err_set(err, ERR_NOT_FOUND, "topic %.100s has no partition %d", topic,
                      (int)partition);
    letter_topic_close(reader);
    if (status != 0) {
        newest_keys_destroy(keys);
        return NULL;
    }
    if (keys->count > 0)
        qsort(keys->items, keys->count, sizeof *keys->items, compare);
    return keys;
}

void newest_keys_destroy(struct newest_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        free(keys->items[i].key);
    free(keys->items);
    free(keys);
}

int64_t newest_keys_find(const struct newest_keys *keys, const void *key, size_t length)
{
    const struct key_offset wanted = {(char *)key, length, INT64_MAX};
    size_t low = 0;
    size_t high = keys->count;

    while (low < high) { /* the first entry that comes after every offset of the key */
        size_t middle = low + (high - low) / 2;

        if (compare(&keys->items[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || compare_keys(&keys->items[low - 1], &wanted) != 0)
        return -1;
    return keys->items[low - 1].offset;
}
