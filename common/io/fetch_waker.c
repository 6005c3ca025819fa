#include "io/fetch_waker.h"

#include "base/err.h"
#include "base/text_view.h"

enum {
    VERSION_WITH_BACKOFF = 0x02020000,
    LOOK_RECORDS_MAX = 64,
    ANSWER_TIMEOUT_MS = 50,
    NUMBER_BYTES = 16,
};

bool fetch_waker_is_needed(void)
{
    return rd_kafka_version() < VERSION_WITH_BACKOFF;
}

static size_t queued_min_messages(rd_kafka_t *client)
{
    char text[NUMBER_BYTES];
    size_t bytes = sizeof text;
    struct err ignored = {0};
    int64_t number = 0;

    if (rd_kafka_conf_get(rd_kafka_conf(client), "queued.min.messages", text, &bytes) !=
            RD_KAFKA_CONF_OK ||
        text_view_read_int64(text_view_of(text), &number, &ignored) != 0)
        return 0;
    return (size_t)number;
}

void fetch_waker_init(struct fetch_waker *waker, rd_kafka_t *client)
{
    size_t most = queued_min_messages(client);

    *waker = (struct fetch_waker){
        .client = client,
        .queue = rd_kafka_queue_get_consumer(client),
        .full_records = most - most / 8, /* seen late, some have been taken already */
        .look_records = most / 16 < LOOK_RECORDS_MAX ? most / 16 : LOOK_RECORDS_MAX,
    };
}

void fetch_waker_clear(struct fetch_waker *waker)
{
    if (waker->queue)
        rd_kafka_queue_destroy(waker->queue);
    *waker = (struct fetch_waker){0};
}

/* Whatever is asked will do; this needs no more rights than to read the topics. */
static void ask_brokers(const struct fetch_waker *waker, const struct partition_set *partitions)
{
    rd_kafka_topic_partition_list_t *list = partition_set_list(partitions, false);

    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    if (list->cnt > 0)
        (void)rd_kafka_offsets_for_times(waker->client, list, ANSWER_TIMEOUT_MS);
    rd_kafka_topic_partition_list_destroy(list);
}

void fetch_waker_note_record(struct fetch_waker *waker, const struct partition_set *partitions)
{
    size_t waiting;

    if (!fetch_waker_is_needed() || ++waker->records < waker->look_records)
        return;
    waker->records = 0;
    waiting = rd_kafka_queue_length(waker->queue);
    if (waiting >= waker->full_records) {
        waker->was_full = true;
    } else if (waker->was_full && waiting <= waker->full_records / 2) {
        waker->was_full = false;
        ask_brokers(waker, partitions);
    }
}
