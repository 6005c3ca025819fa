#include "io/dead_letter.h"

#include <string.h>

#include "base/metrics.h"
#include "io/topic_reader.h"
#include "tests/support/mock_cluster.h"
#include "tests/support/unit_test.h"

struct fixture {
    struct mock_cluster mock;
    struct metrics *metrics;
    struct kafka_producer *producer;
    struct topic_reader *reader;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct err err = {0};
    const char *topic = NULL;

    mock_cluster_start(&fixture.mock, 1);
    topic = topic_name(&fixture.mock.settings.topics, TOPIC_DEAD_LETTERS);
    mock_cluster_create_topic(&fixture.mock, topic, 1);
    fixture.metrics = metrics_create();
    fixture.producer = kafka_producer_create(&fixture.mock.settings, "test", fixture.metrics, &err);
    fixture.reader = topic_reader_create(&fixture.mock.settings, "test", topic, &err);
    assert_non_null(fixture.producer);
    assert_non_null(fixture.reader);
    assert_int_equal(topic_reader_add(fixture.reader, 0, RD_KAFKA_OFFSET_BEGINNING, &err), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    topic_reader_destroy(fixture->reader);
    kafka_producer_destroy(fixture->producer);
    metrics_destroy(fixture->metrics);
    mock_cluster_stop(&fixture->mock);
    return 0;
}

/* Returns owned the letter as a consumer sees it. */
static rd_kafka_message_t *pass_on(struct fixture *fixture, const struct dead_letter *letter)
{
    rd_kafka_message_t *message = NULL;
    struct err err = {0};

    assert_int_equal(dead_letter_send(fixture->producer, &fixture->mock.settings.topics, letter,
                                      NULL, NULL, &err),
                     0);
    while (!message)
        message = topic_reader_poll(fixture->reader, 100);
    return message;
}

static void assert_header(const rd_kafka_message_t *message, const char *name, const char *expected)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t length = 0;

    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_int_equal(rd_kafka_header_get(headers, 0, name, &value, &length), 0);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(value, expected, length);
    assert_int_not_equal(rd_kafka_header_get(headers, 1, name, &value, &length), 0);
}

static void assert_no_header(const rd_kafka_message_t *message, const char *name)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t length = 0;

    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_int_not_equal(rd_kafka_header_get(headers, 0, name, &value, &length), 0);
}

static struct dead_letter make_letter(const rd_kafka_headers_t *headers)
{
    return (struct dead_letter){
        .service = "persister",
        .source_topic = "trades",
        .source_partition = 3,
        .source_offset = 1234,
        .stage = "store",
        .reason = ERR_REMOTE,
        .message = "refused",
        .key = "k",
        .key_length = 1,
        .value = "v",
        .value_length = 1,
        .headers = headers,
    };
}

static void a_record_that_never_was_a_letter_is_one_for_the_first_time(void **state)
{
    struct dead_letter letter = make_letter(NULL);
    rd_kafka_message_t *message = pass_on(*state, &letter);

    assert_header(message, DEAD_LETTER_ATTEMPTS, "1");
    assert_header(message, DEAD_LETTER_TOPIC, "trades");
    assert_header(message, DEAD_LETTER_OFFSET, "1234");
    rd_kafka_message_destroy(message);
}

static void attempts_go_on_and_the_rest_is_replaced(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"1", "2"},  {"41", "42"}, {"1000000", "1000000"}, {"99999999999999999999", "1"},
        {"-5", "1"}, {"", "1"},    {"two", "1"},           {"2000000", "1000000"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
        struct dead_letter letter = make_letter(headers);

        rd_kafka_header_add(headers, DEAD_LETTER_ATTEMPTS, -1, cases[i].before, -1);
        rd_kafka_header_add(headers, DEAD_LETTER_RETRIED_FROM, -1, "0:17", -1);
        rd_kafka_header_add(headers, DEAD_LETTER_MESSAGE, -1, "earlier", -1);
        rd_kafka_header_add(headers, "own", -1, "kept", -1);
        rd_kafka_message_t *message = pass_on(*state, &letter);
        assert_header(message, DEAD_LETTER_ATTEMPTS, cases[i].after);
        assert_header(message, DEAD_LETTER_RETRIED_FROM, "0:17");
        assert_header(message, DEAD_LETTER_MESSAGE, "refused");
        assert_header(message, "own", "kept");
        rd_kafka_message_destroy(message);
        rd_kafka_headers_destroy(headers);
    }
}

static void what_no_broker_would_take_is_truncated(void **state)
{
    static char large[1000000];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    struct dead_letter letter = make_letter(headers);

    rd_kafka_header_add(headers, "own", -1, "kept", -1);
    letter.value = large;
    letter.value_length = DEAD_LETTER_BYTES_MAX - 100;
    rd_kafka_message_t *message = pass_on(*state, &letter);
    assert_int_equal(message->len, letter.value_length);
    assert_no_header(message, DEAD_LETTER_TRUNCATED_FROM);
    rd_kafka_message_destroy(message);

    letter.value_length = sizeof large;
    message = pass_on(*state, &letter);
    assert_int_equal(message->len, DEAD_LETTER_HEAD_BYTES);
    assert_header(message, DEAD_LETTER_TRUNCATED_FROM, "1000000");
    assert_header(message, "own", "kept");
    rd_kafka_message_destroy(message);

    rd_kafka_header_add(headers, "large", -1, large, sizeof large);
    letter.value_length = 1;
    letter.key = large;
    letter.key_length = sizeof large;
    message = pass_on(*state, &letter);
    assert_int_equal(message->key_len, DEAD_LETTER_HEAD_BYTES);
    assert_header(message, DEAD_LETTER_TRUNCATED_FROM, "1");
    assert_header(message, DEAD_LETTER_TOPIC, "trades");
    assert_no_header(message, "large");
    rd_kafka_message_destroy(message);
    rd_kafka_headers_destroy(headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_never_was_a_letter_is_one_for_the_first_time),
        cmocka_unit_test(attempts_go_on_and_the_rest_is_replaced),
        cmocka_unit_test(what_no_broker_would_take_is_truncated),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
