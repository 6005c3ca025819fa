#include "domain/extra_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int extra_fields_add(struct extra_fields *extra, const char *name, size_t name_length,
                     const char *value, size_t value_length)
{
    if (extra->count >= EXTRA_FIELDS_MAX)
        return -1;
    extra->fields = mem_realloc_array(extra->fields, extra->count + 1, sizeof *extra->fields);
    extra->fields[extra->count++] = (struct extra_field){
        .name = mem_strndup(name, name_length),
        .value = mem_strndup(value, value_length),
    };
    return 0;
}

void extra_fields_clear(struct extra_fields *extra)
{
    for (size_t i = 0; i < extra->count; i++) {
        free(extra->fields[i].name);
        free(extra->fields[i].value);
    }
    free(extra->fields);
    *extra = (struct extra_fields){0};
}

const char *extra_fields_find(const struct extra_fields *extra, const char *name)
{
    for (size_t i = 0; i < extra->count; i++)
        if (strcmp(extra->fields[i].name, name) == 0)
            return extra->fields[i].value;
    return NULL;
}
