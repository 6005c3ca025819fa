#include "io/service_settings.h"

#include <string.h>

#include "base/log.h"

void service_settings_apply(const struct service_settings *settings, const char *service)
{
    enum log_level level = LOG_LEVEL_INFO;

    log_level_from_name(settings->log_level, &level);
    log_configure(service, level,
                  strcmp(settings->log_format, "text") == 0 ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON);
}
