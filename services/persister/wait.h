/* Waiting that another thread can end. */
#ifndef PERSISTER_WAIT_H
#define PERSISTER_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Sleeps delay_ms, or less when *abandon is set meanwhile (noticed within 50 ms); true if it is. */
bool wait_unless(const atomic_bool *abandon, int64_t delay_ms);

#endif
