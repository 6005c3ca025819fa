#include "base/env_config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text_view.h"

enum { SECRET_BYTES_MAX = 65536 };

static const struct duration_unit {
    const char *suffix;
    int64_t milliseconds;
} duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

enum { DURATION_UNITS = sizeof duration_units / sizeof duration_units[0] };

/* Problems */

void config_problems_add(struct config_problems *problems, const char *format, ...)
{
    char *line = NULL;
    va_list arguments;

    if (problems->count > CONFIG_PROBLEMS_MAX)
        return;
    va_start(arguments, format);
    if (problems->count == CONFIG_PROBLEMS_MAX)
        line = mem_strdup("more mistakes than are shown here");
    else if (vasprintf(&line, format, arguments) < 0)
        line = mem_strdup(format);
    va_end(arguments);
    problems->lines =
        mem_realloc_array(problems->lines, problems->count + 1, sizeof *problems->lines);
    problems->lines[problems->count++] = line;
}

void config_problems_clear(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->lines[i]);
    free(problems->lines);
    *problems = (struct config_problems){0};
}

/* Text to value */

/* One value on its way into the target: where it came from decides how a mistake reads. */
struct source {
    const struct setting *setting;
    const char *text;
    bool is_secret;
};

static void *member_of(const struct setting *setting, void *target)
{
    return (char *)target + setting->offset;
}

/* "LOG_LEVEL is 'loud', expected one of: debug, info"; a secret's value is left out. */
static void add_mistake(const struct source *source, const char *expected,
                        struct config_problems *problems)
{
    if (source->is_secret)
        config_problems_add(problems, "%s is malformed, expected %s", source->setting->name,
                            expected);
    else
        config_problems_add(problems, "%s is '%s', expected %s", source->setting->name,
                            source->text, expected);
}

static bool read_duration(struct text_view text, int64_t *milliseconds)
{
    struct text_view digits = {.data = text.data};
    struct err ignored;
    int64_t number;

    while (digits.length < text.length && text.data[digits.length] >= '0' &&
           text.data[digits.length] <= '9')
        digits.length++;
    struct text_view suffix = {.data = text.data + digits.length,
                               .length = text.length - digits.length};
    if (text_view_read_int64(digits, &number, &ignored) != 0)
        return false;
    for (size_t i = 0; i < DURATION_UNITS; i++)
        if (text_view_equals(suffix, duration_units[i].suffix))
            return !__builtin_mul_overflow(number, duration_units[i].milliseconds, milliseconds);
    return false;
}

/* Room for a 64-bit number and a unit. */
enum { NUMBER_BYTES = 32 };

static void format_duration(int64_t milliseconds, char text[NUMBER_BYTES])
{
    size_t i = 0;
    while (milliseconds == 0 ? i < DURATION_UNITS - 1
                             : milliseconds % duration_units[i].milliseconds != 0)
        i++;
    snprintf(text, NUMBER_BYTES, "%lld%s",
             (long long)(milliseconds / duration_units[i].milliseconds), duration_units[i].suffix);
}

static void format_number(enum setting_type type, int64_t number, char text[NUMBER_BYTES])
{
    if (type == SETTING_DURATION_MS)
        format_duration(number, text);
    else
        snprintf(text, NUMBER_BYTES, "%lld", (long long)number);
}

static void read_number(const struct source *source, int64_t *target,
                        struct config_problems *problems)
{
    const struct setting *setting = source->setting;
    bool is_duration = setting->type == SETTING_DURATION_MS;
    struct text_view text = text_view_of(source->text);
    struct err ignored;
    int64_t number;

    if (is_duration ? !read_duration(text, &number)
                    : text_view_read_int64(text, &number, &ignored) != 0) {
        add_mistake(source,
                    is_duration ? "a duration such as 250ms, 30s, 5m, 2h or 7d" : "an integer",
                    problems);
        return;
    }
    if ((setting->min != 0 || setting->max != 0) &&
        (number < setting->min || number > setting->max)) {
        char least[NUMBER_BYTES], most[NUMBER_BYTES], expected[2 * NUMBER_BYTES + 16];
        format_number(setting->type, setting->min, least);
        format_number(setting->type, setting->max, most);
        snprintf(expected, sizeof expected, "%s to %s", least, most);
        add_mistake(source, expected, problems);
        return;
    }
    *target = number;
}

static void read_bool(const struct source *source, bool *target, struct config_problems *problems)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"0", "1"}, {"no", "yes"}, {"off", "on"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int value = 0; value < 2; value++) {
            if (strcmp(source->text, words[i][value]) == 0) {
                *target = value;
                return;
            }
        }
    }
    add_mistake(source, "true or false", problems);
}

static bool is_choice(const char *choices, const char *text)
{
    struct text_view rest = text_view_of(choices);
    struct text_view choice;
    while (text_view_split(&rest, '|', &choice))
        if (text_view_equals(choice, text))
            return true;
    return false;
}

/* "json|text" as "json, text" */
static void append_choices(struct buf *out, const char *choices)
{
    for (const char *byte = choices; *byte; byte++)
        buf_append(out, *byte == '|' ? ", " : byte, *byte == '|' ? 2 : 1);
}

static void replace_text(char **target, const char *text)
{
    free(*target);
    *target = mem_strdup(text);
}

static void read_choice(const struct source *source, char **target,
                        struct config_problems *problems)
{
    if (is_choice(source->setting->choices, source->text)) {
        replace_text(target, source->text);
        return;
    }
    struct buf expected;
    buf_init(&expected, 1024);
    buf_append_text(&expected, "one of: ");
    append_choices(&expected, source->setting->choices);
    add_mistake(source, expected.data, problems);
    buf_clear(&expected);
}

static void read_value(const struct source *source, void *target, struct config_problems *problems)
{
    void *member = member_of(source->setting, target);
    switch (source->setting->type) {
    case SETTING_TEXT:
        replace_text(member, source->text);
        break;
    case SETTING_CHOICE:
        read_choice(source, member, problems);
        break;
    case SETTING_INT:
    case SETTING_DURATION_MS:
        read_number(source, member, problems);
        break;
    case SETTING_BOOL:
        read_bool(source, member, problems);
        break;
    }
}

/* Where values come from */

static const char *environment_value(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Returns owned: the content without the newline at its end; NULL with a problem added. */
static char *read_secret_file(const char *variable, const char *path,
                              struct config_problems *problems)
{
    char *content = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        config_problems_add(problems, "%s: cannot read '%s': %s", variable, path, strerror(errno));
        return NULL;
    }
    char *bytes = mem_alloc(SECRET_BYTES_MAX + 1);
    size_t length = fread(bytes, 1, SECRET_BYTES_MAX + 1, file);
    if (ferror(file)) {
        config_problems_add(problems, "%s: cannot read '%s': %s", variable, path, strerror(errno));
    } else if (length > SECRET_BYTES_MAX) {
        config_problems_add(problems, "%s: '%s' is larger than %d bytes", variable, path,
                            SECRET_BYTES_MAX);
    } else if (memchr(bytes, '\0', length)) {
        config_problems_add(problems, "%s: '%s' holds a zero byte", variable, path);
    } else {
        if (length > 0 && bytes[length - 1] == '\n')
            length--;
        if (length > 0 && bytes[length - 1] == '\r')
            length--;
        content = mem_strndup(bytes, length);
    }
    free(bytes);
    fclose(file);
    return content;
}

/* Returns owned; NULL when unset or unreadable. is_mistaken tells them apart. */
static char *find_value(const struct setting *setting, bool *is_mistaken,
                        struct config_problems *problems)
{
    const char *direct = environment_value(setting->name);
    char *value = NULL;

    *is_mistaken = false;
    if (!(setting->flags & SETTING_SECRET))
        return mem_strdup(direct);
    char *file_variable = mem_sprintf("%s_FILE", setting->name);
    const char *path = environment_value(file_variable);
    if (direct && path) {
        config_problems_add(problems, "%s and %s are both set, expected only one of them",
                            setting->name, file_variable);
        *is_mistaken = true;
    } else if (path) {
        value = read_secret_file(file_variable, path, problems);
        *is_mistaken = value == NULL;
    } else {
        value = mem_strdup(direct);
    }
    free(file_variable);
    if (value && !*value) {
        free(value);
        value = NULL;
    }
    return value;
}

static void load_fallback(const struct setting *setting, void *target)
{
    struct config_problems problems = {0};
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_CHOICE:
        *(char **)member_of(setting, target) = NULL;
        break;
    case SETTING_INT:
    case SETTING_DURATION_MS:
        *(int64_t *)member_of(setting, target) = 0;
        break;
    case SETTING_BOOL:
        *(bool *)member_of(setting, target) = false;
        break;
    }
    if (setting->fallback)
        read_value(&(struct source){.setting = setting, .text = setting->fallback}, target,
                   &problems);
    assert(problems.count == 0); /* the table's own mistake */
    config_problems_clear(&problems);
}

void env_config_load(const struct setting *settings, size_t count, void *target,
                     struct config_problems *problems)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &settings[i];
        bool is_mistaken;
        load_fallback(setting, target);
        char *text = find_value(setting, &is_mistaken, problems);
        if (text)
            read_value(&(struct source){.setting = setting,
                                        .text = text,
                                        .is_secret = setting->flags & SETTING_SECRET},
                       target, problems);
        else if (setting->flags & SETTING_REQUIRED && !setting->fallback && !is_mistaken)
            config_problems_add(problems, "%s is not set", setting->name);
        free(text);
    }
}

void env_config_clear(const struct setting *settings, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++) {
        if (settings[i].type != SETTING_TEXT && settings[i].type != SETTING_CHOICE)
            continue;
        char **text = member_of(&settings[i], target);
        free(*text);
        *text = NULL;
    }
}

/* Printing */

char *env_config_printable(const char *value)
{
    const char *scheme = strstr(value, "://");
    const char *authority = scheme ? scheme + 3 : value;
    const char *at = strrchr(authority, '@'); /* a password may hold '/' and '@' */

    if (!at || (!scheme && memchr(value, ':', (size_t)(at - value)) == NULL))
        return mem_strdup(value); /* "role@server" is no secret */
    return mem_sprintf("%.*s******%s", (int)(authority - value), value, at);
}

static void print_text(const struct setting *setting, const char *text, FILE *out)
{
    char *shown =
        setting->flags & SETTING_SECRET ? mem_strdup("******") : env_config_printable(text);

    fputs(shown, out);
    free(shown);
}

static void print_value(const struct setting *setting, const void *member, FILE *out)
{
    char number[NUMBER_BYTES];
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_CHOICE: {
        const char *text = *(char *const *)member;
        if (text)
            print_text(setting, text, out);
        break;
    }
    case SETTING_INT:
    case SETTING_DURATION_MS:
        format_number(setting->type, *(const int64_t *)member, number);
        fputs(setting->flags & SETTING_SECRET ? "******" : number, out);
        break;
    case SETTING_BOOL:
        fputs(*(const bool *)member ? "true" : "false", out);
        break;
    }
}

void env_config_print(const struct setting *settings, size_t count, const void *target, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s=", settings[i].name);
        print_value(&settings[i], (const char *)target + settings[i].offset, out);
        fputc('\n', out);
    }
}

static const char *shown_default(const struct setting *setting)
{
    if (setting->fallback)
        return setting->fallback;
    return setting->flags & SETTING_REQUIRED ? "(required)" : "(none)";
}

static void print_help_row(const struct setting *setting, int name_width, int default_width,
                           FILE *out)
{
    fprintf(out, "  %-*s  %-*s  %s", name_width, setting->name, default_width,
            shown_default(setting), setting->meaning);
    if (setting->type == SETTING_CHOICE) {
        struct buf choices;
        buf_init(&choices, 1024);
        append_choices(&choices, setting->choices);
        fprintf(out, " (%s)", choices.data);
        buf_clear(&choices);
    }
    if (setting->flags & SETTING_SECRET)
        fprintf(out, " (or %s_FILE: a file that holds it)", setting->name);
    fputc('\n', out);
}

void env_config_print_help(const struct setting *settings, size_t count, FILE *out)
{
    int name_width = 0;
    int default_width = 0;
    for (size_t i = 0; i < count; i++) {
        int name = (int)strlen(settings[i].name);
        int fallback = (int)strlen(shown_default(&settings[i]));
        name_width = name > name_width ? name : name_width;
        default_width = fallback > default_width ? fallback : default_width;
    }
    for (size_t i = 0; i < count; i++)
        print_help_row(&settings[i], name_width, default_width, out);
}
