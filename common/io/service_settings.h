/* The settings that every service has: logging and the status port. */
#ifndef IO_SERVICE_SETTINGS_H
#define IO_SERVICE_SETTINGS_H

#include <stddef.h>

#include "base/env_config.h"

struct service_settings {
    char *status_address;
    char *log_level;
    char *log_format;
};

#define SERVICE_SETTINGS(config_type, member)                                                      \
    {.name = "STATUS_ADDRESS",                                                                     \
     .type = SETTING_TEXT,                                                                         \
     .fallback = "0.0.0.0:9100",                                                                   \
     .offset = offsetof(config_type, member.status_address),                                       \
     .meaning = "where /metrics, /livez and /readyz are served"},                                  \
        {.name = "LOG_LEVEL",                                                                      \
         .type = SETTING_CHOICE,                                                                   \
         .fallback = "info",                                                                       \
         .choices = "debug|info|warn|error",                                                       \
         .offset = offsetof(config_type, member.log_level),                                        \
         .meaning = "least level that is logged"},                                                 \
    {                                                                                              \
        .name = "LOG_FORMAT", .type = SETTING_CHOICE, .fallback = "json", .choices = "json|text",  \
        .offset = offsetof(config_type, member.log_format),                                        \
        .meaning = "a JSON object per line, or text for people"                                    \
    }

/* Configures the logger by these settings. */
void service_settings_apply(const struct service_settings *settings, const char *service);

#endif
