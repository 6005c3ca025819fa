/* What the command line of dead-letters asks for. Pure. */
#ifndef DEAD_LETTERS_OPTIONS_H
#define DEAD_LETTERS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "letter.h"

/* VERB_NONE: only with an action. */
enum dead_letters_verb { VERB_LIST, VERB_EXPLAIN, VERB_RETRY, VERB_DISMISS, VERB_NONE };

enum { ATTEMPTS_MAX_FALLBACK = 3 };

/* Texts are borrowed from argv. */
struct dead_letters_options {
    enum dead_letters_verb verb;
    struct letter_position *positions; /* owned */
    size_t position_count;
    struct letter_filter filter; /* its topic as it was given, without TOPIC_PREFIX */
    bool is_json;
    bool shows_settled;   /* list: letters that are dealt with, too */
    bool all;             /* retry, dismiss: every open letter that matches */
    int64_t attempts_max; /* with all: what was a letter more often is left alone */
    bool is_confirmed;
    bool is_dry_run;
    bool is_forced;
    const char *value_file; /* raw bytes instead of the letter's value; "-": standard input */
    const char *json_file;  /* JSON, to be encoded by the topic's schema */
    /* --help, --version, --check-config or --print-config, when one was given: nothing is done. */
    const char *action;
};

/* Errors: ERR_CONFIG. */
int dead_letters_options_parse(int argc, char **argv, int64_t now_ms,
                               struct dead_letters_options *options, struct err *err) MUST_CHECK;
void dead_letters_options_clear(struct dead_letters_options *options);

/* The lines on verbs, options and exit statuses for --help. */
extern const char dead_letters_options_help[];

#endif
