/*
 * Settings from environment variables by table: a row per setting, every mistake reported together.
 * The same table prints --help and --print-config. No I/O but reading NAME_FILE secrets.
 *
 * Targets by type, at offset within the struct passed as target:
 *   SETTING_TEXT, SETTING_CHOICE  char *   (owned; NULL when unset and without default)
 *   SETTING_INT, SETTING_DURATION_MS  int64_t  (durations read "250ms", "30s", "5m", "2h", "7d")
 *   SETTING_BOOL  bool  (true/false, 1/0, yes/no, on/off)
 * An empty value counts as unset, and so does an empty file.
 */
#ifndef BASE_ENV_CONFIG_H
#define BASE_ENV_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attributes.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_CHOICE,
    SETTING_INT,
    SETTING_DURATION_MS,
    SETTING_BOOL,
};

enum {
    SETTING_REQUIRED = 1 << 0,
    SETTING_SECRET = 1 << 1, /* also read from the file named by NAME_FILE; masked when printed */
};

struct setting {
    const char *name;
    enum setting_type type;
    unsigned flags;
    const char *fallback; /* as it would stand in the environment; NULL: none */
    int64_t min, max;     /* for numbers and durations; both 0: no bounds */
    const char *choices;  /* for SETTING_CHOICE: "json|text" */
    size_t offset;        /* offsetof(struct x_config, member) */
    const char *meaning;  /* one line for --help and the README */
};

/* One line per mistake, in the order found; beyond CONFIG_PROBLEMS_MAX a last line says so. */
enum { CONFIG_PROBLEMS_MAX = 50 };
struct config_problems {
    char **lines;
    size_t count;
};
void config_problems_add(struct config_problems *problems, const char *format, ...)
    PRINTF_LIKE(2, 3);
void config_problems_clear(struct config_problems *problems);

/* Reads every setting of the table into target, whose owned texts must be clear; mistakes are added
 * to problems and leave the default in place.
 */
void env_config_load(const struct setting *settings, size_t count, void *target,
                     struct config_problems *problems);
/* Frees the owned texts of target. */
void env_config_clear(const struct setting *settings, size_t count, void *target);
/* Returns owned the value as it may be shown: user and password of an address ("user:password@")
 * become ******. */
char *env_config_printable(const char *value) MUST_CHECK;
/* NAME=value lines; secrets that are set print as ******, and so do those within addresses. */
void env_config_print(const struct setting *settings, size_t count, const void *target, FILE *out);
/* The table for --help: name, default, meaning. */
void env_config_print_help(const struct setting *settings, size_t count, FILE *out);

#endif
