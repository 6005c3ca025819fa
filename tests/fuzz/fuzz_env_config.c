/* Settings of every type from an environment: see environment.h for the form of the input. */
#include "base/env_config.h"

#include <stdlib.h>

#include "environment.h"
#include "fuzz.h"

struct config {
    char *text, *required, *secret, *choice;
    int64_t number, duration_ms, bounded;
    bool flag;
};

static const struct setting settings[] = {
    {.name = "TEXT", .type = SETTING_TEXT, .offset = offsetof(struct config, text)},
    {.name = "REQUIRED",
     .type = SETTING_TEXT,
     .flags = SETTING_REQUIRED,
     .offset = offsetof(struct config, required)},
    {.name = "SECRET",
     .type = SETTING_TEXT,
     .flags = SETTING_SECRET,
     .offset = offsetof(struct config, secret)},
    {.name = "CHOICE",
     .type = SETTING_CHOICE,
     .fallback = "json",
     .choices = "json|text",
     .offset = offsetof(struct config, choice)},
    {.name = "NUMBER", .type = SETTING_INT, .offset = offsetof(struct config, number)},
    {.name = "BOUNDED",
     .type = SETTING_INT,
     .fallback = "3",
     .min = 1,
     .max = 15,
     .offset = offsetof(struct config, bounded)},
    {.name = "DURATION",
     .type = SETTING_DURATION_MS,
     .fallback = "90s",
     .min = 1,
     .max = INT64_MAX,
     .offset = offsetof(struct config, duration_ms)},
    {.name = "FLAG", .type = SETTING_BOOL, .offset = offsetof(struct config, flag)},
};

enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* Returns owned what --print-config shows. */
static char *printed(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    FUZZ_CHECK(out);
    env_config_print(settings, SETTING_COUNT, config, out);
    fclose(out);
    return text;
}

static bool is_same(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

/* What is printed, read again, gives the same values, but for the secret. */
static void check_print(const struct config *config)
{
    char *text = printed(config);
    struct fuzz_input input = {(const uint8_t *)text, strlen(text)};
    struct config_problems problems = {0};
    struct config again = {0};

    FUZZ_CHECK(strstr(text, config->secret ? "\nSECRET=******\n" : "\nSECRET=\n"));
    environment_replace(&input);
    env_config_load(settings, SETTING_COUNT, &again, &problems);
    environment_restore();
    FUZZ_CHECK(problems.count == (config->required ? 0 : 1)); /* "REQUIRED is not set" */
    FUZZ_CHECK(is_same(again.text, config->text) && is_same(again.required, config->required) &&
               is_same(again.choice, config->choice));
    FUZZ_CHECK(again.number == config->number && again.bounded == config->bounded &&
               again.duration_ms == config->duration_ms && again.flag == config->flag);
    env_config_clear(settings, SETTING_COUNT, &again);
    config_problems_clear(&problems);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct config_problems problems = {0};
    struct config config = {0};

    environment_replace(&input);
    env_config_load(settings, SETTING_COUNT, &config, &problems);
    environment_restore();
    FUZZ_CHECK(problems.count <= SETTING_COUNT + 1);
    for (size_t i = 0; i < problems.count; i++)
        FUZZ_CHECK(problems.lines[i][0] != '\0');
    FUZZ_CHECK(config.required || problems.count > 0);
    FUZZ_CHECK(!config.text || *config.text);
    FUZZ_CHECK(is_same(config.choice, "json") || is_same(config.choice, "text"));
    FUZZ_CHECK(config.bounded >= 1 && config.bounded <= 15 && config.duration_ms >= 1);
    check_print(&config);
    env_config_clear(settings, SETTING_COUNT, &config);
    config_problems_clear(&problems);
    return 0;
}
