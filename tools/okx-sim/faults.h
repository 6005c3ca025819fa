/* The faults that the admin port switched on and that have not run out. Pure. */
#ifndef OKX_SIM_FAULTS_H
#define OKX_SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instant.h"

enum { FAULTS_REST_MAX = 32 };

enum rest_fault_form {
    REST_FAULT_ERROR,
    REST_FAULT_HANG,
    REST_FAULT_TRUNCATE,
    REST_FAULT_HTML,
    REST_FAULT_REDIRECT, /* to itself */
    REST_FAULT_TYPE,     /* a good body with another content type */
    REST_FAULT_HUGE,     /* 100 MB */
    REST_FAULT_ENDLESS,  /* goes on until the client gives up */
    REST_FAULT_NESTED,   /* ten thousand deep */
    REST_FAULT_ROWS,     /* two million empty rows */
};

struct rest_fault {
    char endpoint[64]; /* empty: any */
    char code[16];     /* OKX's */
    int status;        /* HTTP's */
    enum rest_fault_form form;
    int64_t count; /* answers still to spoil */
};

struct faults {
    int64_t stall_until_ms;  /* monotonic: WebSocket connections say nothing before */
    int64_t refuse_until_ms; /* monotonic: WebSocket handshakes are cut off before */
    int64_t malformed_count; /* data frames still to garble */
    int64_t odd_count;       /* frames of "trades" still to send with unknown and missing members */
    struct rest_fault rest[FAULTS_REST_MAX];
    size_t rest_count;
};

bool faults_is_stalled(const struct faults *faults, struct instant now);
bool faults_is_refusing(const struct faults *faults, struct instant now);
/* False when there are too many at once. */
bool faults_add_rest(struct faults *faults, const struct rest_fault *fault);
/* Uses up one answer of the first fault that fits the endpoint; false if there is none. */
bool faults_take_rest(struct faults *faults, const char *endpoint, struct rest_fault *fault);
/* Answers still to spoil, by all faults together. */
int64_t faults_rest_left(const struct faults *faults);
void faults_clear(struct faults *faults);

#endif
