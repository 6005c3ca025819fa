#include "ws_subscriptions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "okx_request.h"

enum { HOUR_MS = 3600 * 1000, RESERVED_REQUESTS = 30 };

void ws_subscriptions_init(struct ws_subscriptions *subscriptions, const char *channel)
{
    *subscriptions = (struct ws_subscriptions){.channel = channel, .held_until_ms = INT64_MIN};
    token_bucket_init(&subscriptions->requests, WS_REQUESTS_PER_HOUR - RESERVED_REQUESTS, HOUR_MS);
}

void ws_subscriptions_clear(struct ws_subscriptions *subscriptions)
{
    token_bucket_clear(&subscriptions->requests);
    free(subscriptions->items);
    *subscriptions = (struct ws_subscriptions){0};
}

static struct subscription *find(const struct ws_subscriptions *subscriptions, const char *inst_id)
{
    for (size_t i = 0; i < subscriptions->count; i++) {
        if (strcmp(subscriptions->items[i].inst_id, inst_id) == 0)
            return &subscriptions->items[i];
    }
    return NULL;
}

static struct subscription *find_state(const struct ws_subscriptions *subscriptions,
                                       enum subscription_state state)
{
    for (size_t i = 0; i < subscriptions->count; i++) {
        if (subscriptions->items[i].state == state)
            return &subscriptions->items[i];
    }
    return NULL;
}

static void forget(struct ws_subscriptions *subscriptions, struct subscription *item)
{
    *item = subscriptions->items[--subscriptions->count];
}

static struct subscription wanted(const char *inst_id)
{
    struct subscription item = {.state = SUBSCRIPTION_WANTED};

    snprintf(item.inst_id, sizeof item.inst_id, "%s", inst_id);
    return item;
}

void ws_subscriptions_add(struct ws_subscriptions *subscriptions, const char *inst_id)
{
    struct subscription *item = find(subscriptions, inst_id);

    if (item) {
        if (item->state == SUBSCRIPTION_LEAVING) /* not told to OKX yet; asking again is harmless */
            *item = wanted(inst_id);
        return;
    }
    if (subscriptions->count == subscriptions->capacity) {
        subscriptions->capacity = subscriptions->capacity ? 2 * subscriptions->capacity : 16;
        subscriptions->items = mem_realloc_array(subscriptions->items, subscriptions->capacity,
                                                 sizeof *subscriptions->items);
    }
    item = &subscriptions->items[subscriptions->count++];
    *item = wanted(inst_id);
}

void ws_subscriptions_remove(struct ws_subscriptions *subscriptions, const char *inst_id)
{
    struct subscription *item = find(subscriptions, inst_id);

    if (!item)
        return;
    if (item->state == SUBSCRIPTION_WANTED || item->state == SUBSCRIPTION_SUSPECT ||
        item->state == SUBSCRIPTION_UNANSWERED || item->state == SUBSCRIPTION_REFUSED)
        forget(subscriptions, item);
    else
        item->state = SUBSCRIPTION_LEAVING;
}

void ws_subscriptions_reopen(struct ws_subscriptions *subscriptions)
{
    for (size_t i = subscriptions->count; i > 0; i--) {
        struct subscription *item = &subscriptions->items[i - 1];

        if (item->state == SUBSCRIPTION_LEAVING)
            forget(subscriptions, item);
        else if (item->state != SUBSCRIPTION_REFUSED)
            item->state = SUBSCRIPTION_WANTED;
    }
    subscriptions->held_until_ms = INT64_MIN;
    token_bucket_clear(&subscriptions->requests); /* OKX counts per connection */
    token_bucket_init(&subscriptions->requests, WS_REQUESTS_PER_HOUR - RESERVED_REQUESTS, HOUR_MS);
}

static void write_request_id(uint64_t request, char id[WS_REQUEST_ID_BYTES])
{
    snprintf(id, WS_REQUEST_ID_BYTES, "r%" PRIu64, request);
}

/* One request for up to limit instruments of that state, which it leaves to the caller to move
 * on: those asked for carry the request's number. */
static void write_batch(struct ws_subscriptions *subscriptions, const char *operation,
                        enum subscription_state state, size_t limit, struct buf *out)
{
    const char **inst_ids = mem_calloc(subscriptions->count, sizeof *inst_ids);
    char id[WS_REQUEST_ID_BYTES];
    size_t count = 0;

    subscriptions->request_count++;
    write_request_id(subscriptions->request_count, id);
    for (size_t i = 0; i < subscriptions->count && count < limit; i++) {
        if (subscriptions->items[i].state == state)
            inst_ids[count++] = subscriptions->items[i].inst_id;
    }
    count = okx_request_write(operation, id, subscriptions->channel, inst_ids, count, out);
    for (size_t i = 0; i < subscriptions->count && count > 0; i++) {
        if (subscriptions->items[i].state == state) {
            subscriptions->items[i].request = subscriptions->request_count;
            count--;
        }
    }
    free(inst_ids);
}

static void move_on(struct ws_subscriptions *subscriptions, enum subscription_state from,
                    enum subscription_state to, int64_t now_ms)
{
    for (size_t i = 0; i < subscriptions->count; i++) {
        struct subscription *item = &subscriptions->items[i];

        if (item->state == from && item->request == subscriptions->request_count) {
            item->state = to;
            item->due_ms = now_ms + WS_ACKNOWLEDGE_TIMEOUT_MS;
            if (item->asked++ == 0)
                item->first_asked_at_ms = now_ms;
        }
    }
}

static void write_unsubscribe(struct ws_subscriptions *subscriptions, struct buf *out)
{
    write_batch(subscriptions, "unsubscribe", SUBSCRIPTION_LEAVING, SIZE_MAX, out);
    for (size_t i = subscriptions->count; i > 0; i--) {
        struct subscription *item = &subscriptions->items[i - 1];

        if (item->state == SUBSCRIPTION_LEAVING && item->request == subscriptions->request_count)
            forget(subscriptions, item);
    }
}

bool ws_subscriptions_next_request(struct ws_subscriptions *subscriptions, int64_t now_ms,
                                   struct buf *out)
{
    bool leaves = find_state(subscriptions, SUBSCRIPTION_LEAVING) != NULL;
    bool wants = find_state(subscriptions, SUBSCRIPTION_WANTED) != NULL;
    bool asks_alone = find_state(subscriptions, SUBSCRIPTION_SUSPECT) != NULL &&
                      find_state(subscriptions, SUBSCRIPTION_ALONE) == NULL;
    size_t ticket = 0;

    if (now_ms < subscriptions->held_until_ms || (!leaves && !wants && !asks_alone))
        return false;
    if (token_bucket_take(&subscriptions->requests, now_ms, &ticket) > 0)
        return false;
    token_bucket_release(&subscriptions->requests, ticket, now_ms);

    if (leaves) {
        write_unsubscribe(subscriptions, out);
    } else if (wants) {
        write_batch(subscriptions, "subscribe", SUBSCRIPTION_WANTED, SIZE_MAX, out);
        move_on(subscriptions, SUBSCRIPTION_WANTED, SUBSCRIPTION_REQUESTED, now_ms);
    } else {
        write_batch(subscriptions, "subscribe", SUBSCRIPTION_SUSPECT, 1, out);
        move_on(subscriptions, SUBSCRIPTION_SUSPECT, SUBSCRIPTION_ALONE, now_ms);
    }
    return true;
}

const struct subscription *ws_subscriptions_acknowledge(struct ws_subscriptions *subscriptions,
                                                        const char *inst_id)
{
    struct subscription *item = find(subscriptions, inst_id);

    if (!item || item->state == SUBSCRIPTION_ACTIVE || item->state == SUBSCRIPTION_LEAVING)
        return NULL;
    item->state = SUBSCRIPTION_ACTIVE;
    return item;
}

static const char *refuse(struct subscription *item, int64_t now_ms)
{
    item->state = SUBSCRIPTION_REFUSED;
    item->due_ms = now_ms + WS_REFUSED_RETRY_MS;
    return item->inst_id;
}

/* The request itself was too much: everything that waits is asked for again after a pause. */
static void slow_down(struct ws_subscriptions *subscriptions, int64_t now_ms)
{
    subscriptions->held_until_ms = now_ms + WS_SLOW_DOWN_MS;
    for (size_t i = 0; i < subscriptions->count; i++) {
        struct subscription *item = &subscriptions->items[i];

        if (item->state == SUBSCRIPTION_REQUESTED)
            item->state = SUBSCRIPTION_WANTED;
        else if (item->state == SUBSCRIPTION_ALONE)
            item->state = SUBSCRIPTION_SUSPECT;
    }
}

const char *ws_subscriptions_error(struct ws_subscriptions *subscriptions, const char *request_id,
                                   const char *code, int64_t now_ms)
{
    struct subscription *alone = find_state(subscriptions, SUBSCRIPTION_ALONE);

    if (strcmp(code, "60014") == 0) {
        slow_down(subscriptions, now_ms);
        return NULL;
    }
    for (size_t i = 0; i < subscriptions->count; i++) {
        struct subscription *item = &subscriptions->items[i];
        char id[WS_REQUEST_ID_BYTES];

        write_request_id(item->request, id);
        if (item->state == SUBSCRIPTION_REQUESTED &&
            (request_id[0] == '\0' || strcmp(id, request_id) == 0) &&
            item->due_ms > now_ms + WS_ERROR_GRACE_MS)
            item->due_ms = now_ms + WS_ERROR_GRACE_MS;
        if (item == alone && (request_id[0] == '\0' || strcmp(id, request_id) == 0))
            return refuse(alone, now_ms);
    }
    return NULL;
}

const char *ws_subscriptions_expire(struct ws_subscriptions *subscriptions, int64_t now_ms)
{
    for (size_t i = 0; i < subscriptions->count; i++) {
        struct subscription *item = &subscriptions->items[i];

        if (now_ms < item->due_ms)
            continue;
        switch (item->state) {
        case SUBSCRIPTION_REQUESTED:
        case SUBSCRIPTION_UNANSWERED:
        case SUBSCRIPTION_REFUSED:
            item->state = SUBSCRIPTION_SUSPECT;
            break;
        case SUBSCRIPTION_ALONE:
            item->state = SUBSCRIPTION_UNANSWERED;
            item->due_ms = now_ms + WS_UNANSWERED_RETRY_MS;
            return item->inst_id;
        case SUBSCRIPTION_WANTED:
        case SUBSCRIPTION_SUSPECT:
        case SUBSCRIPTION_ACTIVE:
        case SUBSCRIPTION_LEAVING:
            break;
        }
    }
    return NULL;
}

bool ws_subscriptions_is_settled(const struct ws_subscriptions *subscriptions)
{
    return !find_state(subscriptions, SUBSCRIPTION_WANTED) &&
           !find_state(subscriptions, SUBSCRIPTION_REQUESTED) &&
           !find_state(subscriptions, SUBSCRIPTION_UNANSWERED);
}

bool ws_subscriptions_cover(const struct ws_subscriptions *successor,
                            const struct ws_subscriptions *subscriptions)
{
    for (size_t i = 0; i < subscriptions->count; i++) {
        const struct subscription *item = &subscriptions->items[i];
        const struct subscription *heir = find(successor, item->inst_id);

        if (item->state == SUBSCRIPTION_ACTIVE && heir && heir->state != SUBSCRIPTION_ACTIVE &&
            heir->state != SUBSCRIPTION_REFUSED && heir->state != SUBSCRIPTION_LEAVING)
            return false;
    }
    return true;
}

bool ws_subscriptions_awaits_answers(const struct ws_subscriptions *subscriptions)
{
    return ws_subscriptions_count(subscriptions, SUBSCRIPTION_ACTIVE) +
               ws_subscriptions_count(subscriptions, SUBSCRIPTION_LEAVING) <
           subscriptions->count;
}

size_t ws_subscriptions_count(const struct ws_subscriptions *subscriptions,
                              enum subscription_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < subscriptions->count; i++)
        count += subscriptions->items[i].state == state;
    return count;
}
