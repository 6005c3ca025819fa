/* The Go program's settings, brought to today's names: see environment.h for the form of the
 * input. */
#include "base/former_names.h"

#include <stdlib.h>
#include <string.h>

#include "environment.h"
#include "fuzz.h"

static const struct setting settings[] = {
    {.name = "OKX_API_KEY"},  {.name = "OKX_API_SECRET"}, {.name = "OKX_API_PASSPHRASE"},
    {.name = "OKX_REST_URL"}, {.name = "OKX_WS_URL"},     {.name = "KAFKA_BOOTSTRAP_SERVERS"},
    {.name = "PGHOST"},       {.name = "PGPASSWORD"},
};

static const char *const former[] = {"API_KEY",      "SECRET",        "PASSPHRASE", "API_URI",
                                     "WSS_ENDPOINT", "KAFKA_BROKERS", "DB_HOST",    "DB_PASSWORD"};

enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static bool has_value(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* Where only the former name is set, today's is afterwards, but for the host that only redirects.
 */
static void check_renamed(const char *name, bool was_set, bool had_former)
{
    if (was_set)
        FUZZ_CHECK(has_value(name));
    if (!was_set && !had_former)
        FUZZ_CHECK(!has_value(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    bool was_set[SETTING_COUNT], had_former[SETTING_COUNT];
    char *warnings = NULL;
    size_t length = 0;
    size_t lines = 0, expected = 0;
    FILE *out = open_memstream(&warnings, &length);

    FUZZ_CHECK(out);
    environment_replace(&input);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        was_set[i] = has_value(settings[i].name);
        had_former[i] = has_value(former[i]);
        expected += had_former[i];
    }
    former_names_apply("fuzz", settings, SETTING_COUNT, out);
    fclose(out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        check_renamed(settings[i].name, was_set[i], had_former[i]);
        FUZZ_CHECK(!has_value(former[i]));
    }
    environment_restore();
    for (size_t i = 0; i < length; i++)
        lines += warnings[i] == '\n';
    FUZZ_CHECK(lines == expected);
    free(warnings);
    return 0;
}
