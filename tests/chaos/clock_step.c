/*
 * For LD_PRELOAD: the program's wall clock is off by the seconds that CLOCK_STEP_FILE holds (an
 * int64, mapped, so that it may change at any time). Steady clocks go on as they are, and waits
 * until a time of the wall clock last as long as they would without the step.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t no_step = 0;
static const volatile int64_t *step = &no_step;

__attribute__((constructor)) static void open_step(void)
{
    const char *path = getenv("CLOCK_STEP_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped;

    if (file < 0)
        return;
    mapped = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        step = mapped;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int is_wall(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static struct timespec true_time(const struct timespec *shown)
{
    return (struct timespec){shown->tv_sec - *step, shown->tv_nsec};
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*real)(clockid_t, struct timespec *);
    int status;

    if (!real)
        real = next("clock_gettime");
    status = real(clock, time);
    if (status == 0 && is_wall(clock))
        time->tv_sec += *step;
    return status;
}

int timespec_get(struct timespec *time, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, time) == 0 ? base : 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (result)
        *result = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline)
{
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec moment = true_time(deadline);
    int64_t away;
    struct timespec now;

    if (!real) /* on x86-64 there is an older one, of another layout, which dlsym would give */
        real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real)
        real = next("pthread_cond_timedwait");
    /* A condition of the steady clock has a deadline near that clock's time, which is far from the
     * wall clock's. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    away = deadline->tv_sec - now.tv_sec;
    if (away > -INT64_C(100000000) && away < INT64_C(100000000))
        moment = *deadline;
    return real(condition, mutex, &moment);
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline)
{
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec moment = true_time(deadline);

    if (!real)
        real = next("cnd_timedwait");
    return real(condition, mutex, &moment);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                            const struct timespec *restrict deadline)
{
    static int (*real)(pthread_mutex_t *, const struct timespec *);
    struct timespec moment = true_time(deadline);

    if (!real)
        real = next("pthread_mutex_timedlock");
    return real(mutex, &moment);
}

int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *deadline)
{
    static int (*real)(pthread_t, void **, const struct timespec *);
    struct timespec moment = true_time(deadline);

    if (!real)
        real = next("pthread_timedjoin_np");
    return real(thread, value, &moment);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline)
{
    static int (*real)(sem_t *, const struct timespec *);
    struct timespec moment = true_time(deadline);

    if (!real)
        real = next("sem_timedwait");
    return real(semaphore, &moment);
}
