/*
 * WebSocket bytes that no well-meaning exchange sends, in the forms that the admin port offers.
 * Written piece by piece, so that a frame of any size costs no memory. Pure.
 */
#ifndef OKX_SIM_HOSTILE_FRAME_H
#define OKX_SIM_HOSTILE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum hostile_form {
    HOSTILE_HUGE,      /* one text frame of bytes bytes */
    HOSTILE_FRAGMENTS, /* the same in fragments of 64 KiB */
    HOSTILE_ENDLESS,   /* a frame that announces 2^62 bytes, and bytes of them */
    HOSTILE_ROWS,      /* as many empty rows as fit into bytes */
    HOSTILE_NESTED,    /* arrays nested bytes deep */
    HOSTILE_DIGITS,    /* a trade whose price has bytes digits */
    HOSTILE_NUMBER,    /* a trade whose price is a JSON number of bytes digits */
    HOSTILE_UTF8,      /* a trade that is no UTF-8 */
    HOSTILE_NUL,       /* a trade with NULs, raw and escaped */
    HOSTILE_EMPTY,     /* a frame of no bytes */
    HOSTILE_BINARY,    /* a binary frame of every byte */
    HOSTILE_TEXTS,     /* events whose texts are bytes long */
    HOSTILE_TYPES,     /* frames whose members are of every wrong type */
    HOSTILE_OPCODE,    /* an opcode that RFC 6455 does not know */
    HOSTILE_FORMS,
};

/* False for an unknown name. */
bool hostile_form_read(const char *name, enum hostile_form *form);
/* How many bytes the form means unless it is told: 100 MB of what is large. */
int64_t hostile_form_bytes(enum hostile_form form);

struct hostile_frame {
    enum hostile_form form;
    int64_t bytes;
    int64_t sent; /* of the payload */
    bool is_begun;
    char inst_id[40]; /* whose trades are spoilt */
};

/* Appends the next bytes, about max_bytes at most; false when nothing is left. */
bool hostile_frame_append(struct hostile_frame *frame, size_t max_bytes, struct buf *out);

#endif
