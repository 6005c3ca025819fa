#include "service_failure.h"

#include "base/log.h"
#include "base/shutdown.h"

void service_failure_raise(struct service_failure *failure, const char *what, const char *reason)
{
    if (shutdown_requested() || atomic_exchange(&failure->has_happened, true))
        return;
    log_error(what, LOG_STR("reason", reason));
    shutdown_request();
}
