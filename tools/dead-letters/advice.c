#include "advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"

static void say(char text[ADVICE_BYTES], const char *format, ...) PRINTF_LIKE(2, 3);
static void say(char text[ADVICE_BYTES], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, ADVICE_BYTES, format, arguments);
    va_end(arguments);
}

/* Source: PostgreSQL documentation, appendix A. */
static const struct {
    const char *prefix; /* of the SQLSTATE */
    const char *meaning;
    const char *cause;
} refusals[] = {
    {"22003", "a number does not fit its column", "Widen the column, if the number is true."},
    {"22021", "a text is not valid in the database's encoding", "Correct the text."},
    {"22", "a value does not fit its column", "Correct the value, or change the column."},
    {"23502", "a column that must not be null would be", "Correct the value, or the constraint."},
    {"23505", "a unique index has such a row already", "Look for the other row."},
    {"23514", "a CHECK constraint or the partitions' bounds refuse the row",
     "Change the constraint or add the partition, or correct the value."},
    {"23", "a constraint refuses the row", "Change the constraint, or correct the value."},
    {"P0001", "a trigger or function refuses the row", "Change the trigger, or correct the value."},
    {"42", "the statement and the table do not go together", "Are the migrations applied?"},
    {"54", "the row exceeds a limit of PostgreSQL", "Correct the value."},
    {"", "PostgreSQL refused the row", "Mend what its message says."},
};

static void advise_on_refusal(const struct letter *letter, const char *position,
                              struct advice *advice)
{
    size_t i = 0;

    while (strncmp(letter->sqlstate, refusals[i].prefix, strlen(refusals[i].prefix)) != 0)
        i++;
    say(advice->wrong, "The record can be read, but %s.", refusals[i].meaning);
    say(advice->remedy, "%s Then: dead-letters retry %s", refusals[i].cause, position);
}

static void advise_on_value(const struct letter *letter, const struct err *fault,
                            const char *position, struct advice *advice)
{
    if (fault->code == ERR_NOT_FOUND) {
        say(advice->wrong, "The registry does not know the schema that the value names: %s.",
            fault->message);
        say(advice->remedy,
            "If the registry lost it, restore it; then: dead-letters retry %s. Otherwise somebody "
            "else wrote to the topic: dead-letters dismiss %s.",
            position, position);
        return;
    }
    if (fault->retriable) {
        say(advice->wrong, "The registry could not be asked about the value: %s.", fault->message);
        say(advice->remedy, "Ask again when it can be reached.");
        return;
    }
    say(advice->wrong, "The value cannot be read: %s.", fault->message);
    say(advice->remedy,
        "As it is, it would fail again. Put a corrected value back (dead-letters retry %s --json "
        "FILE), or give it up (dead-letters dismiss %s). If it came from %s, somebody else writes "
        "to that topic.",
        position, position, letter->source_topic);
}

static void advise_on_okx(const struct letter *letter, const char *position, struct advice *advice)
{
    say(advice->wrong, "%s sent what cannot be used: %s. It never was a record of a topic.",
        letter->source_topic, letter->message);
    say(advice->remedy,
        "It cannot be put back. Trades that were in it are seen missing by their ids and fetched "
        "over REST; what stays away is listed in the view trade_gaps. Many such letters mean that "
        "OKX changed its format. When you have seen it: dead-letters dismiss %s",
        position);
}

void advice_give(const struct letter *letter, enum letter_state state, bool is_ours,
                 const struct err *value_fault, struct advice *advice)
{
    char position[LETTER_POSITION_BYTES];

    letter_position_format(letter->position, position);
    if (letter->kind == LETTER_OF_OKX) {
        advise_on_okx(letter, position, advice);
    } else if (letter->kind != LETTER_OF_RECORD) {
        say(advice->wrong, "No header says where the record came from; no service wrote it.");
        say(advice->remedy, "It cannot be put back: dead-letters dismiss %s", position);
    } else if (!is_ours) {
        say(advice->wrong, "It came from %s, which is none of the topics with this TOPIC_PREFIX.",
            letter->source_topic);
        say(advice->remedy, "Run this with the TOPIC_PREFIX of that topic.");
    } else if (letter->truncated_from >= 0) {
        say(advice->wrong, "The record was too large for a letter; this is its beginning. %s.",
            letter->message);
        say(advice->remedy,
            "The whole of it is where it came from for as long as that topic keeps it: avrocat -r "
            "-t %s -p %d -o %lld -c 1. Put a corrected value back (dead-letters retry %s --json "
            "FILE), or give it up (dead-letters dismiss %s).",
            letter->source_topic, (int)letter->source_partition, (long long)letter->source_offset,
            position, position);
    } else if (value_fault->code != ERR_NONE) {
        advise_on_value(letter, value_fault, position, advice);
    } else if (strcmp(letter->stage, "store") == 0) {
        advise_on_refusal(letter, position, advice);
    } else {
        say(advice->wrong, "It could not be used (%s), but its value can be read now.",
            letter->message);
        say(advice->remedy,
            "If its cause is mended: dead-letters retry %s. If the value itself is wrong: "
            "dead-letters retry %s --json FILE.",
            position, position);
    }
    if (state != LETTER_OPEN)
        say(advice->remedy, "Nothing: it is %s.",
            state == LETTER_PUT_BACK ? "put back already" : "dismissed");
}
