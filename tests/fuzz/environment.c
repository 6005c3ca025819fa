#include "environment.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

enum { VARIABLES_MAX = 200 };

static char **own_environment;
static char *owned[VARIABLES_MAX];
static char *variables[VARIABLES_MAX + 1]; /* the same; setenv and unsetenv change it */
static size_t variable_count;
static int file = -1;

static bool ends_with(const char *text, size_t length, const char *suffix)
{
    size_t suffix_length = strlen(suffix);

    return length >= suffix_length &&
           memcmp(text + length - suffix_length, suffix, suffix_length) == 0;
}

static void add(struct text_view line)
{
    const char *sign = line.length > 0 ? memchr(line.data, '=', line.length) : NULL;
    size_t name_length = sign ? (size_t)(sign - line.data) : 0;

    if (name_length == 0 || variable_count == VARIABLES_MAX)
        return;
    for (size_t i = 0; i < variable_count; i++)
        if (strncmp(variables[i], line.data, name_length + 1) == 0)
            return; /* an environment has each name once */
    owned[variable_count] =
        ends_with(line.data, name_length, "_FILE")
            ? mem_sprintf("%.*s=/proc/self/fd/%d", (int)name_length, line.data, file)
            : fuzz_text(line);
    variables[variable_count] = owned[variable_count];
    variable_count++;
}

void environment_replace(struct fuzz_input *input)
{
    struct text_view lines = fuzz_take_until(input, '\0'), line;

    file = memfd_create("secret", MFD_CLOEXEC);
    FUZZ_CHECK(file >= 0);
    if (input->left > 0)
        FUZZ_CHECK(write(file, input->at, input->left) == (ssize_t)input->left);
    while (text_view_split(&lines, '\n', &line))
        add(line);
    variables[variable_count] = NULL;
    own_environment = environ;
    environ = variables;
}

void environment_restore(void)
{
    environ = own_environment;
    while (variable_count > 0)
        free(owned[--variable_count]);
    close(file);
}
