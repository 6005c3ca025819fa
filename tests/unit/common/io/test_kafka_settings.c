#include "io/kafka_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/unit_test.h"

struct fixture {
    struct kafka_settings settings;
    struct config_problems problems;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    clearenv();
    fixture = (struct fixture){.settings = {.bootstrap_servers = (char *)"127.0.0.1:1"}};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    kafka_settings_clear_properties(&fixture->settings);
    config_problems_clear(&fixture->problems);
    return 0;
}

static void load(struct fixture *fixture)
{
    kafka_settings_load_properties(&fixture->settings, &fixture->problems);
}

static const char *value_of(const struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->settings.property_count; i++) {
        if (strcmp(fixture->settings.properties[i].name, name) == 0)
            return fixture->settings.properties[i].value;
    }
    return NULL;
}

static void assert_one_problem(const struct fixture *fixture, const char *text)
{
    assert_int_equal(fixture->problems.count, 1);
    if (!strstr(fixture->problems.lines[0], text))
        fail_msg("'%s' does not say '%s'", fixture->problems.lines[0], text);
}

/* Writes text to a new file; the path is the caller's to unlink and free. */
static char *write_file(const char *text)
{
    char *path = mem_strdup("/tmp/kafka_settings_XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void variables_become_librdkafka_properties(void **state)
{
    static const char *const cases[][3] = {
        {"KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "security.protocol"},
        {"KAFKA_SASL_MECHANISM", "PLAIN", "sasl.mechanism"},
        {"KAFKA_SSL_CA_LOCATION", "/etc/ca.pem", "ssl.ca.location"},
        {"KAFKA_QUEUE_BUFFERING_MAX_MS", "7", "queue.buffering.max.ms"},
        {"KAFKA_SASL_OAUTHBEARER_CONFIG", "principal=me", "sasl.oauthbearer.config"},
        {"KAFKA_REQUEST_TIMEOUT_MS", "9000", "request.timeout.ms"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        setenv(cases[i][0], cases[i][1], 1);
    load(fixture);
    assert_int_equal(fixture->problems.count, 0);
    assert_int_equal(fixture->settings.property_count, sizeof cases / sizeof cases[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *value = value_of(fixture, cases[i][2]);

        if (!value || strcmp(value, cases[i][1]) != 0)
            fail_msg("%s is %s", cases[i][2], value ? value : "unset");
    }
}

static void the_servers_and_empty_variables_are_no_properties(void **state)
{
    struct fixture *fixture = *state;

    setenv("KAFKA_BOOTSTRAP_SERVERS", "a:1", 1);
    setenv("KAFKA_NO_SUCH_THING", "", 1);
    setenv("KAFKAESQUE", "x", 1);
    load(fixture);
    assert_int_equal(fixture->problems.count, 0);
    assert_int_equal(fixture->settings.property_count, 0);
}

static void kubernetes_variables_are_ignored(void **state)
{
    static const char *const cases[][2] = {
        {"KAFKA_SERVICE_HOST", "10.0.0.1"},
        {"KAFKA_SERVICE_PORT", "9092"},
        {"KAFKA_SERVICE_PORT_CLIENT", "9092"},
        {"KAFKA_PORT", "tcp://10.0.0.1:9092"},
        {"KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"},
        {"KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1"},
        {"KAFKA_HEADLESS_PORT_9092_UDP_PROTO", "udp"},
        {"KAFKA_HEADLESS_SERVICE_HOST", "10.0.0.1"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        setenv(cases[i][0], cases[i][1], 1);
    load(fixture);
    assert_int_equal(fixture->problems.count, 0);
    assert_int_equal(fixture->settings.property_count, 0);
}

static void an_unknown_property_is_named_with_its_variable(void **state)
{
    struct fixture *fixture = *state;

    setenv("KAFKA_FOO_BAR", "1", 1);
    load(fixture);
    assert_one_problem(fixture, "KAFKA_FOO_BAR: librdkafka has no property foo.bar");
}

static void a_refused_value_is_reported_with_the_reason(void **state)
{
    struct fixture *fixture = *state;

    setenv("KAFKA_SECURITY_PROTOCOL", "carrier-pigeon", 1);
    load(fixture);
    assert_one_problem(fixture, "KAFKA_SECURITY_PROTOCOL: ");
    assert_non_null(strstr(fixture->problems.lines[0], "carrier-pigeon"));
    assert_int_equal(fixture->settings.property_count, 0);
}

static void every_mistake_is_reported(void **state)
{
    struct fixture *fixture = *state;

    setenv("KAFKA_FOO", "1", 1);
    setenv("KAFKA_LINGER_MS", "soon", 1);
    fixture->settings.topic_prefix = (char *)"no/slashes";
    load(fixture);
    assert_int_equal(fixture->problems.count, 3);
    assert_non_null(strstr(fixture->problems.lines[0], "KAFKA_FOO"));
    assert_non_null(strstr(fixture->problems.lines[1], "KAFKA_LINGER_MS"));
    assert_non_null(strstr(fixture->problems.lines[2], "TOPIC_PREFIX"));
}

static void a_secret_is_read_from_a_file_without_its_last_line_feed(void **state)
{
    struct fixture *fixture = *state;
    char *path = write_file("pass word \n");

    setenv("KAFKA_SASL_PASSWORD_FILE", path, 1);
    load(fixture);
    unlink(path);
    free(path);
    assert_int_equal(fixture->problems.count, 0);
    assert_string_equal(value_of(fixture, "sasl.password"), "pass word ");
}

static void a_property_set_directly_and_by_file_is_a_mistake(void **state)
{
    struct fixture *fixture = *state;
    char *path = write_file("b");

    setenv("KAFKA_SASL_PASSWORD", "a", 1);
    setenv("KAFKA_SASL_PASSWORD_FILE", path, 1);
    load(fixture);
    unlink(path);
    free(path);
    assert_one_problem(fixture, "KAFKA_SASL_PASSWORD_FILE: sasl.password is set twice");
}

static void a_file_that_cannot_be_read_is_a_mistake(void **state)
{
    struct fixture *fixture = *state;

    setenv("KAFKA_SASL_PASSWORD_FILE", "/nonexistent/secret", 1);
    load(fixture);
    assert_one_problem(fixture, "/nonexistent/secret");
}

static void an_unknown_property_by_file_is_named_without_file(void **state)
{
    struct fixture *fixture = *state;
    char *path = write_file("x");

    setenv("KAFKA_FOO_FILE", path, 1);
    load(fixture);
    unlink(path);
    free(path);
    assert_one_problem(fixture, "KAFKA_FOO_FILE: librdkafka has no property foo");
}

static void secret_values_are_never_repeated(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    setenv("KAFKA_SSL_KEY_PEM", "hunter2", 1);
    load(fixture);
    for (size_t i = 0; i < fixture->problems.count; i++)
        assert_null(strstr(fixture->problems.lines[i], "hunter2"));
    if (kafka_conf_set(conf, "ssl.key.pem", "hunter2", &err) != 0)
        assert_null(strstr(err.message, "hunter2"));
    rd_kafka_conf_destroy(conf);
}

static void assert_conf(const rd_kafka_conf_t *conf, const char *name, const char *expected)
{
    char value[256];
    size_t size = sizeof value;

    assert_int_equal(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
    assert_string_equal(value, expected);
}

static void the_users_properties_win_over_defaults_but_not_over_promises(void **state)
{
    static const struct kafka_property defaults[] = {
        {"linger.ms", "5"}, {"compression.type", "lz4"}, {0}};
    static const struct kafka_property promises[] = {{"acks", "all"}, {0}};
    const struct kafka_client_properties client = {defaults, promises};
    struct fixture *fixture = *state;
    struct err err = {0};
    rd_kafka_conf_t *conf;

    setenv("KAFKA_COMPRESSION_TYPE", "zstd", 1);
    setenv("KAFKA_ACKS", "0", 1);
    load(fixture);
    conf = kafka_settings_new_conf(&fixture->settings, "me", &client, &err);
    assert_non_null(conf);
    assert_conf(conf, "bootstrap.servers", "127.0.0.1:1");
    assert_conf(conf, "client.id", "me");
    assert_conf(conf, "linger.ms", "5");
    assert_conf(conf, "compression.type", "zstd");
    assert_conf(conf, "acks", "-1"); /* librdkafka's word for "all" */
    rd_kafka_conf_destroy(conf);
}

static void topic_names_carry_the_prefix_and_labels_do_not(void **state)
{
    struct fixture *fixture = *state;
    char *label;

    fixture->settings.topic_prefix = (char *)"test.";
    load(fixture);
    assert_string_equal(topic_name(&fixture->settings.topics, TOPIC_TRADES), "test.trades");
    label = kafka_settings_topic_label(&fixture->settings, "test.trades");
    assert_string_equal(label, "topic=\"trades\"");
    free(label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(variables_become_librdkafka_properties),
        TEST(the_servers_and_empty_variables_are_no_properties),
        TEST(kubernetes_variables_are_ignored),
        TEST(an_unknown_property_is_named_with_its_variable),
        TEST(a_refused_value_is_reported_with_the_reason),
        TEST(every_mistake_is_reported),
        TEST(a_secret_is_read_from_a_file_without_its_last_line_feed),
        TEST(a_property_set_directly_and_by_file_is_a_mistake),
        TEST(a_file_that_cannot_be_read_is_a_mistake),
        TEST(an_unknown_property_by_file_is_named_without_file),
        TEST(secret_values_are_never_repeated),
        TEST(the_users_properties_win_over_defaults_but_not_over_promises),
        TEST(topic_names_carry_the_prefix_and_labels_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
