/*
 * What a thread raises when the process cannot keep its promises any more (Kafka refuses a record
 * for good): logged once, the process stops in order and ends with status 1. Whoever starts it
 * again loses nothing, since positions and offsets only ever move behind acknowledged records.
 * Thread-safe.
 */
#ifndef INGESTOR_SERVICE_FAILURE_H
#define INGESTOR_SERVICE_FAILURE_H

#include <stdatomic.h>

struct service_failure {
    atomic_bool has_happened;
};

/* what: a constant for the log; reason: a sentence. Nothing once the process is stopping anyway. */
void service_failure_raise(struct service_failure *failure, const char *what, const char *reason);

#endif
