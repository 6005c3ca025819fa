#include "ingestor/frame_letters.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "io/dead_letter.h"
#include "io/topic_reader.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

enum { QUEUE_RECORDS = 3, FRAMES = 20, TIMEOUT_MS = 60000 };

static void assert_header(const rd_kafka_message_t *message, const char *name, const char *expected)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t length = 0;

    assert_int_equal(rd_kafka_message_headers(message, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &length),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(value, expected, length);
}

static void assert_letter(struct topic_reader *reader, const char *expected, const char *key)
{
    rd_kafka_message_t *message = NULL;

    while (!message)
        message = topic_reader_poll(reader, 100);
    assert_int_equal(message->len, strlen(expected));
    assert_memory_equal(message->payload, expected, message->len);
    assert_int_equal(message->key_len, strlen(key));
    assert_true(!message->key == (key[0] == '\0'));
    assert_memory_equal(key, message->key ? message->key : "", message->key_len);
    assert_header(message, DEAD_LETTER_SERVICE, "ingestor");
    assert_header(message, DEAD_LETTER_TOPIC, "okx:trades-all");
    assert_header(message, DEAD_LETTER_STAGE, "parse");
    assert_header(message, DEAD_LETTER_REASON, "protocol");
    assert_header(message, DEAD_LETTER_MESSAGE, "no JSON");
    rd_kafka_message_destroy(message);
}

/* Which instrument a frame is of; some do not say. */
static const char *inst_id_of(int frame)
{
    return frame % 2 ? "BTC-USDT" : "";
}

/* Kafka is away and the producer's queue full: nothing is lost, and the order stays. */
static void what_kafka_has_no_room_for_is_kept_in_order(void **state)
{
    struct kafka_property small = {"queue.buffering.max.messages", "3"};
    const struct err reason = {.code = ERR_PROTOCOL, .message = "no JSON"};
    struct mock_cluster mock = {0};
    struct err err = {0};
    int64_t give_up_at_ms = clock_monotonic_ms() + TIMEOUT_MS;
    char text[32];

    (void)state;
    mock_cluster_start(&mock, 1);
    mock.settings.properties = &small;
    mock.settings.property_count = 1;
    const char *topic = topic_name(&mock.settings.topics, TOPIC_DEAD_LETTERS);
    mock_cluster_create_topic(&mock, topic, 1);
    struct metrics *metrics = metrics_create();
    struct kafka_producer *producer = kafka_producer_create(&mock.settings, "test", metrics, &err);
    assert_non_null(producer);
    struct frame_letters *letters = frame_letters_create(producer, &mock.settings.topics);

    mock_cluster_set_up(&mock, 1, false);
    for (int i = 0; i < FRAMES; i++) {
        snprintf(text, sizeof text, "frame %d", i);
        frame_letters_send(letters, "trades-all", inst_id_of(i), text, strlen(text), &reason);
        assert_int_equal(frame_letters_is_blocked(letters), i >= QUEUE_RECORDS);
    }
    assert_false(frame_letters_drain(letters));

    mock_cluster_set_up(&mock, 1, true);
    while (!frame_letters_drain(letters) && clock_monotonic_ms() < give_up_at_ms)
        (void)!kafka_producer_flush(producer, 50, &err);
    assert_false(frame_letters_is_blocked(letters));
    mock.settings.property_count = 0;
    struct topic_reader *reader = topic_reader_create(&mock.settings, "test", topic, &err);
    assert_int_equal(topic_reader_add(reader, 0, RD_KAFKA_OFFSET_BEGINNING, &err), 0);
    for (int i = 0; i < FRAMES; i++) {
        snprintf(text, sizeof text, "frame %d", i);
        assert_letter(reader, text, inst_id_of(i));
    }
    topic_reader_destroy(reader);
    kafka_producer_destroy(producer);
    frame_letters_destroy(letters);
    metrics_destroy(metrics);
    mock_cluster_stop(&mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_kafka_has_no_room_for_is_kept_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
