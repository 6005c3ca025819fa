/* The verbs that only show letters: list and explain. One thread. */
#ifndef DEAD_LETTERS_SHOW_H
#define DEAD_LETTERS_SHOW_H

#include "base/attributes.h"
#include "base/err.h"
#include "io/kafka_settings.h"
#include "io/schema_registry.h"
#include "letter_topic.h"
#include "options.h"

/* Print on stdout. Errors: as letter_topic_scan and letter_topic_get; ERR_STOPPED when nobody reads
 * stdout any more. */
int show_list(struct letter_topic *letters, const struct kafka_settings *settings,
              const struct dead_letters_options *options, struct err *err) MUST_CHECK;
int show_explanation(struct letter_topic *letters, const struct kafka_settings *settings,
                     struct schema_registry *registry, const struct dead_letters_options *options,
                     struct err *err) MUST_CHECK;

#endif
