/* Conditions whose deadlines go by clock_monotonic_us, so that a clock that is set does not stretch
 * a wait. Destroyed, signalled and waited for without a deadline as any pthread_cond_t. */
#ifndef BASE_MONOTONIC_COND_H
#define BASE_MONOTONIC_COND_H

#include <pthread.h>
#include <stdint.h>

void monotonic_cond_init(pthread_cond_t *cond);

/* With lock held, as pthread_cond_timedwait: 0 when woken, for no reason perhaps, or ETIMEDOUT once
 * clock_monotonic_us has reached deadline_us. */
int monotonic_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us);

#endif
