#include "domain/fetch_command.h"

#include <stdio.h>

#include "base/rfc3339.h"

static const char CURRENCIES_KEY[] = "currencies";

const char *fetch_kind_name(enum fetch_kind kind)
{
    switch (kind) {
    case FETCH_KIND_TRADES:
        return "trades";
    case FETCH_KIND_CANDLES:
        return "candles";
    case FETCH_KIND_CURRENCIES:
        return "currencies";
    }
    return "unknown";
}

const char *fetch_command_key(const struct fetch_command *command)
{
    return command->kind == FETCH_KIND_CURRENCIES ? CURRENCIES_KEY : command->inst_id;
}

static struct optional_int64 present(int64_t value)
{
    return (struct optional_int64){.present = true, .value = value};
}

void fetch_command_for_trades(struct fetch_command *command, const char *inst_id, int64_t from_id,
                              int64_t to_id, enum fetch_reason reason, int64_t now_ms)
{
    *command = (struct fetch_command){
        .kind = FETCH_KIND_TRADES,
        .from_id = present(from_id),
        .to_id = present(to_id),
        .reason = reason,
        .attempt = 1,
        .created_at_ms = now_ms,
    };
    snprintf(command->inst_id, sizeof command->inst_id, "%s", inst_id);
    snprintf(command->id, sizeof command->id, "trades/%s/%lld-%lld", command->inst_id,
             (long long)from_id, (long long)to_id);
}

void fetch_command_for_candles(struct fetch_command *command, const char *inst_id, const char *bar,
                               int64_t from_time_ms, int64_t to_time_ms, enum fetch_reason reason,
                               int64_t now_ms)
{
    char from_text[RFC3339_BYTES];

    *command = (struct fetch_command){
        .kind = FETCH_KIND_CANDLES,
        .from_time_ms = present(from_time_ms),
        .to_time_ms = present(to_time_ms),
        .reason = reason,
        .attempt = 1,
        .created_at_ms = now_ms,
    };
    rfc3339_format_s(from_time_ms, from_text);
    snprintf(command->inst_id, sizeof command->inst_id, "%s", inst_id);
    snprintf(command->bar, sizeof command->bar, "%s", bar);
    snprintf(command->id, sizeof command->id, "candles/%s/%s/%s", command->inst_id, command->bar,
             from_text);
}

void fetch_command_for_currencies(struct fetch_command *command, int64_t firing_time_ms,
                                  int64_t now_ms)
{
    char firing_text[RFC3339_BYTES];

    *command = (struct fetch_command){
        .kind = FETCH_KIND_CURRENCIES,
        .reason = FETCH_REASON_SCHEDULE,
        .attempt = 1,
        .created_at_ms = now_ms,
    };
    rfc3339_format_s(firing_time_ms, firing_text);
    snprintf(command->id, sizeof command->id, "%s/%s", CURRENCIES_KEY, firing_text);
}
