#include "base/former_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

/* Each returns owned the value in today's form; NULL: today's default is what was meant. */

static char *same(const char *value)
{
    return mem_strdup(value);
}

/* "a:9092 b:9092" */
static char *server_list(const char *value)
{
    char *list = mem_strdup(value);

    for (char *at = list; *at; at++)
        if (*at == ' ')
            *at = ',';
    return list;
}

/* The host of the Go program's example only redirects. */
static char *rest_url(const char *value)
{
    return strcmp(value, "https://okx.com") == 0 ? NULL : mem_strdup(value);
}

/* "wss://ws.okx.com:8443/ws/v5/public": the path is ours to choose, and OKX has left that port. */
static char *ws_url(const char *value)
{
    static const char former_port[] = "ws.okx.com:8443";
    const char *path = strstr(value, "/ws/v5");
    size_t length = path ? (size_t)(path - value) : strlen(value);

    if (length >= sizeof former_port - 1 && strncmp(value + length - (sizeof former_port - 1),
                                                    former_port, sizeof former_port - 1) == 0)
        length -= strlen(":8443");
    return mem_strndup(value, length);
}

static const struct former_name {
    const char *former;
    const char *name;
    char *(*convert)(const char *value);
} former_names[] = {
    {"API_KEY", "OKX_API_KEY", same},
    {"SECRET", "OKX_API_SECRET", same},
    {"PASSPHRASE", "OKX_API_PASSPHRASE", same},
    {"API_URI", "OKX_REST_URL", rest_url},
    {"WSS_ENDPOINT", "OKX_WS_URL", ws_url},
    {"CANDLES_BAR", "CANDLE_BARS", same},
    {"KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS", server_list},
    {"DB_HOST", "PGHOST", same},
    {"DB_PORT", "PGPORT", same},
    {"DB_NAME", "PGDATABASE", same},
    {"DB_USER", "PGUSER", same},
    {"DB_PASSWORD", "PGPASSWORD", same},
};

static bool has_setting(const struct setting *settings, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return false;
}

/* NULL when unset or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* An empty file counts as unset, as everywhere. */
static bool is_set(const char *name, const char *file_variable)
{
    const char *path = variable(file_variable);
    struct stat file;

    return variable(name) || (path && (stat(path, &file) != 0 || file.st_size > 0));
}

/* Returns owned the value without the quotes that some readers of env files leave around it. */
static char *unquoted(const char *value)
{
    size_t length;

    value += strspn(value, " '\"");
    length = strlen(value);
    while (length > 0 && strchr(" '\"", value[length - 1]))
        length--;
    return mem_strndup(value, length);
}

static void rename_variable(const struct former_name *row, const char *former_value,
                            const char *file_variable)
{
    char *text = unquoted(former_value);
    char *value = row->convert(text);

    unsetenv(file_variable);
    if (value)
        setenv(row->name, value, 1);
    free(value);
    free(text);
}

void former_names_apply(const char *program, const struct setting *settings, size_t count,
                        FILE *warnings)
{
    for (size_t i = 0; i < sizeof former_names / sizeof former_names[0]; i++) {
        const struct former_name *row = &former_names[i];
        const char *former_value = variable(row->former);
        char *file_variable;

        if (!former_value || !has_setting(settings, count, row->name))
            continue;
        file_variable = mem_sprintf("%s_FILE", row->name);
        if (is_set(row->name, file_variable)) {
            fprintf(warnings, "%s: %s is deprecated and ignored, since %s is set\n", program,
                    row->former, row->name);
        } else {
            fprintf(warnings, "%s: %s is deprecated, its name is %s now\n", program, row->former,
                    row->name);
            rename_variable(row, former_value, file_variable);
        }
        unsetenv(row->former); /* KAFKA_BROKERS would be taken for a property of librdkafka */
        free(file_variable);
    }
}
