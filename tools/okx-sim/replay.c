#include "replay.h"

#include <dirent.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { FILE_BYTES_MAX = 8 << 20, FILES_MAX = 10000 };

struct frame {
    char *text;
    int64_t time_ms; /* -1 for what is no data */
};

struct answer {
    const char *endpoint;
    char *name; /* of the file, without "rest-" and ".json" */
    char *text;
    char inst_id[64];      /* of its rows; empty when they name none or there are none */
    int64_t oldest_cursor; /* trade id or time of the last row; INT64_MIN: no rows */
};

struct replay {
    struct frame *frames;
    size_t frame_count;
    struct answer *answers;
    size_t answer_count;
};

static const struct {
    const char *prefix, *endpoint;
} endpoint_names[] = {
    {"asset-currencies", "asset/currencies"},
    {"market-candles", "market/candles"},
    {"market-history-candles", "market/history-candles"},
    {"market-history-trades", "market/history-trades"},
    {"market-trades", "market/trades"},
    {"public-instruments", "public/instruments"},
    {"public-time", "public/time"},
    {"system-status", "system/status"},
};

/* --- loading --------------------------------------------------------------------------------- */

static int read_file(const char *path, struct buf *content, struct err *err)
{
    FILE *file = fopen(path, "rb");
    char part[16384];
    size_t length;
    int result = -1;

    if (!file)
        return err_set_errno(err, "open %s", path);
    while ((length = fread(part, 1, sizeof part, file)) > 0)
        buf_append(content, part, length);
    if (ferror(file))
        err_set_errno(err, "read %s", path);
    else if (content->overflowed)
        err_set(err, ERR_CONFIG, "%s is larger than %d bytes", path, FILE_BYTES_MAX);
    else
        result = 0;
    fclose(file);
    return result;
}

/* A row's member as a number: of an object by name, of an array the first. INT64_MIN: none. */
static int64_t row_number(const json_t *row, const char *member)
{
    const json_t *value =
        json_is_array(row) ? json_array_get(row, 0) : json_object_get(row, member);
    const char *text = json_string_value(value);
    struct err ignored;
    int64_t number;

    if (!text || text_view_read_int64(text_view_of(text), &number, &ignored) != 0)
        return INT64_MIN;
    return number;
}

static void add_frame(struct replay *replay, const json_t *root, char *text)
{
    const json_t *row = json_array_get(json_object_get(root, "data"), 0);
    int64_t time_ms = row_number(row, "ts");

    replay->frames =
        mem_realloc_array(replay->frames, replay->frame_count + 1, sizeof *replay->frames);
    replay->frames[replay->frame_count++] =
        (struct frame){.text = text, .time_ms = row ? (time_ms < 0 ? 0 : time_ms) : -1};
}

static void add_answer(struct replay *replay, const char *endpoint, const json_t *root,
                       const char *name, char *text)
{
    const json_t *rows = json_object_get(root, "data");
    const json_t *last = json_array_get(rows, json_array_size(rows) - 1);
    const char *inst_id = json_string_value(json_object_get(last, "instId"));
    struct answer answer = {.endpoint = endpoint, .text = text, .name = mem_strdup(name)};

    snprintf(answer.inst_id, sizeof answer.inst_id, "%s", inst_id ? inst_id : "");
    answer.oldest_cursor = row_number(last, "tradeId");
    replay->answers =
        mem_realloc_array(replay->answers, replay->answer_count + 1, sizeof *replay->answers);
    replay->answers[replay->answer_count++] = answer;
}

/* NULL for a file that answers no endpoint, as the recorded errors. */
static const char *endpoint_of(const char *name)
{
    for (size_t i = 0; i < sizeof endpoint_names / sizeof endpoint_names[0]; i++) {
        size_t length = strlen(endpoint_names[i].prefix);
        if (strncmp(name, endpoint_names[i].prefix, length) == 0 &&
            (name[length] == '-' || name[length] == '\0'))
            return endpoint_names[i].endpoint;
    }
    return NULL;
}

static int load_file(struct replay *replay, const char *directory, const char *file_name,
                     struct err *err)
{
    char *path = mem_sprintf("%s/%s", directory, file_name);
    char *name = mem_strndup(file_name, strlen(file_name) - strlen(".json"));
    struct buf content;
    json_t *root = NULL;
    int result = -1;

    buf_init(&content, FILE_BYTES_MAX);
    if (read_file(path, &content, err) != 0)
        goto out;
    while (content.length > 0 && strchr("\r\n ", content.data[content.length - 1]))
        content.data[--content.length] = '\0';
    root = json_loadb(content.data ? content.data : "", content.length, 0, NULL);
    if (!root) {
        err_set(err, ERR_CONFIG, "%s is no JSON", path);
        goto out;
    }
    if (strncmp(name, "ws-", 3) == 0)
        add_frame(replay, root, buf_take(&content));
    else if (endpoint_of(name + strlen("rest-")))
        add_answer(replay, endpoint_of(name + strlen("rest-")), root, name + strlen("rest-"),
                   buf_take(&content));
    result = 0;
out:
    json_decref(root);
    buf_clear(&content);
    free(name);
    free(path);
    return result;
}

static int is_message_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".json") == 0 &&
           (strncmp(entry->d_name, "ws-", 3) == 0 || strncmp(entry->d_name, "rest-", 5) == 0);
}

/* Stable, since the files of one time were read in the order of their names. */
static void sort_frames(struct replay *replay)
{
    for (size_t i = 1; i < replay->frame_count; i++) {
        struct frame frame = replay->frames[i];
        size_t at = i;
        for (; at > 0 && replay->frames[at - 1].time_ms > frame.time_ms; at--)
            replay->frames[at] = replay->frames[at - 1];
        replay->frames[at] = frame;
    }
}

struct replay *replay_load(const char *directory, struct err *err)
{
    struct replay *replay = mem_calloc(1, sizeof *replay);
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_message_file, alphasort);
    bool is_whole = count > 0 && count <= FILES_MAX;

    if (count < 0)
        err_set_errno(err, "read the folder %s", directory);
    else if (!is_whole)
        err_set(err, ERR_CONFIG, "%s holds %d messages, not 1 to %d", directory, count, FILES_MAX);
    for (int i = 0; i < count; i++) {
        is_whole = is_whole && load_file(replay, directory, entries[i]->d_name, err) == 0;
        free(entries[i]);
    }
    free(entries);
    if (!is_whole) {
        replay_destroy(replay);
        return NULL;
    }
    sort_frames(replay);
    return replay;
}

void replay_destroy(struct replay *replay)
{
    if (!replay)
        return;
    for (size_t i = 0; i < replay->frame_count; i++)
        free(replay->frames[i].text);
    for (size_t i = 0; i < replay->answer_count; i++) {
        free(replay->answers[i].name);
        free(replay->answers[i].text);
    }
    free(replay->frames);
    free(replay->answers);
    free(replay);
}

size_t replay_frame_count(const struct replay *replay)
{
    return replay->frame_count;
}

struct text_view replay_frame(const struct replay *replay, size_t position)
{
    return text_view_of(replay->frames[position].text);
}

/* --- answering ------------------------------------------------------------------------------- */

static bool name_ends_with(const char *name, const char *text)
{
    size_t name_length = strlen(name), length = strlen(text);

    return name_length > length && name[name_length - length - 1] == '-' &&
           strcmp(name + name_length - length, text) == 0;
}

/* Recent and historical rows have the same form, so a recording of one may answer for the other. */
static bool is_same_data(const char *endpoint, const char *other)
{
    static const char *const pairs[][2] = {
        {"market/candles", "market/history-candles"},
        {"market/trades", "market/history-trades"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if ((strcmp(endpoint, pairs[i][0]) == 0 && strcmp(other, pairs[i][1]) == 0) ||
            (strcmp(endpoint, pairs[i][1]) == 0 && strcmp(other, pairs[i][0]) == 0))
            return true;
    }
    return false;
}

/* How well the answer fits the request: 0 for another endpoint's, 1 for any of the endpoint. */
static int fit(const struct answer *answer, const char *endpoint,
               const struct http_request *request)
{
    const char *inst_id = http_request_parameter(request, "instId");
    const char *type = http_request_parameter(request, "instType");
    bool is_of_endpoint = strcmp(answer->endpoint, endpoint) == 0;

    if (!is_of_endpoint && !is_same_data(answer->endpoint, endpoint))
        return 0;
    if (inst_id && (strcmp(answer->inst_id, inst_id) == 0 || name_ends_with(answer->name, inst_id)))
        return 2;
    if (type && strstr(answer->name, type))
        return strstr(answer->name, "-full") ? 3 : 2;
    return is_of_endpoint ? 1 : 0;
}

static int best_fit(const struct replay *replay, const char *endpoint,
                    const struct http_request *request)
{
    int best = 0;

    for (size_t i = 0; i < replay->answer_count; i++) {
        int quality = fit(&replay->answers[i], endpoint, request);
        best = quality > best ? quality : best;
    }
    return best;
}

/* Of several that fit best, each in its turn. NULL: none fits. */
static const struct answer *choose(const struct replay *replay, const char *endpoint,
                                   const struct http_request *request, uint64_t turn)
{
    int best = best_fit(replay, endpoint, request);
    uint64_t candidates = 0;

    for (size_t i = 0; i < replay->answer_count; i++)
        candidates += best > 0 && fit(&replay->answers[i], endpoint, request) == best;
    if (candidates == 0)
        return NULL;
    turn %= candidates;
    for (size_t i = 0; i < replay->answer_count; i++) {
        if (fit(&replay->answers[i], endpoint, request) == best && turn-- == 0)
            return &replay->answers[i];
    }
    return NULL;
}

/* Of those that fit best, the newest with rows older than the cursor: a client that pages back
 * gets each once, and then none. */
static const struct answer *choose_older(const struct replay *replay, const char *endpoint,
                                         const struct http_request *request, int64_t cursor)
{
    int best = best_fit(replay, endpoint, request);
    const struct answer *chosen = NULL;

    for (size_t i = 0; i < replay->answer_count && best > 0; i++) {
        const struct answer *answer = &replay->answers[i];

        if (answer->oldest_cursor < cursor && fit(answer, endpoint, request) == best &&
            (!chosen || answer->oldest_cursor > chosen->oldest_cursor))
            chosen = answer;
    }
    return chosen;
}

void replay_answer(const struct replay *replay, const char *endpoint,
                   const struct http_request *request, uint64_t turn, struct http_reply *reply)
{
    const char *after = http_request_parameter(request, "after");
    const struct answer *answer = NULL;
    struct err ignored;
    int64_t cursor;

    if (after && text_view_read_int64(text_view_of(after), &cursor, &ignored) == 0)
        answer = choose_older(replay, endpoint, request, cursor);
    else
        answer = choose(replay, endpoint, request, turn);
    buf_append_text(&reply->body,
                    answer ? answer->text : "{\"code\":\"0\",\"msg\":\"\",\"data\":[]}");
}
