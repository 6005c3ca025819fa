#include "command_ledger.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "text_map.h"

static const int64_t RETRY_FLOOR_MS = 1000;
static const int64_t RETRY_BASE_MS = 5 * 1000;
static const int64_t RETRY_CAP_MS = 10 * 60 * 1000;
static const int64_t PROBE_AFTER_MS = INT64_C(24) * 60 * 60 * 1000;
static const int64_t ANSWERED_KEPT_MS = 10 * 60 * 1000;
enum {
    TIMEOUT_DOUBLINGS_MAX = 6,
    /* A repair of millions of trades takes an hour of OKX's rate budget; asking twice doubles it.
     */
    TRADES_TIMEOUT_FACTOR = 24,
    REASON_COUNT = FETCH_REASON_GAP + 1,
};

struct command_ledger {
    struct text_map *by_id;
    struct tracked_command **heap; /* by due_ms, the earliest first */
    size_t heap_capacity;
    size_t counts[COMMAND_STATE_COUNT][REASON_COUNT];
    int64_t command_timeout_ms;
};

struct command_ledger *command_ledger_create(int64_t command_timeout_ms)
{
    struct command_ledger *ledger = mem_calloc(1, sizeof *ledger);

    ledger->by_id = text_map_create();
    ledger->command_timeout_ms = command_timeout_ms;
    return ledger;
}

void command_ledger_destroy(struct command_ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < text_map_count(ledger->by_id); i++)
        free(ledger->heap[i]);
    free(ledger->heap);
    text_map_destroy(ledger->by_id);
    free(ledger);
}

const struct tracked_command *command_ledger_find(const struct command_ledger *ledger,
                                                  const char *id)
{
    return text_map_find(ledger->by_id, id);
}

size_t command_ledger_count(const struct command_ledger *ledger, enum command_state state,
                            enum fetch_reason reason)
{
    return ledger->counts[state][reason];
}

size_t command_ledger_outstanding(const struct command_ledger *ledger)
{
    size_t count = 0;

    for (int reason = 0; reason < REASON_COUNT; reason++)
        count +=
            ledger->counts[COMMAND_ASKED][reason] + ledger->counts[COMMAND_BACKING_OFF][reason];
    return count;
}

static void heap_place(struct command_ledger *ledger, struct tracked_command *tracked, size_t index)
{
    ledger->heap[index] = tracked;
    tracked->heap_index = index;
}

/* Brings the entry to where its due_ms belongs, in a heap of count entries. */
static void heap_sift(struct command_ledger *ledger, struct tracked_command *tracked, size_t count)
{
    size_t index = tracked->heap_index;

    while (index > 0 && ledger->heap[(index - 1) / 2]->due_ms > tracked->due_ms) {
        heap_place(ledger, ledger->heap[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    for (size_t child = 2 * index + 1; child < count; child = 2 * index + 1) {
        if (child + 1 < count && ledger->heap[child + 1]->due_ms < ledger->heap[child]->due_ms)
            child++;
        if (ledger->heap[child]->due_ms >= tracked->due_ms)
            break;
        heap_place(ledger, ledger->heap[child], index);
        index = child;
    }
    heap_place(ledger, tracked, index);
}

/* NULL when the ledger is full. */
static struct tracked_command *insert(struct command_ledger *ledger,
                                      const struct fetch_command *command)
{
    const size_t count = text_map_count(ledger->by_id);
    struct tracked_command *tracked = NULL;

    if (count >= COMMAND_LEDGER_MAX)
        return NULL;
    if (count == ledger->heap_capacity) {
        ledger->heap_capacity = count ? 2 * count : 16;
        ledger->heap =
            mem_realloc_array(ledger->heap, ledger->heap_capacity, sizeof ledger->heap[0]);
    }
    tracked = mem_calloc(1, sizeof *tracked);
    tracked->command = *command;
    tracked->state = COMMAND_ASKED;
    tracked->due_ms = INT64_MAX;
    ledger->counts[tracked->state][command->reason]++;
    heap_place(ledger, tracked, count);
    text_map_insert(ledger->by_id, tracked->command.id, tracked);
    return tracked;
}

/* The entry's new state. command may be the entry's own. */
static void settle(struct command_ledger *ledger, struct tracked_command *tracked,
                   const struct fetch_command *command, enum command_state state, int64_t due_ms)
{
    ledger->counts[tracked->state][tracked->command.reason]--;
    ledger->counts[state][command->reason]++;
    tracked->command = *command; /* the same id, so the map's key does not change */
    tracked->state = state;
    tracked->due_ms = due_ms;
    heap_sift(ledger, tracked, text_map_count(ledger->by_id));
}

static int64_t timeout_ms(const struct command_ledger *ledger,
                          const struct tracked_command *tracked)
{
    const unsigned doublings =
        tracked->failures < TIMEOUT_DOUBLINGS_MAX ? tracked->failures : TIMEOUT_DOUBLINGS_MAX;
    const int64_t factor = tracked->command.kind == FETCH_KIND_TRADES ? TRADES_TIMEOUT_FACTOR : 1;

    return ledger->command_timeout_ms * factor << doublings;
}

void command_ledger_ask(struct command_ledger *ledger, const struct fetch_command *command,
                        int64_t now_ms)
{
    struct tracked_command *tracked = text_map_find(ledger->by_id, command->id);
    int64_t asked_ms = command->created_at_ms < now_ms ? command->created_at_ms : now_ms;

    if (tracked && command->attempt <= tracked->command.attempt)
        return;
    if (tracked && tracked->state == COMMAND_ASKED)
        tracked->failures++;
    if (!tracked)
        tracked = insert(ledger, command);
    if (tracked)
        settle(ledger, tracked, command, COMMAND_ASKED, asked_ms + timeout_ms(ledger, tracked));
}

/* Drawn from the command itself, so that equal failures spread out and a test can repeat them. */
static int64_t retry_delay_ms(const struct tracked_command *tracked)
{
    struct backoff backoff;
    uint64_t seed = (uint64_t)tracked->command.attempt;

    for (const char *byte = tracked->command.id; *byte; byte++)
        seed = seed * 31 + (unsigned char)*byte;
    backoff_init(&backoff, RETRY_FLOOR_MS, RETRY_BASE_MS, RETRY_CAP_MS, seed | 1);
    backoff.attempt = tracked->failures - 1;
    return backoff_next_ms(&backoff);
}

bool command_ledger_fail(struct command_ledger *ledger, const struct fetch_command *command,
                         bool is_retriable, int64_t now_ms)
{
    struct tracked_command *tracked = text_map_find(ledger->by_id, command->id);

    if (tracked && tracked->command.attempt > command->attempt)
        return false;
    if (!tracked)
        tracked = insert(ledger, command);
    if (!tracked)
        return true;
    tracked->failures++;
    settle(ledger, tracked, command, is_retriable ? COMMAND_BACKING_OFF : COMMAND_GIVEN_UP,
           now_ms + (is_retriable ? retry_delay_ms(tracked) : PROBE_AFTER_MS));
    return true;
}

void command_ledger_answer(struct command_ledger *ledger, const struct fetch_command *command,
                           int64_t now_ms)
{
    struct tracked_command *tracked = text_map_find(ledger->by_id, command->id);
    struct fetch_command newest = *command;

    if (!tracked)
        tracked = insert(ledger, command);
    if (!tracked)
        return;
    if (tracked->command.attempt > newest.attempt)
        newest.attempt = tracked->command.attempt;
    settle(ledger, tracked, &newest, COMMAND_ANSWERED, now_ms + ANSWERED_KEPT_MS);
}

void command_ledger_drop(struct command_ledger *ledger, const char *id)
{
    struct tracked_command *tracked = text_map_remove(ledger->by_id, id);
    const size_t count = text_map_count(ledger->by_id);

    if (!tracked)
        return;
    ledger->counts[tracked->state][tracked->command.reason]--;
    if (tracked->heap_index < count) {
        heap_place(ledger, ledger->heap[count], tracked->heap_index);
        heap_sift(ledger, ledger->heap[tracked->heap_index], count);
    }
    free(tracked);
}

void command_ledger_hurry(struct command_ledger *ledger, const char *id, int64_t now_ms)
{
    struct tracked_command *tracked = text_map_find(ledger->by_id, id);

    if (tracked && tracked->state == COMMAND_BACKING_OFF && tracked->due_ms > now_ms)
        settle(ledger, tracked, &tracked->command, tracked->state, now_ms);
}

void command_ledger_hurry_given_up(struct command_ledger *ledger, int64_t now_ms)
{
    struct tracked_command *tracked = NULL;

    for (size_t cursor = 0; (tracked = text_map_next(ledger->by_id, &cursor));) {
        if (tracked->state == COMMAND_GIVEN_UP)
            settle(ledger, tracked, &tracked->command, tracked->state, now_ms);
    }
}

bool command_ledger_next_due(struct command_ledger *ledger, int64_t now_ms,
                             struct fetch_command *command)
{
    while (text_map_count(ledger->by_id) > 0 && ledger->heap[0]->due_ms <= now_ms) {
        if (ledger->heap[0]->state == COMMAND_ANSWERED) {
            command_ledger_drop(ledger, ledger->heap[0]->command.id);
            continue;
        }
        *command = ledger->heap[0]->command;
        command->attempt++;
        command->created_at_ms = now_ms;
        return true;
    }
    return false;
}
