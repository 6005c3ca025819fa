/*
 * The error value: what went wrong, whether trying again may help, and a sentence for people. Pure.
 *
 * A function that can fail returns int (0, or -1), a count (or -1) or a pointer (or NULL), and
 * takes a struct err last, which it fills on failure only; its other outputs stay untouched then.
 * Callers branch on code and retriable, never on the message. By value: no heap, no thread-local.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attributes.h"

enum err_code {
    ERR_NONE = 0,
    ERR_CONFIG,       /* a setting is missing or malformed */
    ERR_PROTOCOL,     /* foreign bytes are not what their protocol says */
    ERR_UNSUPPORTED,  /* well-formed, but nothing we know how to handle */
    ERR_OUT_OF_RANGE, /* a value beyond what we can hold exactly */
    ERR_LIMIT,        /* a cap of ours was reached (size, depth, count) */
    ERR_NETWORK,      /* could not reach, or lost, the other side */
    ERR_TIMEOUT,      /* no answer in time */
    ERR_RATE_LIMIT,   /* the other side asks us to slow down */
    ERR_REMOTE,       /* the other side answered with a refusal */
    ERR_NOT_FOUND,    /* the thing asked for does not exist there */
    ERR_UNAUTHORIZED, /* credentials refused */
    ERR_FULL,         /* a bounded queue has no room now */
    ERR_STOPPED,      /* gave up because the process is stopping */
    ERR_SYSTEM,       /* a system call failed */
};

struct err {
    enum err_code code;
    bool retriable;
    char message[256]; /* valid UTF-8, whatever it quotes; never holds a secret */
};

/* Fills err; returns -1, so that "return err_set(...)" is the whole failure path. retriable is
 * false. */
int err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set, for a failure that may pass if tried again. */
int err_set_retriable(struct err *err, enum err_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* ERR_SYSTEM with strerror(errno) appended to the text. */
int err_set_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prefixes what the caller was doing: "parse trade 7: unknown side 'hold'". Returns -1. */
int err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* A constant name for logs and metrics: "network", "rate_limit". Never NULL. */
const char *err_code_name(enum err_code code);

#endif
