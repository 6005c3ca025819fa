/*
 * Lets ThreadSanitizer see librdkafka's threads and locks. librdkafka uses C11's <threads.h>, which
 * the sanitizer does not know (its runtime crashes in our callbacks on such threads); these stand
 * in for the C library's functions and go by the POSIX ones, which it knows. glibc's mtx_t, cnd_t
 * and thrd_t have the size of their POSIX counterparts.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define IS_TSAN 1
#endif

#ifdef IS_TSAN

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#include "base/mem.h"

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mutex does not fit");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a condition does not fit");

struct start {
    thrd_start_t function;
    void *argument;
};

static void *run(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    return (void *)(intptr_t)start.function(start.argument);
}

static int result(int error)
{
    if (error == 0)
        return thrd_success;
    return error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start *start = mem_alloc(sizeof *start);

    *start = (struct start){.function = function, .argument = argument};
    return result(pthread_create(thread, NULL, run, start));
}

int thrd_join(thrd_t thread, int *status)
{
    void *value;
    int error = pthread_join(thread, &value);

    if (error == 0 && status)
        *status = (int)(intptr_t)value;
    return result(error);
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    int error;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, (type & mtx_recursive) ? PTHREAD_MUTEX_RECURSIVE
                                                                  : PTHREAD_MUTEX_NORMAL);
    error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result(error);
}

int mtx_lock(mtx_t *mutex)
{
    return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline)
{
    return result(
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, deadline));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

#endif
