/* Runs a function in a child process and gives back what it printed and how it ended. */
#ifndef SUPPORT_CAPTURED_CHILD_H
#define SUPPORT_CAPTURED_CHILD_H

enum { CAPTURED_BYTES_MAX = 256 * 1024 };

struct captured_child {
    int exit_status; /* 128 + signal when a signal ended it */
    char *out, *err; /* owned texts: standard output and standard error */
};

/* body's result is the exit status. Fails the test when the child cannot be run. */
struct captured_child captured_child_run(int (*body)(void *), void *context);
void captured_child_clear(struct captured_child *child);

#endif
