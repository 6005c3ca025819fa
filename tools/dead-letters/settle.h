/*
 * The verbs that deal with letters, retry and dismiss: chooses them, judges each, asks, and says
 * what became of it. One thread.
 */
#ifndef DEAD_LETTERS_SETTLE_H
#define DEAD_LETTERS_SETTLE_H

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "letter_topic.h"
#include "options.h"

/*
 * Prints a line for each letter on stdout, for one that is left alone on stderr. Returns how many
 * letters were left alone though they were asked for, or -1. Errors: ERR_NOT_FOUND, ERR_CONFIG
 * (nobody there to ask, a bad file), ERR_NETWORK, ERR_TIMEOUT, ERR_STOPPED.
 */
int settle_letters(struct letter_topic *letters, const struct kafka_settings *settings,
                   struct schema_registry *registry, const struct dead_letters_options *options,
                   struct err *err) MUST_CHECK;

#endif
