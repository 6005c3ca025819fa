#include "codec/writer_schema.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    NESTING_MAX = 64,
    TYPES_MAX = 4096,  /* in all, each use of a name counted: looking one up takes as many steps */
    FIELDS_MAX = 4096, /* of one record */
    SCALE_MAX = 1000,
    FIXED_BYTES_MAX = 1 << 20,
};

struct writer_schema {
    struct schema_node **nodes; /* all of them, owned here so that named types may be shared */
    size_t node_count;
    size_t type_count; /* parsed so far */
    const struct schema_node *root;
};

static const char *const type_names[] = {
    [SCHEMA_NULL] = "null",   [SCHEMA_BOOLEAN] = "boolean", [SCHEMA_INT] = "int",
    [SCHEMA_LONG] = "long",   [SCHEMA_FLOAT] = "float",     [SCHEMA_DOUBLE] = "double",
    [SCHEMA_BYTES] = "bytes", [SCHEMA_STRING] = "string",   [SCHEMA_RECORD] = "record",
    [SCHEMA_ENUM] = "enum",   [SCHEMA_ARRAY] = "array",     [SCHEMA_MAP] = "map",
    [SCHEMA_UNION] = "union", [SCHEMA_FIXED] = "fixed",
};

/* The logical types that we know, each with the plain types that may carry it. */
static const struct {
    const char *name;
    enum schema_logical_type logical_type;
    enum schema_type carrier, other_carrier;
} logical_types[] = {
    {"decimal", SCHEMA_LOGICAL_DECIMAL, SCHEMA_BYTES, SCHEMA_FIXED},
    {"date", SCHEMA_LOGICAL_DATE, SCHEMA_INT, SCHEMA_INT},
    {"timestamp-millis", SCHEMA_LOGICAL_TIMESTAMP_MILLIS, SCHEMA_LONG, SCHEMA_LONG},
    {"timestamp-micros", SCHEMA_LOGICAL_TIMESTAMP_MICROS, SCHEMA_LONG, SCHEMA_LONG},
};

/* Where in the text the parser is: the namespace that bare names belong to, and how deep. */
struct scope {
    const char *namespace; /* NULL or "": none */
    size_t namespace_length;
    int depth;
};

static const struct schema_node *parse_node(struct writer_schema *schema, const json_t *json,
                                            struct scope scope, struct err *err);

const char *schema_type_name(enum schema_type type)
{
    return type_names[type];
}

const struct schema_node *writer_schema_root(const struct writer_schema *schema)
{
    return schema->root;
}

static struct schema_node *add_node(struct writer_schema *schema, enum schema_type type)
{
    struct schema_node *node = mem_calloc(1, sizeof *node);

    node->type = type;
    schema->nodes = mem_realloc_array(schema->nodes, schema->node_count + 1, sizeof(void *));
    schema->nodes[schema->node_count++] = node;
    return node;
}

/* -1 for a name that is no type. */
static int type_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (strcmp(name, type_names[i]) == 0)
            return (int)i;
    return -1;
}

/* Returns owned: the name in full, by its own dots or the namespace. */
static char *full_name(const char *name, struct scope scope)
{
    if (strchr(name, '.') || scope.namespace_length == 0)
        return mem_strdup(name);
    return mem_sprintf("%.*s.%s", (int)scope.namespace_length, scope.namespace, name);
}

static const struct schema_node *find_named(const struct writer_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->node_count; i++)
        if (schema->nodes[i]->full_name && strcmp(schema->nodes[i]->full_name, name) == 0)
            return schema->nodes[i];
    return NULL;
}

static const struct schema_node *parse_name(struct writer_schema *schema, const char *name,
                                            struct scope scope, struct err *err)
{
    const struct schema_node *node = NULL;
    char *full = NULL;
    int type = type_from_name(name);

    if (type >= 0 && type <= SCHEMA_STRING)
        return add_node(schema, (enum schema_type)type);
    full = full_name(name, scope);
    node = find_named(schema, full);
    free(full);
    if (!node)
        (void)err_set(err, ERR_PROTOCOL, "schema names the unknown type '%.100s'", name);
    return node;
}

static void reserve_children(struct schema_node *node, size_t count, bool has_names)
{
    node->children = mem_calloc(count ? count : 1, sizeof(struct schema_node *));
    if (has_names)
        node->names = mem_calloc(count ? count : 1, sizeof(char *));
}

static const struct schema_node *parse_union(struct writer_schema *schema, const json_t *json,
                                             struct scope scope, struct err *err)
{
    struct schema_node *node = add_node(schema, SCHEMA_UNION);
    size_t count = json_array_size(json);

    reserve_children(node, count, false);
    for (size_t i = 0; i < count; i++) {
        const struct schema_node *branch = parse_node(schema, json_array_get(json, i), scope, err);
        if (!branch)
            return NULL;
        if (branch->type == SCHEMA_UNION) {
            (void)err_set(err, ERR_PROTOCOL, "schema has a union directly within a union");
            return NULL;
        }
        node->children[node->count++] = branch;
    }
    return node;
}

/* Gives the node its full name, and scope the namespace that holds inside it. */
static int define_name(struct writer_schema *schema, struct schema_node *node, const json_t *json,
                       struct scope *scope, struct err *err)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *namespace = json_string_value(json_object_get(json, "namespace"));
    const char *last_dot = NULL;
    char *full = NULL;

    if (!name || !*name)
        return err_set(err, ERR_PROTOCOL, "schema has a %s without a name",
                       schema_type_name(node->type));
    if (namespace)
        *scope = (struct scope){namespace, strlen(namespace), scope->depth};
    full = full_name(name, *scope);
    if (find_named(schema, full)) {
        free(full);
        return err_set(err, ERR_PROTOCOL, "schema defines '%.100s' twice", name);
    }
    node->full_name = full;
    last_dot = strrchr(full, '.');
    scope->namespace = full;
    scope->namespace_length = last_dot ? (size_t)(last_dot - full) : 0;
    return 0;
}

static bool has_field(const struct schema_node *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->names[i], name) == 0)
            return true;
    return false;
}

static int parse_fields(struct writer_schema *schema, struct schema_node *node, const json_t *json,
                        struct scope scope, struct err *err)
{
    const json_t *fields = json_object_get(json, "fields");
    size_t count = json_array_size(fields);

    if (!json_is_array(fields))
        return err_set(err, ERR_PROTOCOL, "schema of record %.100s has no fields", node->full_name);
    if (count > FIELDS_MAX)
        return err_set(err, ERR_LIMIT, "record %.100s has more than %d fields", node->full_name,
                       FIELDS_MAX);
    reserve_children(node, count, true);
    for (size_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        const struct schema_node *type = NULL;

        if (!name)
            return err_set(err, ERR_PROTOCOL, "field %zu of record %.100s has no name", i,
                           node->full_name);
        if (has_field(node, name))
            return err_set(err, ERR_PROTOCOL, "record %.100s has the field %.60s twice",
                           node->full_name, name);
        type = parse_node(schema, json_object_get(field, "type"), scope, err);
        if (!type)
            return err_wrap(err, "field %.60s", name);
        node->names[i] = mem_strdup(name);
        node->children[i] = type;
        node->count++;
    }
    return 0;
}

static int parse_symbols(struct schema_node *node, const json_t *json, struct err *err)
{
    const json_t *symbols = json_object_get(json, "symbols");
    size_t count = json_array_size(symbols);

    if (count == 0)
        return err_set(err, ERR_PROTOCOL, "schema of enum %.100s has no symbols", node->full_name);
    node->names = mem_calloc(count, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        if (!symbol)
            return err_set(err, ERR_PROTOCOL, "symbol %zu of enum %.100s is no text", i,
                           node->full_name);
        node->names[node->count++] = mem_strdup(symbol);
    }
    return 0;
}

static int parse_fixed(struct schema_node *node, const json_t *json, struct err *err)
{
    const json_t *size = json_object_get(json, "size");
    json_int_t bytes = json_integer_value(size);

    if (!json_is_integer(size) || bytes < 0 || bytes > FIXED_BYTES_MAX)
        return err_set(err, ERR_PROTOCOL, "size of fixed %.100s is not within 0 to %d",
                       node->full_name, FIXED_BYTES_MAX);
    node->fixed_bytes = (size_t)bytes;
    return 0;
}

static int parse_items(struct writer_schema *schema, struct schema_node *node, const json_t *items,
                       struct scope scope, struct err *err)
{
    const struct schema_node *child = parse_node(schema, items, scope, err);

    if (!child)
        return -1;
    reserve_children(node, 1, false);
    node->children[0] = child;
    node->count = 1;
    return 0;
}

/* A malformed logical type counts as none, as the specification wants it. */
static void read_logical_type(struct schema_node *node, const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "logicalType"));
    const json_t *scale = json_object_get(json, "scale");
    json_int_t scale_value = json_integer_value(scale); /* 0 when absent */

    for (size_t i = 0; name && i < sizeof logical_types / sizeof logical_types[0]; i++) {
        if (strcmp(name, logical_types[i].name) != 0)
            continue;
        if (node->type != logical_types[i].carrier && node->type != logical_types[i].other_carrier)
            continue;
        if (scale_value < 0 || scale_value > SCALE_MAX)
            continue;
        node->logical_type = logical_types[i].logical_type;
        node->scale = (int)scale_value;
    }
}

static int parse_complex(struct writer_schema *schema, struct schema_node *node, const json_t *json,
                         struct scope scope, struct err *err)
{
    switch (node->type) {
    case SCHEMA_RECORD:
        if (define_name(schema, node, json, &scope, err) != 0)
            return -1;
        return parse_fields(schema, node, json, scope, err);
    case SCHEMA_ENUM:
        if (define_name(schema, node, json, &scope, err) != 0)
            return -1;
        return parse_symbols(node, json, err);
    case SCHEMA_FIXED:
        if (define_name(schema, node, json, &scope, err) != 0)
            return -1;
        return parse_fixed(node, json, err);
    case SCHEMA_ARRAY:
        return parse_items(schema, node, json_object_get(json, "items"), scope, err);
    case SCHEMA_MAP:
        return parse_items(schema, node, json_object_get(json, "values"), scope, err);
    default:
        return 0;
    }
}

static const struct schema_node *parse_object(struct writer_schema *schema, const json_t *json,
                                              struct scope scope, struct err *err)
{
    const json_t *inner = json_object_get(json, "type");
    const char *name = json_string_value(inner);
    int type = name ? type_from_name(name) : -1;
    struct schema_node *node = NULL;

    if (type < 0 || type == SCHEMA_UNION) /* {"type": <another schema>} */
        return parse_node(schema, inner, scope, err);
    node = add_node(schema, (enum schema_type)type);
    if (parse_complex(schema, node, json, scope, err) != 0)
        return NULL;
    read_logical_type(node, json);
    return node;
}

static const struct schema_node *parse_node(struct writer_schema *schema, const json_t *json,
                                            struct scope scope, struct err *err)
{
    if (++scope.depth > NESTING_MAX) {
        (void)err_set(err, ERR_LIMIT, "schema is nested deeper than %d", NESTING_MAX);
        return NULL;
    }
    if (schema->type_count++ == TYPES_MAX) {
        (void)err_set(err, ERR_LIMIT, "schema has more than %d types", TYPES_MAX);
        return NULL;
    }
    if (json_is_string(json))
        return parse_name(schema, json_string_value(json), scope, err);
    if (json_is_array(json))
        return parse_union(schema, json, scope, err);
    if (json_is_object(json))
        return parse_object(schema, json, scope, err);
    (void)err_set(err, ERR_PROTOCOL, "schema has no type where one must stand");
    return NULL;
}

struct writer_schema *writer_schema_parse(struct text_view text, struct err *err)
{
    struct writer_schema *schema = NULL;
    json_error_t json_error = {0};
    json_t *json =
        json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &json_error);

    if (!json) {
        (void)err_set(err, ERR_PROTOCOL, "schema is no JSON: %s", json_error.text);
        return NULL;
    }
    schema = mem_calloc(1, sizeof *schema);
    schema->root = parse_node(schema, json, (struct scope){0}, err);
    json_decref(json);
    if (!schema->root) {
        writer_schema_destroy(schema);
        return NULL;
    }
    return schema;
}

static void destroy_node(struct schema_node *node)
{
    for (size_t i = 0; node->names && i < node->count; i++)
        free(node->names[i]);
    free(node->names);
    free(node->children);
    free(node->full_name);
    free(node);
}

void writer_schema_destroy(struct writer_schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->node_count; i++)
        destroy_node(schema->nodes[i]);
    free(schema->nodes);
    free(schema);
}
