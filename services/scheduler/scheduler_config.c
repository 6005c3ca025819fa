#include "scheduler_config.h"

#include <stdbool.h>
#include <string.h>

#include "base/rfc3339.h"
#include "io/probe.h"

static const struct setting settings[] = {
    INSTRUMENT_SETTINGS(struct scheduler_config, instruments),
    {.name = "CANDLE_BARS",
     .type = SETTING_TEXT,
     .fallback = "1H",
     .offset = offsetof(struct scheduler_config, candle_bars),
     .meaning = "OKX bar sizes to fetch, separated by commas: 1m,1H,1Dutc"},
    {.name = "HISTORY_START",
     .type = SETTING_TEXT,
     .fallback = "2020-01-01",
     .offset = offsetof(struct scheduler_config, history_start),
     .meaning = "how far back candles are fetched: a date, or a time in RFC 3339"},
    {.name = "CANDLES_CRON",
     .type = SETTING_TEXT,
     .fallback = "0 * * * *",
     .offset = offsetof(struct scheduler_config, candles_cron),
     .meaning = "when closed candles are fetched, cron in UTC; off: no candles, nor history"},
    {.name = "CURRENCIES_CRON",
     .type = SETTING_TEXT,
     .fallback = "0 8,21 * * *",
     .offset = offsetof(struct scheduler_config, currencies_cron),
     .meaning = "when the list of currencies is fetched, cron in UTC; off: never"},
    {.name = "BACKFILL_IN_FLIGHT",
     .type = SETTING_INT,
     .fallback = "8",
     .min = 1,
     .max = 1000,
     .offset = offsetof(struct scheduler_config, backfill_in_flight),
     .meaning = "history commands under way at once, each up to 5 requests to OKX"},
    {.name = "COMMAND_TIMEOUT",
     .type = SETTING_DURATION_MS,
     .fallback = "15m",
     .min = 1000,
     .max = INT64_C(24) * 60 * 60 * 1000,
     .offset = offsetof(struct scheduler_config, command_timeout_ms),
     .meaning = "a command without a result is asked again after this (doubling; repairs of trades "
                "after 24 times this)"},
    KAFKA_SETTINGS(struct scheduler_config, kafka),
    SCHEMA_REGISTRY_SETTINGS(struct scheduler_config, registry),
    SERVICE_SETTINGS(struct scheduler_config, service),
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static void read_bars(struct scheduler_config *config, struct config_problems *problems)
{
    struct text_view rest = text_view_of(config->candle_bars);
    struct text_view item;

    config->bar_count = 0;
    while (text_view_split(&rest, ',', &item)) {
        char name[CANDLE_BAR_BYTES] = "";
        const struct candle_bar *bar = NULL;
        bool is_repeated = false;

        item = text_view_trim(item);
        if (item.length < sizeof name)
            memcpy(name, item.data, item.length);
        bar = candle_bar_find(name);
        if (!bar) {
            config_problems_add(problems, "CANDLE_BARS: '%.*s' is not a bar size of OKX",
                                TEXT_VIEW_ARGS(item));
            continue;
        }
        for (size_t i = 0; i < config->bar_count; i++)
            is_repeated = is_repeated || config->bars[i] == bar;
        if (!is_repeated)
            config->bars[config->bar_count++] = bar;
    }
}

static void read_history_start(struct scheduler_config *config, struct config_problems *problems)
{
    struct err err = {0};

    if (rfc3339_parse_ms(text_view_of(config->history_start), &config->history_start_ms, &err) != 0)
        config_problems_add(problems, "HISTORY_START: %s", err.message);
    else if (config->history_start_ms < 0)
        config_problems_add(problems, "HISTORY_START: '%s' is before 1970", config->history_start);
}

static void read_job(const char *name, const char *text, struct job_schedule *job,
                     struct config_problems *problems)
{
    struct err err = {0};

    if (job_schedule_parse(text, job, &err) != 0)
        config_problems_add(problems, "%s: %s", name, err.message);
}

static void validate(void *target, struct config_problems *problems)
{
    struct scheduler_config *config = target;
    struct instrument_selection selection = {0};

    instrument_selection_read(&config->instruments, &selection, problems);
    instrument_selection_clear(&selection);
    read_bars(config, problems);
    read_history_start(config, problems);
    read_job("CANDLES_CRON", config->candles_cron, &config->candles_job, problems);
    read_job("CURRENCIES_CRON", config->currencies_cron, &config->currencies_job, problems);
    kafka_settings_load_properties(&config->kafka, problems);
}

static int probe(const void *config)
{
    return probe_run(((const struct scheduler_config *)config)->service.status_address, "/readyz");
}

const struct program scheduler_program = {
    .name = "scheduler",
    .summary = "turns schedules and missing history into commands for the ingestors",
    .actions =
        "  --next-firings EXPR FROM COUNT [EXPR FROM COUNT]...\n"
        "                  the next COUNT firings of a cron expression after FROM (a date, a\n"
        "                  time or now); a negative COUNT: those at or before it, latest first\n",
    .settings = settings,
    .setting_count = SETTING_COUNT,
    .validate = validate,
    .probe = probe,
};

void scheduler_config_clear(struct scheduler_config *config)
{
    kafka_settings_clear_properties(&config->kafka);
    env_config_clear(settings, SETTING_COUNT, config);
}
