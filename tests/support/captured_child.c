#include "tests/support/captured_child.h"

#include "tests/support/unit_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_body(int (*body)(void *), void *context, FILE *out, FILE *err)
{
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    int status = body(context);
    fflush(stdout);
    _exit(status);
}

static char *read_all(FILE *file)
{
    char *text = calloc(1, CAPTURED_BYTES_MAX + 1);
    assert_non_null(text);
    rewind(file);
    size_t length = fread(text, 1, CAPTURED_BYTES_MAX, file);
    assert_true(length < CAPTURED_BYTES_MAX);
    fclose(file);
    return text;
}

struct captured_child captured_child_run(int (*body)(void *), void *context)
{
    struct captured_child result = {0};
    int status = 0;
    FILE *out = tmpfile();
    FILE *err = tmpfile();

    assert_non_null(out);
    assert_non_null(err);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_body(body, context, out, err);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = read_all(out);
    result.err = read_all(err);
    return result;
}

void captured_child_clear(struct captured_child *child)
{
    free(child->out);
    free(child->err);
    *child = (struct captured_child){0};
}
