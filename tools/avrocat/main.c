/*
 * avrocat: prints the records of an Avro topic.
 *
 *     Kafka → topic_reader → schema_cache (registry) → record_lines → stdout
 *
 * One thread, besides librdkafka's. Reads partitions outside any group, so nobody's offsets change.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "base/shutdown.h"
#include "codec/wire_format.h"
#include "io/http_client.h"
#include "io/kafka_settings.h"
#include "io/schema_cache.h"
#include "io/schema_registry.h"
#include "io/topic_lookup.h"
#include "io/topic_reader.h"
#include "options.h"
#include "record_lines.h"

enum {
    EXIT_NO_SUCH_TOPIC = 3,
    CONNECT_TIMEOUT_MS = 5000,
    IDLE_TURN_MS = 200,
    LINE_BYTES_MAX = 256 << 20,
    HEADERS_SHOWN_MAX = 64,
};

struct avrocat_config {
    struct kafka_settings kafka;
    struct schema_registry_settings registry;
};

static const struct setting settings[] = {
    KAFKA_SETTINGS(struct avrocat_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct avrocat_config, registry),
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* What the loop works with. */
struct session {
    const struct avrocat_options *options;
    struct topic_reader *reader;
    struct schema_cache *schemas;
    struct record_lines *lines;
    const char *topic; /* in full */
    int32_t first_partition, end_partition;
    struct buf out; /* the lines not yet written */
};

static void validate(void *config, struct config_problems *problems)
{
    kafka_settings_load_properties(&((struct avrocat_config *)config)->kafka, problems);
}

/* An offset beyond the end would make librdkafka start over at the beginning. */
static int find_start(struct topic_lookup *lookup, const struct session *session, int32_t partition,
                      int64_t *offset, struct err *err)
{
    int64_t end = 0;

    switch (session->options->start_at) {
    case START_AT_BEGINNING:
        *offset = RD_KAFKA_OFFSET_BEGINNING;
        break;
    case START_AT_END:
        *offset = RD_KAFKA_OFFSET_END;
        break;
    case START_AT_BEFORE_END:
        *offset = RD_KAFKA_OFFSET_TAIL(session->options->offset);
        break;
    case START_AT_OFFSET:
        if (topic_lookup_end(lookup, session->topic, partition, CONNECT_TIMEOUT_MS, &end, err) != 0)
            return -1;
        *offset = session->options->offset < end ? session->options->offset : end;
        break;
    }
    return 0;
}

static int choose_partitions(struct topic_lookup *lookup, struct session *session, struct err *err)
{
    int32_t wanted = session->options->partition;
    int32_t count = 0;

    if (topic_lookup_partitions(lookup, session->topic, CONNECT_TIMEOUT_MS, &count, err) != 0)
        return -1;
    if (wanted >= count)
        return err_set(err, ERR_NOT_FOUND, "topic %s has partitions 0 to %d, not %d",
                       session->topic, count - 1, wanted);
    session->first_partition = wanted < 0 ? 0 : wanted;
    session->end_partition = wanted < 0 ? count : wanted + 1;
    return 0;
}

static int open_partitions(struct session *session, const struct kafka_settings *kafka,
                           struct err *err)
{
    struct topic_lookup *lookup = topic_lookup_create(kafka, "avrocat", err);
    int64_t offset = 0;
    int status = -1;

    if (!lookup || choose_partitions(lookup, session, err) != 0)
        goto out;
    session->reader = topic_reader_create(kafka, "avrocat", session->topic, err);
    if (!session->reader)
        goto out;
    for (int32_t i = session->first_partition; i < session->end_partition; i++)
        if (find_start(lookup, session, i, &offset, err) != 0 ||
            topic_reader_add(session->reader, i, offset, err) != 0)
            goto out;
    status = 0;
out:
    topic_lookup_destroy(lookup);
    return status;
}

static bool is_at_end(const struct session *session)
{
    for (int32_t i = session->first_partition; i < session->end_partition; i++)
        if (!topic_reader_is_caught_up(session->reader, i))
            return false;
    return true;
}

/* Finds out how the value is to be read. Fails only when the registry cannot be asked. */
static int prepare_value(struct session *session, struct shown_record *record, struct err *reason)
{
    const uint8_t *avro = NULL;
    size_t avro_length = 0;
    int32_t schema_id = 0;

    if (session->options->is_raw) {
        record->kind = SHOWN_RAW;
        return 0;
    }
    if (!record->value)
        return 0;
    record->kind = SHOWN_UNDECODABLE;
    record->reason = reason->message;
    if (wire_format_read(record->value, record->value_length, &schema_id, &avro, &avro_length,
                         reason) != 0)
        return 0;
    record->type = schema_cache_get(session->schemas, schema_id, reason);
    if (!record->type) {
        (void)err_wrap(reason, "schema %" PRId32, schema_id);
        return reason->retriable ? -1 : 0;
    }
    record->kind = SHOWN_AVRO;
    record->value = avro;
    record->value_length = avro_length;
    return 0;
}

static size_t read_headers(const rd_kafka_message_t *message,
                           struct shown_header headers[HEADERS_SHOWN_MAX])
{
    rd_kafka_headers_t *list = NULL;
    size_t count = 0;

    if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    while (count < HEADERS_SHOWN_MAX &&
           rd_kafka_header_get_all(list, count, &headers[count].name, &headers[count].value,
                                   &headers[count].length) == RD_KAFKA_RESP_ERR_NO_ERROR)
        count++;
    return count;
}

/* Appends the line of one message to session->out. Fails only when the registry cannot be asked. */
static int show(struct session *session, const rd_kafka_message_t *message, struct err *err)
{
    struct shown_header headers[HEADERS_SHOWN_MAX];
    rd_kafka_timestamp_type_t timestamp_type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    struct shown_record record = {
        .topic = session->topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, &timestamp_type),
        .key = message->key,
        .key_length = message->key_len,
        .headers = headers,
        .header_count = read_headers(message, headers),
        .value = message->payload,
        .value_length = message->len,
    };
    struct err reason = {0};
    struct err line_err = {0};

    if (prepare_value(session, &record, &reason) != 0) {
        *err = reason;
        return -1;
    }
    if (record_lines_append(session->lines, &session->out, &record, &line_err) != 0)
        fprintf(stderr, "avrocat: %s partition %" PRId32 " offset %" PRId64 ": %s\n",
                session->topic, message->partition, message->offset, line_err.message);
    return 0;
}

/* Writes the lines out. ERR_STOPPED when nobody reads them any more. */
static int write_out(struct session *session, struct err *err)
{
    size_t written = 0;

    while (written < session->out.length) {
        ssize_t count =
            write(STDOUT_FILENO, session->out.data + written, session->out.length - written);
        if (count < 0 && errno == EINTR && !shutdown_requested())
            continue;
        if (count < 0 && (errno == EPIPE || errno == EINTR))
            return err_set(err, ERR_STOPPED, "standard output is closed");
        if (count < 0)
            return err_set_errno(err, "write to standard output");
        written += (size_t)count;
    }
    buf_reset(&session->out);
    return 0;
}

/* So that "avrocat | head" ends on a quiet topic too. */
static bool is_reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

/* Lines are written out whenever nothing more is at hand, and at the latest at this size. */
enum { WRITE_BYTES = 64 << 10 };

static int run(struct session *session, struct err *err)
{
    int64_t left = session->options->count_max;

    while (left != 0 && !shutdown_requested()) {
        rd_kafka_message_t *message = topic_reader_poll(session->reader, 0);
        int status = 0;

        if (!message) {
            if (write_out(session, err) != 0)
                return -1;
            if ((session->options->ends_at_end && is_at_end(session)) || is_reader_gone())
                return 0;
            message = topic_reader_poll(session->reader, IDLE_TURN_MS);
        }
        if (!message)
            continue;
        status = show(session, message, err);
        rd_kafka_message_destroy(message);
        if (status != 0)
            return -1;
        if (left > 0)
            left--;
        if (session->out.length >= WRITE_BYTES && write_out(session, err) != 0)
            return -1;
    }
    return write_out(session, err);
}

static int exit_status(const struct err *err)
{
    if (err->code == ERR_STOPPED)
        return PROGRAM_EXIT_OK;
    fprintf(stderr, "avrocat: %s\n", err->message);
    switch (err->code) {
    case ERR_NOT_FOUND:
        return EXIT_NO_SUCH_TOPIC;
    case ERR_CONFIG:
        return PROGRAM_EXIT_CONFIG;
    default:
        return PROGRAM_EXIT_FAILURE;
    }
}

static int read_topic(const struct avrocat_config *config, struct avrocat_options *options)
{
    struct session session = {.options = options};
    struct schema_registry *registry = NULL;
    struct err err = {0};
    int status = PROGRAM_EXIT_OK;

    session.topic = topic_full_name(&config->kafka.topics, options->topic);
    if (topic_from_name(&config->kafka.topics, session.topic) == TOPIC_DEAD_LETTERS)
        options->is_raw = true;
    buf_init(&session.out, LINE_BYTES_MAX);
    session.lines = record_lines_create(options->format, options->value_only);
    registry = schema_registry_create(&config->registry, &err);
    if (!registry)
        goto out;
    session.schemas = schema_cache_create(registry);
    if (open_partitions(&session, &config->kafka, &err) != 0)
        goto out;
    if (run(&session, &err) != 0) {
        struct err ignored = {0};
        if (err.code != ERR_STOPPED && err.code != ERR_SYSTEM)
            (void)!write_out(&session, &ignored); /* what was read before the failure */
    }
out:
    if (err.code != ERR_NONE)
        status = exit_status(&err);
    topic_reader_destroy(session.reader);
    schema_cache_destroy(session.schemas);
    schema_registry_destroy(registry);
    record_lines_destroy(session.lines);
    buf_clear(&session.out);
    return status;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "avrocat",
        .summary = "prints the records of an Avro topic as JSON or CSV",
        .actions = avrocat_options_help,
        .settings = settings,
        .setting_count = SETTING_COUNT,
        .validate = validate,
    };
    struct avrocat_options options = {0};
    struct avrocat_config config = {0};
    struct err err = {0};
    int status = 0;

    if (avrocat_options_parse(argc, argv, &options, &err) != 0)
        return exit_status(&err);
    status = program_start(&program, options.action ? 2 : 1,
                           (char *[]){argv[0], (char *)options.action, NULL}, &config);
    if (status == -1) {
        log_configure("avrocat", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
        shutdown_install();
        http_client_global_init();
        status = read_topic(&config, &options);
        env_config_clear(settings, SETTING_COUNT, &config);
    }
    kafka_settings_clear_properties(&config.kafka);
    return status;
}
