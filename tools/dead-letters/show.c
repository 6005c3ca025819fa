#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/avro_cursor.h"
#include "codec/value_text.h"
#include "codec/wire_format.h"
#include "io/record_reader.h"
#include "io/schema_cache.h"
#include "letter_index.h"
#include "letter_text.h"

enum { TEXT_BYTES_MAX = 64 << 20 };

struct listing {
    const struct dead_letters_options *options;
    const struct letter_index *index;
    struct buf line;
};

static int check_output(bool is_good, struct err *err)
{
    if (is_good)
        return 0;
    if (errno == EPIPE)
        return err_set(err, ERR_STOPPED, "standard output is closed");
    return err_set_errno(err, "write to standard output");
}

static int print(struct buf *text, struct err *err)
{
    size_t written = fwrite(text->data ? text->data : "", 1, text->length, stdout);
    int status = check_output(written == text->length, err);

    buf_reset(text);
    return status;
}

static int print_letter(const rd_kafka_message_t *message, void *context, struct err *err)
{
    struct listing *listing = context;
    struct letter_position position = {message->partition, message->offset};
    const struct letter_entry *entry = letter_index_find(listing->index, position);
    struct letter letter;

    if (!entry || !entry->is_chosen ||
        (entry->state != LETTER_OPEN && !listing->options->shows_settled))
        return 0;
    letter_read(message, &letter);
    if (listing->options->is_json) {
        letter_text_append_json(&listing->line, &letter, entry->state, NULL, NULL);
        (void)buf_append_char(&listing->line, '\n');
    } else {
        letter_text_append_line(&listing->line, &letter, entry->state);
    }
    return print(&listing->line, err);
}

int show_list(struct letter_topic *letters, const struct kafka_settings *settings,
              const struct dead_letters_options *options, struct err *err)
{
    struct letter_filter filter = options->filter;
    struct letter_index index = {0};
    struct listing listing = {.options = options, .index = &index};
    int status = -1;

    buf_init(&listing.line, TEXT_BYTES_MAX);
    if (filter.topic)
        filter.topic = topic_full_name(&settings->topics, filter.topic);
    if (letter_index_load(&index, letters, &filter, err) != 0)
        goto out;
    if (!options->is_json)
        letter_text_append_heading(&listing.line);
    if (print(&listing.line, err) == 0)
        status = letter_topic_scan(letters, print_letter, &listing, err);
    if (status == 0)
        status = check_output(fflush(stdout) == 0, err);
out:
    letter_index_clear(&index);
    buf_clear(&listing.line);
    return status;
}

/* As far as the value can be decoded with its writer's schema. */
static void decode(struct schema_cache *schemas, const struct letter *letter,
                   struct letter_value *value)
{
    const struct schema_node *type = NULL;
    const uint8_t *avro = NULL;
    size_t length = 0;
    int32_t schema_id = 0;
    struct avro_cursor cursor;

    if (!letter->value)
        return;
    if (wire_format_read(letter->value, letter->value_length, &schema_id, &avro, &length,
                         &value->fault) != 0)
        return;
    value->schema_id = schema_id;
    type = schema_cache_get(schemas, schema_id, &value->fault);
    if (!type)
        return;
    value->schema = type->full_name;
    cursor = avro_cursor_of(avro, length);
    if (value_text_append(&value->json, &cursor, type, VALUE_STYLE_JSON, &value->fault) == 0 &&
        cursor.at != cursor.end)
        (void)err_set(&value->fault, ERR_PROTOCOL, "%zu bytes behind the value",
                      (size_t)(cursor.end - cursor.at));
}

/* Why the services could not read the value now; ERR_NONE when they could. */
static struct err find_fault(struct schema_registry *registry, const struct letter *letter,
                             enum topic topic)
{
    enum record_kind kind = topic_record_kind(topic);
    struct record_reader *reader = NULL;
    struct err fault = {0};
    void *record = NULL;

    if (kind == RECORD_KIND_COUNT)
        return fault;
    reader = record_reader_create(registry);
    record = mem_calloc(1, avro_record_bytes(kind));
    if (record_reader_read(reader, kind, letter->value, letter->value_length, record, &fault) == 0)
        avro_record_clear(kind, record);
    free(record);
    record_reader_destroy(reader);
    return fault;
}

static int explain(const struct letter *letter, const struct letter_entry *entry,
                   const struct kafka_settings *settings, struct schema_registry *registry,
                   bool is_json, struct err *err)
{
    struct schema_cache *schemas = schema_cache_create(registry);
    enum topic topic = topic_from_name(&settings->topics, letter->source_topic);
    struct letter_value value = {.schema_id = -1};
    struct advice advice;
    struct buf text;
    int status = 0;

    buf_init(&value.json, TEXT_BYTES_MAX);
    buf_init(&text, TEXT_BYTES_MAX);
    decode(schemas, letter, &value);
    struct err fault = find_fault(registry, letter, topic);
    advice_give(letter, entry->state, topic != TOPIC_COUNT, &fault, &advice);
    if (is_json) {
        letter_text_append_json(&text, letter, entry->state, &value, &advice);
        (void)buf_append_char(&text, '\n');
    } else {
        letter_text_append_explanation(&text, letter, entry->state, &value, &advice);
    }
    status = print(&text, err);
    if (status == 0 && fault.retriable) {
        *err = fault;
        status = -1; /* the rest is told all the same */
    }
    buf_clear(&text);
    buf_clear(&value.json);
    schema_cache_destroy(schemas);
    return status;
}

int show_explanation(struct letter_topic *letters, const struct kafka_settings *settings,
                     struct schema_registry *registry, const struct dead_letters_options *options,
                     struct err *err)
{
    static const struct letter_filter any = {0};
    struct letter_position position = options->positions[0];
    rd_kafka_message_t *message = letter_topic_get(letters, position, err);
    struct letter_index index = {0};
    struct letter letter;
    int status = -1;

    if (!message)
        return -1;
    letter_read(message, &letter);
    if (letter.kind == LETTER_MARK) {
        char text[LETTER_POSITION_BYTES];

        letter_position_format(letter.settles, text);
        (void)err_set(err, ERR_NOT_FOUND, "it is no letter, but the mark that letter %s is %s",
                      text, letter_state_name(letter.outcome));
    } else if (letter_index_load(&index, letters, &any, err) == 0) {
        status = explain(&letter, letter_index_find(&index, position), settings, registry,
                         options->is_json, err);
    }
    letter_index_clear(&index);
    rd_kafka_message_destroy(message);
    return status;
}
