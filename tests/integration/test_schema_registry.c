/* schema_registry, record_writer's subjects and record_reader against the real registry at
 * SCHEMA_REGISTRY_URL. */
#include "io/schema_registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/wire_format.h"
#include "domain/trade.h"
#include "io/http_client.h"
#include "io/record_reader.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

enum { SUBJECT_BYTES = 128, THREADS = 6 };

static char run_name[64]; /* subjects of this run only */

static struct schema_registry *connect_registry(void)
{
    const struct schema_registry_settings settings = {.url = getenv("SCHEMA_REGISTRY_URL")};
    struct err err = {0};
    struct schema_registry *registry = schema_registry_create(&settings, &err);

    if (!registry)
        fail_msg("%s", err.message);
    return registry;
}

static void name_subject(char subject[SUBJECT_BYTES], const char *topic)
{
    snprintf(subject, SUBJECT_BYTES, "%s.%s-value", run_name, topic);
}

static int32_t register_text(struct schema_registry *registry, const char *subject,
                             const char *schema)
{
    struct err err = {0};
    int32_t id = 0;

    if (schema_registry_register(registry, subject, text_view_of(schema), &id, &err) != 0)
        fail_msg("%s: %s", subject, err.message);
    return id;
}

static void our_schemas_come_back_by_id_and_read_what_we_wrote(void **state)
{
    struct schema_registry *writer = connect_registry(), *reader = connect_registry();
    struct record_reader *records = record_reader_create(reader);
    struct buf value = {0}, again = {0};
    uint64_t seed = 11;

    (void)state;
    buf_init(&value, 1 << 20);
    buf_init(&again, 1 << 20);
    for (enum record_kind kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        void *record = mem_calloc(1, avro_record_bytes(kind));
        void *copy = mem_calloc(1, avro_record_bytes(kind));
        char subject[SUBJECT_BYTES], topic[16];
        uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];
        struct err err = {0};

        snprintf(topic, sizeof topic, "kind%d", kind);
        name_subject(subject, topic);
        wire_format_write(prefix, register_text(writer, subject, schema_text(kind).data));
        random_record_fill(kind, &seed, record);
        buf_reset(&value);
        buf_reset(&again);
        assert_int_equal(buf_append(&value, prefix, sizeof prefix), 0);
        assert_int_equal(avro_encode(kind, record, &value, &err), 0);
        if (record_reader_read(records, kind, value.data, value.length, copy, &err) != 0)
            fail_msg("%s: %s", subject, err.message);
        assert_int_equal(buf_append(&again, prefix, sizeof prefix), 0);
        assert_int_equal(avro_encode(kind, copy, &again, &err), 0);
        assert_int_equal(again.length, value.length);
        assert_memory_equal(again.data, value.data, value.length);
        avro_record_clear(kind, record);
        avro_record_clear(kind, copy);
        free(record);
        free(copy);
    }
    buf_clear(&again);
    buf_clear(&value);
    record_reader_destroy(records);
    schema_registry_destroy(reader);
    schema_registry_destroy(writer);
}

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD_A        "{\"name\":\"a\",\"type\":\"long\"}"

static void the_same_text_has_the_same_id_and_compatibility_is_kept(void **state)
{
    struct schema_registry *registry = connect_registry();
    char subject[SUBJECT_BYTES];
    struct err err = {0};
    int32_t first = 0, other = 42;

    (void)state;
    name_subject(subject, "evolving");
    first = register_text(registry, subject, RECORD(FIELD_A));
    assert_int_equal(register_text(registry, subject, RECORD(FIELD_A)), first);
    assert_int_not_equal(
        register_text(
            registry, subject,
            RECORD(FIELD_A ",{\"name\":\"b\",\"type\":[\"null\",\"long\"],\"default\":null}")),
        first);
    assert_int_equal(schema_registry_register(
                         registry, subject,
                         text_view_of(RECORD(FIELD_A ",{\"name\":\"c\",\"type\":\"long\"}")),
                         &other, &err),
                     -1);
    print_message("%s\n", err.message);
    assert_int_equal(err.code, ERR_REMOTE);
    assert_false(err.retriable);
    assert_int_equal(other, 42);
    schema_registry_destroy(registry);
}

static void an_id_that_nobody_registered_is_not_found(void **state)
{
    struct schema_registry *registry = connect_registry();
    struct text_view schema = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(schema_registry_get(registry, INT32_MAX, &schema, &err), -1);
    print_message("%s\n", err.message);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(err.retriable);
    schema_registry_destroy(registry);
}

struct registration {
    pthread_t thread;
    const char *subject;
    int32_t id;
    struct err err;
    int attempts;
};

static void *register_until_accepted(void *context)
{
    struct registration *registration = context;
    struct schema_registry *registry = connect_registry();
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    int status = -1;

    do {
        registration->attempts++;
        status =
            schema_registry_register(registry, registration->subject, schema_text(RECORD_TRADE),
                                     &registration->id, &registration->err);
    } while (status != 0 && registration->err.retriable && clock_monotonic_ms() < deadline_ms);
    schema_registry_destroy(registry);
    return NULL;
}

/* All services start at the same moment. */
static void services_that_register_at_once_agree_on_the_id(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct registration registrations[THREADS] = {0};
        char subject[SUBJECT_BYTES], topic[16];

        snprintf(topic, sizeof topic, "race%d", round);
        name_subject(subject, topic);
        for (int i = 0; i < THREADS; i++) {
            registrations[i].subject = subject;
            assert_int_equal(pthread_create(&registrations[i].thread, NULL, register_until_accepted,
                                            &registrations[i]),
                             0);
        }
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(registrations[i].thread, NULL), 0);
        for (int i = 0; i < THREADS; i++) {
            if (registrations[i].id == 0)
                fail_msg("round %d: %s", round, registrations[i].err.message);
            if (registrations[i].attempts > 1)
                print_message("%d attempts: %s\n", registrations[i].attempts,
                              registrations[i].err.message);
            assert_int_equal(registrations[i].id, registrations[0].id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_schemas_come_back_by_id_and_read_what_we_wrote),
        cmocka_unit_test(the_same_text_has_the_same_id_and_compatibility_is_kept),
        cmocka_unit_test(an_id_that_nobody_registered_is_not_found),
        cmocka_unit_test(services_that_register_at_once_agree_on_the_id),
    };
    http_client_global_init();
    snprintf(run_name, sizeof run_name, "t%d-%lld", (int)getpid(), (long long)clock_wall_ms());
    return cmocka_run_group_tests_name("schema_registry (real)", tests, NULL, NULL);
}
