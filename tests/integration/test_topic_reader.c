/* Reading a topic's state on the real Kafka of KAFKA_BOOTSTRAP_SERVERS. */
#include "io/topic_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shutdown.h"
#include "io/topic_admin.h"
#include "tests/support/test_topics.h"
#include "tests/support/unit_test.h"

enum { DEADLINE_MS = 30000 };

struct fixture {
    struct kafka_settings settings;
    const char *topic;
    struct topic_reader *reader;
    int records[3]; /* by partition, returned by poll */
    int64_t last_offset[3];
};

static int start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};

    test_topics_init(&fixture->settings, 3);
    if (topic_admin_ensure(&fixture->settings, &err) != 0)
        fail_msg("%s", err.message);
    fixture->topic = topic_name(&fixture->settings.topics, TOPIC_POSITIONS);
    fixture->reader = topic_reader_create(&fixture->settings, "test", fixture->topic, &err);
    assert_non_null(fixture->reader);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    topic_reader_destroy(fixture->reader);
    test_topics_clear(&fixture->settings);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, int32_t partition, int64_t offset)
{
    struct err err = {0};

    assert_int_equal(topic_reader_add(fixture->reader, partition, offset, &err), 0);
}

static void poll_once(struct fixture *fixture)
{
    rd_kafka_message_t *message = topic_reader_poll(fixture->reader, 50);

    if (!message)
        return;
    assert_in_range(message->partition, 0, 2);
    fixture->records[message->partition]++;
    fixture->last_offset[message->partition] = message->offset;
    rd_kafka_message_destroy(message);
}

static void catch_up(struct fixture *fixture, int32_t partition)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (!topic_reader_is_caught_up(fixture->reader, partition)) {
        assert_true(clock_monotonic_ms() < deadline_ms);
        poll_once(fixture);
    }
}

static void await_records(struct fixture *fixture, int32_t partition, int count)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

    while (fixture->records[partition] < count) {
        assert_true(clock_monotonic_ms() < deadline_ms);
        poll_once(fixture);
    }
}

static void being_caught_up_means_that_everything_was_returned(void **state)
{
    struct fixture *fixture = *state;

    test_topics_produce(&fixture->settings, fixture->topic, 1, 1000);
    add(fixture, 1, RD_KAFKA_OFFSET_BEGINNING);
    assert_false(topic_reader_is_caught_up(fixture->reader, 1));
    catch_up(fixture, 1);
    assert_int_equal(fixture->records[1], 1000);
}

static void an_empty_partition_is_caught_up_soon(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 0, RD_KAFKA_OFFSET_BEGINNING);
    catch_up(fixture, 0);
    assert_int_equal(fixture->records[0], 0);
    assert_false(topic_reader_is_caught_up(fixture->reader, 1)); /* not added */
}

/* Brokers hold a fetch of nothing for half a second unless told otherwise, and whoever takes over
 * an instrument waits for it. */
static void an_empty_partition_does_not_cost_the_usual_wait(void **state)
{
    enum { USUAL_WAIT_MS = 500 };
    struct fixture *fixture = *state;
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    int64_t took_ms = USUAL_WAIT_MS;

    while (took_ms >= USUAL_WAIT_MS) { /* a busy machine is late now and then */
        int64_t began_ms = clock_monotonic_ms();

        assert_true(began_ms < deadline_ms);
        add(fixture, 0, RD_KAFKA_OFFSET_BEGINNING);
        catch_up(fixture, 0);
        took_ms = clock_monotonic_ms() - began_ms;
    }
}

static void what_comes_later_is_followed(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 0, RD_KAFKA_OFFSET_BEGINNING);
    catch_up(fixture, 0);
    test_topics_produce(&fixture->settings, fixture->topic, 0, 10);
    await_records(fixture, 0, 10);
    assert_true(topic_reader_is_caught_up(fixture->reader, 0));
}

static void reading_begins_at_the_offset_asked_for(void **state)
{
    struct fixture *fixture = *state;

    test_topics_produce(&fixture->settings, fixture->topic, 0, 100);
    add(fixture, 0, 90);
    catch_up(fixture, 0);
    assert_int_equal(fixture->records[0], 10);
    add(fixture, 1, 5); /* beyond the end of an empty partition */
    catch_up(fixture, 1);
    assert_int_equal(fixture->records[1], 0);
}

static void adding_again_starts_over(void **state)
{
    struct fixture *fixture = *state;

    test_topics_produce(&fixture->settings, fixture->topic, 2, 100);
    add(fixture, 2, RD_KAFKA_OFFSET_BEGINNING);
    await_records(fixture, 2, 50);
    fixture->records[2] = 0;
    add(fixture, 2, RD_KAFKA_OFFSET_BEGINNING);
    catch_up(fixture, 2);
    assert_int_equal(fixture->records[2], 100);
    assert_int_equal(fixture->last_offset[2], 99);
}

static void a_removed_partition_is_silent_and_the_others_go_on(void **state)
{
    struct fixture *fixture = *state;

    test_topics_produce(&fixture->settings, fixture->topic, 0, 100);
    test_topics_produce(&fixture->settings, fixture->topic, 1, 100);
    add(fixture, 0, RD_KAFKA_OFFSET_BEGINNING);
    add(fixture, 1, RD_KAFKA_OFFSET_BEGINNING);
    await_records(fixture, 0, 1);
    topic_reader_remove(fixture->reader, 0);
    topic_reader_remove(fixture->reader, 0);
    fixture->records[0] = 0;
    catch_up(fixture, 1);
    assert_int_equal(fixture->records[1], 100);
    assert_int_equal(fixture->records[0], 0);
    assert_false(topic_reader_is_caught_up(fixture->reader, 0));
}

static void a_short_poll_interval_of_the_groups_is_none_of_the_readers_business(void **state)
{
    struct fixture *fixture = *state;
    struct kafka_settings settings = fixture->settings;
    struct kafka_property property = {"max.poll.interval.ms", "8000"};
    struct err err = {0};

    settings.properties = &property;
    settings.property_count = 1;
    struct topic_reader *reader = topic_reader_create(&settings, "test", fixture->topic, &err);
    assert_non_null(reader);
    topic_reader_destroy(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        TEST(being_caught_up_means_that_everything_was_returned),
        TEST(an_empty_partition_is_caught_up_soon),
        TEST(an_empty_partition_does_not_cost_the_usual_wait),
        TEST(what_comes_later_is_followed),
        TEST(reading_begins_at_the_offset_asked_for),
        TEST(adding_again_starts_over),
        TEST(a_removed_partition_is_silent_and_the_others_go_on),
        TEST(a_short_poll_interval_of_the_groups_is_none_of_the_readers_business),
    };

    shutdown_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
