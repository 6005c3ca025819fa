#include "io/schema_registry.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shutdown.h"
#include "io/http_client.h"
#include "io/registry_message.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 15000,
    BODY_BYTES_MAX = 4 << 20,
    URL_BYTES_MAX = 4096,
    IDLE_CLIENTS_MAX = 4,
};

struct cached_schema {
    struct cached_schema *next;
    int32_t id;
    char *text;
};

struct schema_registry {
    char *base_url; /* without a trailing slash, user or password */
    struct http_client_options http;
    char *user_password; /* or NULL */
    char *ca_file, *cert_file, *key_file;

    /* Protects what follows. Never held during a request: a thread takes a client out, and one that
     * is known to be missing is made. */
    pthread_mutex_t lock;
    struct cached_schema *schemas; /* only grows, so texts stay where they are */
    struct http_client *idle_clients[IDLE_CLIENTS_MAX];
    size_t idle_count;
};

/* Returns owned one decoded part of the address, or NULL. */
static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    char *copy = NULL;

    if (curl_url_get(url, part, &text, CURLU_URLDECODE) == CURLUE_OK)
        copy = mem_strdup(text);
    curl_free(text);
    return copy;
}

/* Moves "user:password@" out of the address. What the settings name goes first. */
static void take_credentials(struct schema_registry *registry, CURLU *url,
                             const struct schema_registry_settings *settings)
{
    char *user = settings->user ? mem_strdup(settings->user) : url_part(url, CURLUPART_USER);
    char *password =
        settings->password ? mem_strdup(settings->password) : url_part(url, CURLUPART_PASSWORD);

    if (user)
        registry->user_password = mem_sprintf("%s:%s", user, password ? password : "");
    free(user);
    free(password);
    (void)curl_url_set(url, CURLUPART_USER, NULL, 0);
    (void)curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
}

static int take_url(struct schema_registry *registry,
                    const struct schema_registry_settings *settings, struct err *err)
{
    CURLU *url = curl_url();
    char *text = NULL;
    size_t length = 0;
    int status = -1;

    if (!url || !settings->url || curl_url_set(url, CURLUPART_URL, settings->url, 0) != CURLUE_OK) {
        (void)err_set(err, ERR_CONFIG, "SCHEMA_REGISTRY_URL is no http or https address");
        goto out;
    }
    take_credentials(registry, url, settings);
    (void)curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    (void)curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK ||
        (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)) {
        (void)err_set(err, ERR_CONFIG, "SCHEMA_REGISTRY_URL is no http or https address");
        goto out;
    }
    length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    registry->base_url = mem_strndup(text, length);
    status = 0;
out:
    curl_free(text);
    curl_url_cleanup(url);
    return status;
}

struct schema_registry *schema_registry_create(const struct schema_registry_settings *settings,
                                               struct err *err)
{
    struct schema_registry *registry = mem_calloc(1, sizeof *registry);

    http_client_global_init();
    (void)pthread_mutex_init(&registry->lock, NULL);
    registry->ca_file = mem_strdup(settings->ca_file);
    registry->cert_file = mem_strdup(settings->cert_file);
    registry->key_file = mem_strdup(settings->key_file);
    if (take_url(registry, settings, err) != 0) {
        schema_registry_destroy(registry);
        return NULL;
    }
    registry->http = (struct http_client_options){
        .user_agent = "currency-trends",
        .ca_file = registry->ca_file,
        .cert_file = registry->cert_file,
        .key_file = registry->key_file,
        .user_password = registry->user_password,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = TIMEOUT_MS,
        .body_bytes_max = BODY_BYTES_MAX,
    };
    return registry;
}

void schema_registry_destroy(struct schema_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->idle_count; i++)
        http_client_destroy(registry->idle_clients[i]);
    while (registry->schemas) {
        struct cached_schema *schema = registry->schemas;

        registry->schemas = schema->next;
        free(schema->text);
        free(schema);
    }
    (void)pthread_mutex_destroy(&registry->lock);
    free(registry->base_url);
    free(registry->user_password);
    free(registry->ca_file);
    free(registry->cert_file);
    free(registry->key_file);
    free(registry);
}

static struct http_client *acquire_client(struct schema_registry *registry, struct err *err)
{
    struct http_client *client = NULL;

    (void)pthread_mutex_lock(&registry->lock);
    if (registry->idle_count > 0)
        client = registry->idle_clients[--registry->idle_count];
    (void)pthread_mutex_unlock(&registry->lock);
    return client ? client : http_client_create(&registry->http, err);
}

static void release_client(struct schema_registry *registry, struct http_client *client)
{
    (void)pthread_mutex_lock(&registry->lock);
    if (registry->idle_count < IDLE_CLIENTS_MAX) {
        registry->idle_clients[registry->idle_count++] = client;
        client = NULL;
    }
    (void)pthread_mutex_unlock(&registry->lock);
    http_client_destroy(client);
}

static struct text_view view_of(const struct buf *buf)
{
    return (struct text_view){.data = buf->data, .length = buf->length};
}

/* Performs one request. response has the status of a refusal too, and the body of a success, which
 * the caller clears. */
static int exchange(struct schema_registry *registry, const char *method, const char *path,
                    const struct buf *content, struct http_response *response, struct err *err)
{
    static const char *const headers[] = {
        "Content-Type: application/vnd.schemaregistry.v1+json",
        "Accept: application/vnd.schemaregistry.v1+json, application/json",
    };
    struct http_client *client = acquire_client(registry, err);
    char *url = mem_sprintf("%s%s", registry->base_url, path);
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = sizeof headers / sizeof headers[0],
        .body = content ? content->data : NULL,
        .body_length = content ? content->length : 0,
    };
    int status = -1;

    if (!client)
        goto out;
    if (http_client_perform(client, &request, response, err) != 0) {
        if (err->code == ERR_LIMIT)
            err->retriable = true; /* something else than the registry answered */
        goto out;
    }
    if (response->status < 200 || response->status > 299) {
        (void)registry_message_set_refusal(response->status, view_of(&response->body), err);
        (void)err_wrap(err, "%s %s", method, url);
        buf_clear(&response->body);
        goto out;
    }
    status = 0;
out:
    if (client)
        release_client(registry, client);
    free(url);
    return status;
}

static const struct cached_schema *find_schema(struct schema_registry *registry, int32_t id)
{
    const struct cached_schema *schema = NULL;

    (void)pthread_mutex_lock(&registry->lock);
    schema = registry->schemas;
    while (schema && schema->id != id)
        schema = schema->next;
    (void)pthread_mutex_unlock(&registry->lock);
    return schema;
}

/* Takes text. Two threads may have fetched the same id: the second copy is as good. */
static const struct cached_schema *keep_schema(struct schema_registry *registry, int32_t id,
                                               char *text)
{
    struct cached_schema *schema = mem_calloc(1, sizeof *schema);

    schema->id = id;
    schema->text = text;
    (void)pthread_mutex_lock(&registry->lock);
    schema->next = registry->schemas;
    registry->schemas = schema;
    (void)pthread_mutex_unlock(&registry->lock);
    return schema;
}

/* Returns owned "<prefix><subject, escaped><suffix>". */
static char *subject_path(const char *prefix, const char *subject, const char *suffix)
{
    char *escaped = curl_easy_escape(NULL, subject, 0);
    char *path = mem_sprintf("%s%s%s", prefix, escaped ? escaped : subject, suffix);

    curl_free(escaped);
    return path;
}

static int put_compatibility_once(struct schema_registry *registry, const char *path,
                                  long *http_status, struct err *err)
{
    struct buf content = {0};
    struct http_response response = {0};
    int status = 0;

    buf_init(&content, BODY_BYTES_MAX);
    (void)buf_append_text(&content, "{\"compatibility\":\"FULL_TRANSITIVE\"}");
    status = exchange(registry, "PUT", path, &content, &response, err);
    *http_status = response.status;
    buf_clear(&response.body);
    buf_clear(&content);
    return status;
}

/* Apicurio answers 409 when another service sets it at this moment; soon after it is there. */
static int put_compatibility(struct schema_registry *registry, const char *subject, struct err *err)
{
    enum { CONFLICT = 409, CONFLICT_WAIT_MS = 200, TRIES = 4 };
    char *path = subject_path("/config/", subject, "");
    long http_status = 0;
    int status = put_compatibility_once(registry, path, &http_status, err);

    for (int i = 1; i < TRIES && status != 0 && http_status == CONFLICT; i++) {
        if (shutdown_wait_ms(CONFLICT_WAIT_MS))
            break;
        status = put_compatibility_once(registry, path, &http_status, err);
    }
    if (status != 0 && http_status == CONFLICT)
        err->retriable = true;
    free(path);
    return status;
}

static int post_schema(struct schema_registry *registry, const char *subject,
                       struct text_view schema, int32_t *id, struct err *err)
{
    char *path = subject_path("/subjects/", subject, "/versions");
    struct buf content = {0};
    struct http_response response = {0};
    int status = -1;

    buf_init(&content, BODY_BYTES_MAX);
    if (registry_message_put_schema(&content, schema, err) != 0 ||
        exchange(registry, "POST", path, &content, &response, err) != 0)
        goto out;
    if (registry_message_read_id(view_of(&response.body), id, err) != 0) {
        err->retriable = true; /* something else than the registry answered */
        (void)err_wrap(err, "POST %s%s", registry->base_url, path);
        goto out;
    }
    status = 0;
out:
    buf_clear(&response.body);
    buf_clear(&content);
    free(path);
    return status;
}

/* Compatibility is set first, so that even the first version is checked by it; a registry that
 * knows a subject only once it has a version (40401) gets it right after. */
int schema_registry_register(struct schema_registry *registry, const char *subject,
                             struct text_view schema, int32_t *id, struct err *err)
{
    bool is_new_subject = false;
    int32_t new_id = 0;

    if (put_compatibility(registry, subject, err) != 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        is_new_subject = true;
    }
    if (post_schema(registry, subject, schema, &new_id, err) != 0)
        return -1;
    if (is_new_subject && put_compatibility(registry, subject, err) != 0)
        return -1;
    if (!find_schema(registry, new_id))
        (void)keep_schema(registry, new_id, mem_strndup(schema.data, schema.length));
    *id = new_id;
    return 0;
}

/* Only these say something about the schema; anything else is between us and the registry. */
static bool is_final(enum err_code code)
{
    return code == ERR_NOT_FOUND || code == ERR_UNSUPPORTED || code == ERR_STOPPED;
}

static char *fetch_schema(struct schema_registry *registry, int32_t id, struct err *err)
{
    char *path = mem_sprintf("/schemas/ids/%d", id);
    char *text = NULL;
    struct http_response response = {0};

    if (exchange(registry, "GET", path, NULL, &response, err) == 0) {
        text = registry_message_read_schema(view_of(&response.body), err);
        if (!text)
            (void)err_wrap(err, "GET %s%s", registry->base_url, path);
    }
    if (!text && !is_final(err->code))
        err->retriable = true;
    buf_clear(&response.body);
    free(path);
    return text;
}

int schema_registry_get(struct schema_registry *registry, int32_t id, struct text_view *schema,
                        struct err *err)
{
    const struct cached_schema *cached = find_schema(registry, id);

    if (!cached) {
        char *text = fetch_schema(registry, id, err);
        if (!text)
            return -1;
        cached = keep_schema(registry, id, text);
    }
    *schema = text_view_of(cached->text);
    return 0;
}
