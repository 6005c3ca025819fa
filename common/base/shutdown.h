/*
 * SIGTERM and SIGINT: the first asks the process to stop in order, the second ends it at once
 * (exit status 128 + signal). SIGPIPE is ignored. The only module that touches signals.
 */
#ifndef BASE_SHUTDOWN_H
#define BASE_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

/* Call once, before any thread is started. */
void shutdown_install(void);
/* Thread-safe and async-signal-safe. */
bool shutdown_requested(void);
/* As if SIGTERM had come: for a pipeline that cannot go on. Thread-safe. */
void shutdown_request(void);
/* Takes shutdown_request back, once everything that saw it has ended. False when a signal asks the
 * process to stop, whoever else did. */
bool shutdown_withdraw(void);
/* Becomes readable when shutdown is requested; for poll(). */
int shutdown_fd(void);
/* Sleeps up to delay_ms or until shutdown is requested; true if it was. Thread-safe. */
bool shutdown_wait_ms(int64_t delay_ms);

#endif
