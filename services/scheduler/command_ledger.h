/*
 * What was asked of the ingestors and is not settled yet, and when to ask again. Pure; one owner.
 *
 * A command is asked until a result settles it. A failure that may pass is asked again after a
 * backoff, one that is final after a day (the world may have changed), a command without any
 * result after a timeout that doubles each time, so that a long outage of the ingestors does not
 * fill the control topic. Each time the attempt is one more, so that (id, attempt) names one
 * record.
 */
#ifndef SCHEDULER_COMMAND_LEDGER_H
#define SCHEDULER_COMMAND_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "domain/fetch_command.h"

enum command_state {
    COMMAND_ASKED,       /* on the control topic, without a result */
    COMMAND_BACKING_OFF, /* failed, may be asked again when due */
    COMMAND_GIVEN_UP,    /* failed for good, probed when due */
    COMMAND_ANSWERED,    /* remembered for a while, to recognise a record that is read late */
    COMMAND_STATE_COUNT,
};

struct tracked_command {
    struct fetch_command command; /* as last asked */
    enum command_state state;
    unsigned failures; /* failures and timeouts in a row */
    int64_t due_ms;    /* when the state ends */
    size_t heap_index;
};

enum { COMMAND_LEDGER_MAX = 50000 };

struct command_ledger;

struct command_ledger *command_ledger_create(int64_t command_timeout_ms) MUST_CHECK;
void command_ledger_destroy(struct command_ledger *ledger);

/* NULL when not tracked. Borrowed until the next change. */
const struct tracked_command *command_ledger_find(const struct command_ledger *ledger,
                                                  const char *id);
/* Commands in that state and of that reason. */
size_t command_ledger_count(const struct command_ledger *ledger, enum command_state state,
                            enum fetch_reason reason);
/* Commands that a result is still expected for: asked or backing off. */
size_t command_ledger_outstanding(const struct command_ledger *ledger);

/* The command stands on the control topic. An attempt that is not newer than the tracked one
 * changes nothing. Beyond COMMAND_LEDGER_MAX commands it is not tracked. */
void command_ledger_ask(struct command_ledger *ledger, const struct fetch_command *command,
                        int64_t now_ms);
/* The command failed. False when a newer attempt is tracked: then nothing changes. */
bool command_ledger_fail(struct command_ledger *ledger, const struct fetch_command *command,
                         bool is_retriable, int64_t now_ms);
/* The command is settled, and remembered for a while. */
void command_ledger_answer(struct command_ledger *ledger, const struct fetch_command *command,
                           int64_t now_ms);
/* Forgets it; nothing happens if it is not tracked. */
void command_ledger_drop(struct command_ledger *ledger, const char *id);
/* A command that is backing off is due now. */
void command_ledger_hurry(struct command_ledger *ledger, const char *id, int64_t now_ms);
/* As command_ledger_hurry, for every command that was given up. */
void command_ledger_hurry_given_up(struct command_ledger *ledger, int64_t now_ms);

/* The command to ask again now, with its next attempt and createdAt; it stays due until it is
 * asked, dropped or settled. False when none is due. */
bool command_ledger_next_due(struct command_ledger *ledger, int64_t now_ms,
                             struct fetch_command *command);

#endif
