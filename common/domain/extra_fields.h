/*
 * Members of an OKX row that we have no field for, kept as name and text so that nothing OKX sends
 * is lost: strings as they are, anything else as its JSON text. Pure.
 */
#ifndef DOMAIN_EXTRA_FIELDS_H
#define DOMAIN_EXTRA_FIELDS_H

#include <stddef.h>

struct extra_field {
    char *name;
    char *value;
};

struct extra_fields {
    struct extra_field *fields; /* NULL when count is 0, which is the usual case */
    size_t count;
};

enum { EXTRA_FIELDS_MAX = 64 };

/* Copies both. Returns -1 when EXTRA_FIELDS_MAX is reached. */
int extra_fields_add(struct extra_fields *extra, const char *name, size_t name_length,
                     const char *value, size_t value_length);
void extra_fields_clear(struct extra_fields *extra);
/* NULL when absent; borrowed. */
const char *extra_fields_find(const struct extra_fields *extra, const char *name);

#endif
