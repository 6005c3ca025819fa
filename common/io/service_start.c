#include "io/service_start.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/shutdown.h"

enum {
    DELAY_MIN_MS = 100,
    DELAY_BASE_MS = 250,
    DELAY_MAX_MS = 5000,
    LINE_INTERVAL_MS = 5000,
    ANEW_DELAY_MS = 500,
};

static void show_failure(const char *condition, struct status_server *status, const struct err *err,
                         struct log_limiter *limiter)
{
    int64_t suppressed;

    if (status) {
        status_server_set_condition(status, condition, false, err->message);
        status_server_beat(status);
    }
    if (err->retriable && log_limiter_allow(limiter, clock_monotonic_ms(), &suppressed))
        log_warn("not ready yet, trying again", LOG_STR("condition", condition),
                 LOG_STR("reason", err->message));
}

int service_start_await(const char *condition, int (*attempt)(void *context, struct err *err),
                        void *context, struct status_server *status, struct err *err)
{
    struct log_limiter limiter = {.interval_ms = LINE_INTERVAL_MS};
    struct backoff backoff;

    backoff_init(&backoff, DELAY_MIN_MS, DELAY_BASE_MS, DELAY_MAX_MS, 0);
    if (status)
        status_server_set_condition(status, condition, false, "starting");
    while (attempt(context, err) != 0) {
        show_failure(condition, status, err, &limiter);
        if (!err->retriable)
            return -1;
        if (shutdown_wait_ms(backoff_next_ms(&backoff)))
            return err_set(err, ERR_STOPPED, "stopped while waiting for %s", condition);
    }
    if (status) {
        status_server_set_condition(status, condition, true, NULL);
        status_server_beat(status);
    }
    return 0;
}

bool service_begins_anew(bool is_producer_lost)
{
    if (!is_producer_lost || !shutdown_withdraw())
        return false;
    log_warn("beginning anew with another producer");
    return !shutdown_wait_ms(ANEW_DELAY_MS);
}
