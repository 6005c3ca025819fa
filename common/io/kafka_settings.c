#include "io/kafka_settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/kafka_log.h"

enum { FILE_BYTES_MAX = 64 * 1024, REASON_BYTES = 256 };

#define VARIABLE_PREFIX "KAFKA_"

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* Kubernetes describes every service of the namespace in variables, a service "kafka" as
 * KAFKA_SERVICE_HOST, KAFKA_PORT=tcp://…, KAFKA_PORT_9092_TCP_ADDR and so on. */
static bool is_kubernetes_variable(const char *name, const char *value)
{
    const char *port = strstr(name, "_PORT_");

    if (ends_with(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT"))
        return true;
    if (ends_with(name, "_PORT"))
        return strstr(value, "://") != NULL;
    if (!port)
        return false;
    port += strlen("_PORT_");
    size_t digits = strspn(port, "0123456789");
    return digits > 0 &&
           (strncmp(port + digits, "_TCP", 4) == 0 || strncmp(port + digits, "_UDP", 4) == 0);
}

/* Returns owned: "KAFKA_SSL_CA_LOCATION" gives "ssl.ca.location". */
static char *property_name(const char *variable)
{
    char *name = mem_strdup(variable + strlen(VARIABLE_PREFIX));

    for (char *at = name; *at; at++)
        *at = *at == '_' ? '.' : (char)tolower((unsigned char)*at);
    return name;
}

static bool is_secret(const char *name)
{
    return ends_with(name, ".password") || ends_with(name, ".secret") || ends_with(name, ".pem") ||
           strcmp(name, "sasl.oauthbearer.config") == 0;
}

/* librdkafka's reasons quote the value. */
static const char *printable_reason(const char *name, const char *reason)
{
    return is_secret(name) ? "the value is refused" : reason;
}

/* Returns owned the text of the file without its last line feed, or NULL with a problem added. */
static char *read_secret(const char *variable, const char *path, struct config_problems *problems)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t length;

    if (!file) {
        config_problems_add(problems, "%s: cannot read %s: %s", variable, path, strerror(errno));
        return NULL;
    }
    text = mem_alloc(FILE_BYTES_MAX + 1);
    length = fread(text, 1, FILE_BYTES_MAX + 1, file);
    if (ferror(file) || length > FILE_BYTES_MAX || memchr(text, '\0', length)) {
        config_problems_add(problems, "%s: %s is not a readable text of at most %d bytes", variable,
                            path, FILE_BYTES_MAX);
        free(text);
        text = NULL;
    } else {
        while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
            length--;
        text[length] = '\0';
        text = mem_realloc_array(text, length + 1, 1);
    }
    fclose(file);
    return text;
}

static const struct kafka_property *find_property(const struct kafka_settings *settings,
                                                  const char *name)
{
    for (size_t i = 0; i < settings->property_count; i++) {
        if (strcmp(settings->properties[i].name, name) == 0)
            return &settings->properties[i];
    }
    return NULL;
}

/* Takes name and value. */
static void add_property(struct kafka_settings *settings, char *name, char *value)
{
    settings->properties = mem_realloc_array(settings->properties, settings->property_count + 1,
                                             sizeof *settings->properties);
    settings->properties[settings->property_count++] =
        (struct kafka_property){.name = name, .value = value};
}

/*
 * Finds out what the variable means by asking librdkafka, as part of scratch: the property of that
 * name, or with …_FILE the property of the name before it.
 */
static void load_variable(struct kafka_settings *settings, rd_kafka_conf_t *scratch,
                          const char *variable, const char *value, struct config_problems *problems)
{
    char reason[REASON_BYTES] = "";
    char *name = property_name(variable);
    char *text = mem_strdup(value);
    rd_kafka_conf_res_t result = rd_kafka_conf_set(scratch, name, text, reason, sizeof reason);

    if (result == RD_KAFKA_CONF_UNKNOWN && ends_with(name, ".file")) {
        free(text);
        text = read_secret(variable, value, problems);
        if (!text)
            goto out;
        name[strlen(name) - strlen(".file")] = '\0';
        result = rd_kafka_conf_set(scratch, name, text, reason, sizeof reason);
    }
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        config_problems_add(problems, "%s: librdkafka has no property %s", variable, name);
    } else if (result != RD_KAFKA_CONF_OK) {
        config_problems_add(problems, "%s: %s", variable, printable_reason(name, reason));
    } else if (find_property(settings, name)) {
        config_problems_add(problems, "%s: %s is set twice, directly and by file", variable, name);
    } else {
        add_property(settings, name, text);
        return;
    }
out:
    free(text);
    free(name);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Returns owned: the environment's KAFKA_ entries, sorted, so that problems come in the same order
 * on every start; the entries themselves are borrowed. */
static char **list_variables(size_t *count)
{
    char **entries = NULL;

    *count = 0;
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0)
            continue;
        entries = mem_realloc_array(entries, *count + 1, sizeof *entries);
        entries[(*count)++] = *entry;
    }
    if (entries)
        qsort(entries, *count, sizeof *entries, compare_texts);
    return entries;
}

void kafka_settings_load_properties(struct kafka_settings *settings,
                                    struct config_problems *problems)
{
    rd_kafka_conf_t *scratch = rd_kafka_conf_new();
    size_t count;
    char **entries = list_variables(&count);
    struct err err = {0};

    for (size_t i = 0; i < count; i++) {
        const char *value = strchr(entries[i], '=');
        char *variable;

        if (!value || value[1] == '\0') /* empty counts as unset */
            continue;
        variable = mem_strndup(entries[i], (size_t)(value++ - entries[i]));
        if (strcmp(variable, "KAFKA_BOOTSTRAP_SERVERS") != 0 &&
            !is_kubernetes_variable(variable, value))
            load_variable(settings, scratch, variable, value, problems);
        free(variable);
    }
    if (topic_names_init(&settings->topics, settings->topic_prefix, &err) != 0)
        config_problems_add(problems, "TOPIC_PREFIX: %s", err.message);
    free(entries);
    rd_kafka_conf_destroy(scratch);
}

void kafka_settings_clear_properties(struct kafka_settings *settings)
{
    for (size_t i = 0; i < settings->property_count; i++) {
        free(settings->properties[i].name);
        free(settings->properties[i].value);
    }
    free(settings->properties);
    settings->properties = NULL;
    settings->property_count = 0;
}

int kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err)
{
    char reason[REASON_BYTES];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(err, ERR_CONFIG, "Kafka property %s: %s", name, printable_reason(name, reason));
}

static int set_all(rd_kafka_conf_t *conf, const struct kafka_property *properties, size_t count,
                   struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (kafka_conf_set(conf, properties[i].name, properties[i].value, err) != 0)
            return -1;
    }
    return 0;
}

static size_t count_of(const struct kafka_property *properties)
{
    size_t count = 0;

    while (properties && properties[count].name)
        count++;
    return count;
}

rd_kafka_conf_t *kafka_settings_new_conf(const struct kafka_settings *settings,
                                         const char *client_id,
                                         const struct kafka_client_properties *client,
                                         struct err *err)
{
    const struct kafka_client_properties own =
        client ? *client : (struct kafka_client_properties){0};
    /* What every client of ours wants, whatever it does. A broker that is back is found again
     * within seconds, and a connection that a firewall forgot is noticed. */
    const struct kafka_property common[] = {
        {"bootstrap.servers", settings->bootstrap_servers},
        {"client.id", (char *)client_id},
        {"reconnect.backoff.max.ms", "3000"},
        {"socket.keepalive.enable", "true"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, kafka_log_write);
    if (set_all(conf, common, sizeof common / sizeof common[0], err) != 0 ||
        set_all(conf, own.defaults, count_of(own.defaults), err) != 0 ||
        set_all(conf, settings->properties, settings->property_count, err) != 0 ||
        set_all(conf, own.promises, count_of(own.promises), err) != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

char *kafka_settings_topic_label(const struct kafka_settings *settings, const char *topic)
{
    const char *prefix = settings->topic_prefix ? settings->topic_prefix : "";
    bool has_prefix = strncmp(topic, prefix, strlen(prefix)) == 0;

    return mem_sprintf("topic=\"%s\"", has_prefix ? topic + strlen(prefix) : topic);
}
