#include "settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/shutdown.h"
#include "codec/avro_codec.h"
#include "io/record_reader.h"
#include "io/topic_lookup.h"
#include "letter_index.h"
#include "newest_keys.h"
#include "put_back.h"
#include "replacement.h"

enum { CONNECT_TIMEOUT_MS = 5000 };

/* A partition of a compacted topic that was looked at. */
struct known_keys {
    enum topic topic;
    int32_t partition;
    struct newest_keys *keys;
};

struct session {
    struct letter_topic *letters;
    const struct kafka_settings *settings;
    struct schema_registry *registry;
    const struct dead_letters_options *options;
    struct letter_index index;
    struct put_back *put_back;
    struct record_reader *reader;
    struct topic_lookup *lookup;
    bool is_there[TOPIC_COUNT]; /* topics that were seen to exist */
    struct known_keys *known;
    size_t known_count;
    struct buf file; /* as it was given */
    struct buf replacement;
    int left_alone;
};

static bool is_retry(const struct session *session)
{
    return session->options->verb == VERB_RETRY;
}

/* --- choosing -----------------------------------------------------------------------------------
 */

static int choose_positions(struct session *session, struct err *err)
{
    for (size_t i = 0; i < session->index.count; i++)
        session->index.entries[i].is_chosen = false;
    for (size_t i = 0; i < session->options->position_count; i++) {
        struct letter_position position = session->options->positions[i];
        struct letter_entry *entry = letter_index_find(&session->index, position);
        char text[LETTER_POSITION_BYTES];

        letter_position_format(position, text);
        if (!entry)
            return err_set(err, ERR_NOT_FOUND, "there is no letter %s", text);
        entry->is_chosen = true;
    }
    return 0;
}

static void choose_open(struct session *session)
{
    int64_t attempts_max = session->options->attempts_max;
    size_t too_often = 0;

    for (size_t i = 0; i < session->index.count; i++) {
        struct letter_entry *entry = &session->index.entries[i];

        entry->is_chosen = entry->is_chosen && entry->state == LETTER_OPEN;
        if (entry->is_chosen && is_retry(session) && entry->attempts > attempts_max) {
            entry->is_chosen = false;
            too_often++;
        }
    }
    if (too_often > 0)
        fprintf(stderr,
                "dead-letters: %zu left alone: they were letters more than %" PRId64
                " times (--attempts-max)\n",
                too_often, attempts_max);
}

static size_t count_chosen(const struct letter_index *index)
{
    size_t count = 0;

    for (size_t i = 0; i < index->count; i++)
        count += index->entries[i].is_chosen;
    return count;
}

/* Errors: ERR_CONFIG when there is nobody to ask; ERR_STOPPED when the answer is no. */
static int ask(const struct session *session, size_t count, struct err *err)
{
    char answer[16] = "";

    if (!session->options->all || session->options->is_confirmed || session->options->is_dry_run)
        return 0;
    if (!isatty(STDIN_FILENO))
        return err_set(err, ERR_CONFIG,
                       "%zu letters would be %s; say -y, since there is no terminal to ask at",
                       count, is_retry(session) ? "put back" : "dismissed");
    fprintf(stderr, "%s %zu letters? [y/N] ", is_retry(session) ? "Put back" : "Dismiss", count);
    if (!fgets(answer, sizeof answer, stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(err, ERR_STOPPED, "nothing was done");
    return 0;
}

/* --- judging ------------------------------------------------------------------------------------
 */

static const struct newest_keys *keys_of(struct session *session, enum topic topic,
                                         int32_t partition, struct err *err)
{
    struct newest_keys *keys = NULL;

    for (size_t i = 0; i < session->known_count; i++)
        if (session->known[i].topic == topic && session->known[i].partition == partition)
            return session->known[i].keys;
    keys = newest_keys_load(session->settings, topic_name(&session->settings->topics, topic),
                            partition, err);
    if (!keys)
        return NULL;
    session->known =
        mem_realloc_array(session->known, session->known_count + 1, sizeof *session->known);
    session->known[session->known_count++] = (struct known_keys){topic, partition, keys};
    return keys;
}

/* In a compacted topic the last record of a key is its state. */
static int check_newest(struct session *session, const struct letter *letter, enum topic topic,
                        struct err *err)
{
    const struct newest_keys *keys = NULL;
    int64_t newest = -1;

    if (!topic_is_compacted(topic) || !letter->key || letter->source_partition < 0)
        return 0;
    keys = keys_of(session, topic, letter->source_partition, err);
    if (!keys) {
        err->retriable = true;
        return -1;
    }
    newest = newest_keys_find(keys, letter->key, letter->key_length);
    if (newest <= letter->source_offset)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "its key has a newer state at %.100s %" PRId32 ":%" PRId64
                   ", which it would replace (--force, or dismiss it)",
                   letter->source_topic, letter->source_partition, newest);
}

static int check_value(struct session *session, const void *value, size_t length, enum topic topic,
                       struct err *err)
{
    enum record_kind kind = topic_record_kind(topic);
    void *record = mem_calloc(1, avro_record_bytes(kind));
    int status = record_reader_read(session->reader, kind, value, length, record, err);

    if (status == 0)
        avro_record_clear(kind, record);
    else if (!err->retriable)
        (void)err_wrap(err, "it would fail again (--json FILE corrects it, --force does it)");
    free(record);
    return status;
}

static int check_topic(struct session *session, enum topic topic, struct err *err)
{
    int32_t partitions = 0;

    if (session->is_there[topic])
        return 0;
    if (topic_lookup_partitions(session->lookup, topic_name(&session->settings->topics, topic),
                                CONNECT_TIMEOUT_MS, &partitions, err) != 0) {
        err->retriable = true;
        return -1;
    }
    session->is_there[topic] = true;
    return 0;
}

/* Where the letter's record belongs. Errors: ERR_UNSUPPORTED. */
static int find_source(const struct session *session, const struct letter *letter,
                       enum topic *topic, struct err *err)
{
    if (letter->kind == LETTER_OF_OKX)
        return err_set(
            err, ERR_UNSUPPORTED,
            "cannot be put back: a frame or row of %s never was a record. Its trades are "
            "fetched over REST (see trade_gaps); dismiss marks it as dealt with",
            letter->source_topic);
    if (letter->kind != LETTER_OF_RECORD)
        return err_set(err, ERR_UNSUPPORTED,
                       "cannot be put back: no header says where it came from");
    *topic = topic_from_name(&session->settings->topics, letter->source_topic);
    if (*topic == TOPIC_COUNT || *topic == TOPIC_DEAD_LETTERS)
        return err_set(err, ERR_UNSUPPORTED,
                       "cannot be put back: %.150s is no topic of ours with TOPIC_PREFIX '%.60s'",
                       letter->source_topic,
                       session->settings->topic_prefix ? session->settings->topic_prefix : "");
    return 0;
}

static int check_open(const struct session *session, const struct letter_entry *entry,
                      struct err *err)
{
    if (entry->state == LETTER_OPEN || session->options->is_forced)
        return 0;
    return err_set(err, ERR_UNSUPPORTED, "is %s already",
                   entry->state == LETTER_PUT_BACK ? "put back" : "dismissed");
}

/* The value that goes back; with a replacement that one, encoded for the topic. */
static int choose_value(struct session *session, const struct letter *letter, enum topic topic,
                        const void **value, size_t *length, struct err *err)
{
    const struct dead_letters_options *options = session->options;
    struct text_view json = {session->file.data, session->file.length};

    *value = letter->value;
    *length = letter->value_length;
    buf_reset(&session->replacement);
    if (!options->json_file && !options->value_file && letter->truncated_from >= 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "cannot be put back as it is: of %lld bytes only the beginning is here "
                       "(--json FILE corrects it)",
                       (long long)letter->truncated_from);
    if (!options->json_file && !options->value_file)
        return 0;
    if (options->value_file)
        (void)buf_append(&session->replacement, session->file.data, session->file.length);
    else if (replacement_encode(json, topic, session->settings, session->registry,
                                &session->replacement, err) != 0) {
        err->retriable = true; /* asked for this one, so it ends the run */
        return -1;
    }
    *value = session->replacement.length > 0 ? session->replacement.data : "";
    *length = session->replacement.length;
    return 0;
}

/* --- doing --------------------------------------------------------------------------------------
 */

static void report(const struct put_back_result *result, void *context)
{
    struct session *session = context;
    char position[LETTER_POSITION_BYTES];

    letter_position_format(result->position, position);
    if (result->reason.code != ERR_NONE) {
        session->left_alone++;
        fprintf(stderr, "dead-letters: %s: %s\n", position, result->reason.message);
    } else if (result->state == LETTER_DISMISSED) {
        printf("%s dismissed\n", position);
    } else {
        printf("%s put back: %s %" PRId32 ":%" PRId64 "\n", position,
               topic_name(&session->settings->topics, result->topic), result->partition,
               result->offset);
    }
}

static int retry(struct session *session, const struct letter *letter, struct err *err)
{
    bool is_checked = !session->options->is_forced;
    const void *value = NULL;
    size_t length = 0;
    enum topic topic = TOPIC_COUNT;

    if (find_source(session, letter, &topic, err) != 0 || check_topic(session, topic, err) != 0 ||
        choose_value(session, letter, topic, &value, &length, err) != 0)
        return -1;
    if (is_checked && (check_value(session, value, length, topic, err) != 0 ||
                       check_newest(session, letter, topic, err) != 0))
        return -1;
    if (!session->options->is_dry_run)
        return put_back_send(session->put_back, letter, topic, value, length, err);
    char position[LETTER_POSITION_BYTES];
    letter_position_format(letter->position, position);
    printf("%s would be put back on %s\n", position, letter->source_topic);
    return 0;
}

static int dismiss(struct session *session, const struct letter *letter, struct err *err)
{
    char position[LETTER_POSITION_BYTES];

    if (!session->options->is_dry_run)
        return put_back_dismiss(session->put_back, letter, err);
    letter_position_format(letter->position, position);
    printf("%s would be dismissed\n", position);
    return 0;
}

/* Fails only for what ends the run; a letter that cannot be dealt with is left alone. */
static int handle(const rd_kafka_message_t *message, void *context, struct err *err)
{
    struct session *session = context;
    struct letter_position position = {message->partition, message->offset};
    struct letter_entry *entry = letter_index_find(&session->index, position);
    int (*act)(struct session *, const struct letter *, struct err *) =
        is_retry(session) ? retry : dismiss;
    char text[LETTER_POSITION_BYTES];
    struct letter letter;
    struct err reason = {0};

    if (!entry || !entry->is_chosen)
        return 0;
    entry->is_chosen = false; /* once, however often its position was given */
    letter_read(message, &letter);
    if (check_open(session, entry, &reason) == 0 && act(session, &letter, &reason) == 0)
        return 0;
    if (reason.code == ERR_FULL) { /* the batch, or the producer's queue */
        if (put_back_finish(session->put_back, report, session, err) != 0)
            return -1;
        reason = (struct err){0};
        if (act(session, &letter, &reason) == 0)
            return 0;
    }
    letter_position_format(position, text);
    if (reason.retriable) {
        *err = reason;
        return err_wrap(err, "%s", text);
    }
    session->left_alone++;
    fprintf(stderr, "dead-letters: %s: %s\n", text, reason.message);
    return 0;
}

static int handle_positions(struct session *session, struct err *err)
{
    for (size_t i = 0; i < session->options->position_count; i++) {
        rd_kafka_message_t *message =
            letter_topic_get(session->letters, session->options->positions[i], err);
        int status = message ? handle(message, session, err) : -1;

        if (message)
            rd_kafka_message_destroy(message);
        if (status != 0)
            return -1;
    }
    return 0;
}

static int handle_chosen(struct session *session, struct err *err)
{
    struct err ignored = {0};
    int status = session->options->all ? letter_topic_scan(session->letters, handle, session, err)
                                       : handle_positions(session, err);

    if (!session->options->is_dry_run &&
        put_back_finish(session->put_back, report, session, status == 0 ? err : &ignored) != 0)
        return -1;
    return status;
}

static int prepare(struct session *session, struct err *err)
{
    const struct dead_letters_options *options = session->options;
    const char *file = options->json_file ? options->json_file : options->value_file;

    buf_init(&session->file, REPLACEMENT_BYTES_MAX);
    buf_init(&session->replacement, REPLACEMENT_BYTES_MAX);
    if (file && replacement_read_file(file, &session->file, err) != 0)
        return -1;
    session->reader = record_reader_create(session->registry);
    session->lookup = topic_lookup_create(session->settings, "dead-letters", err);
    if (!session->lookup)
        return -1;
    session->put_back = put_back_create(session->settings, err);
    return session->put_back ? 0 : -1;
}

static void clear(struct session *session)
{
    put_back_destroy(session->put_back);
    topic_lookup_destroy(session->lookup);
    record_reader_destroy(session->reader);
    for (size_t i = 0; i < session->known_count; i++)
        newest_keys_destroy(session->known[i].keys);
    free(session->known);
    letter_index_clear(&session->index);
    buf_clear(&session->file);
    buf_clear(&session->replacement);
}

static int choose(struct session *session, struct err *err)
{
    struct letter_filter filter = session->options->filter;

    if (filter.topic)
        filter.topic = topic_full_name(&session->settings->topics, filter.topic);
    if (letter_index_load(&session->index, session->letters, &filter, err) != 0)
        return -1;
    if (!session->options->all)
        return choose_positions(session, err);
    choose_open(session);
    return 0;
}

int settle_letters(struct letter_topic *letters, const struct kafka_settings *settings,
                   struct schema_registry *registry, const struct dead_letters_options *options,
                   struct err *err)
{
    struct session session = {
        .letters = letters,
        .settings = settings,
        .registry = registry,
        .options = options,
    };
    int status = -1;
    size_t count = 0;

    if (choose(&session, err) != 0)
        goto out;
    count = count_chosen(&session.index);
    if (count == 0)
        puts("no open letter matches");
    if (count == 0 || (ask(&session, count, err) == 0 && prepare(&session, err) == 0 &&
                       handle_chosen(&session, err) == 0))
        status = session.left_alone;
out:
    clear(&session);
    return status;
}
