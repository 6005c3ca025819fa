#include "schedule_loop.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "base/shutdown.h"
#include "command_plan.h"
#include "domain/instrument_selection.h"
#include "io/kafka_consumer.h"
#include "result_reader.h"

enum {
    TICK_MS = 200,       /* a firing is at most this late */
    REPLAY_TICK_MS = 10, /* while the topics are read, there is always more to do */
    PROGRESS_INTERVAL_MS = 60 * 1000,
    LOG_INTERVAL_MS = 10 * 1000,
    GROUP_BYTES = TOPIC_NAME_BYTES + 16,
};

/* STANDBY -> REPLAYING when the partition is ours, -> ACTIVE when the topics are read; back to
 * STANDBY when it is not ours any more. */
enum role { ROLE_STANDBY, ROLE_REPLAYING, ROLE_ACTIVE };

struct loop_metrics {
    struct metric *active;
    struct metric *outstanding;
    struct metric *given_up;
    struct metric *bars_total;
    struct metric *bars_done;
    struct metric *candles_fired;
    struct metric *currencies_fired;
};

struct schedule_loop {
    const struct schedule_loop_options *options;
    struct instrument_selection instruments;
    struct kafka_consumer *membership; /* only says who is active; its records are not read */
    bool is_owner;                     /* the group's partition is ours */
    bool is_suspended;                 /* between two assignments: nobody knows whose it is */
    bool was_lost;                     /* someone else may have had it meanwhile */
    enum role role;
    int64_t now_ms;            /* wall clock, once per turn */
    int64_t replay_started_ms; /* monotonic */
    int64_t next_progress_ms;  /* monotonic */
    struct command_plan *plan; /* NULL in standby, and so is the reader */
    struct result_reader *reader;
    struct loop_metrics metrics;
    struct log_limiter failure_limiter;
    struct log_limiter publish_limiter;
};

/* --- membership of the group ------------------------------------------------------------------ */

static void on_revoke(const rd_kafka_topic_partition_list_t *revoked, bool lost, void *context)
{
    struct schedule_loop *loop = context;

    (void)revoked;
    loop->is_suspended = true;
    loop->was_lost = loop->was_lost || lost;
}

static void on_assigned(const rd_kafka_topic_partition_list_t *gained,
                        const rd_kafka_topic_partition_list_t *dropped, void *context)
{
    struct schedule_loop *loop = context;

    loop->is_suspended = false;
    if (gained->cnt > 0)
        loop->is_owner = true;
    else if (dropped->cnt > 0)
        loop->is_owner = false;
    kafka_consumer_pause_all(loop->membership);
}

static int join_group(struct schedule_loop *loop, struct err *err)
{
    const struct kafka_settings *kafka = &loop->options->config->kafka;
    const char *const topics[] = {topic_name(&kafka->topics, TOPIC_FETCH_RESULTS)};
    char group_id[GROUP_BYTES];
    const struct kafka_consumer_options options = {
        .client_id = "scheduler",
        .group_id = group_id,
        .topics = topics,
        .topic_count = 1,
        .offset_reset = "latest",
        .handler = {.on_revoke = on_revoke, .on_assigned = on_assigned, .context = loop},
    };

    snprintf(group_id, sizeof group_id, "%sscheduler",
             kafka->topic_prefix ? kafka->topic_prefix : "");
    loop->membership = kafka_consumer_create(kafka, &options, loop->options->metrics, err);
    return loop->membership ? 0 : -1;
}

/* --- records of the topics -------------------------------------------------------------------- */

static void log_failure(struct schedule_loop *loop, const struct fetch_result *result)
{
    int64_t suppressed = 0;

    if (!result->retriable)
        log_warn("a command failed for good", LOG_STR("id", result->command.id),
                 LOG_INT("attempt", result->command.attempt), LOG_STR("reason", result->error));
    else if (log_limiter_allow(&loop->failure_limiter, clock_monotonic_ms(), &suppressed))
        log_warn("a command failed, it will be asked again", LOG_STR("id", result->command.id),
                 LOG_INT("attempt", result->command.attempt), LOG_STR("reason", result->error),
                 LOG_INT("suppressed", suppressed));
}

static void on_result(const struct fetch_result *result, void *context)
{
    struct schedule_loop *loop = context;

    if (loop->role == ROLE_ACTIVE && result->status == FETCH_STATUS_FAILED)
        log_failure(loop, result);
    else if (loop->role == ROLE_ACTIVE && result->command.kind == FETCH_KIND_CURRENCIES)
        log_info("currencies fetched", LOG_STR("id", result->command.id),
                 LOG_STR("status", fetch_status_name(result->status)),
                 LOG_INT("records", result->records), LOG_STR("reason", result->error));
    command_plan_on_result(loop->plan, result, loop->now_ms);
}

static void on_command(const struct fetch_command *command, void *context)
{
    struct schedule_loop *loop = context;

    command_plan_on_command(loop->plan, command, loop->now_ms);
}

static void on_instrument(const char *inst_id, void *context)
{
    struct schedule_loop *loop = context;

    command_plan_on_instrument(loop->plan, inst_id);
}

/* --- roles ------------------------------------------------------------------------------------ */

static int start_replay(struct schedule_loop *loop, struct err *err)
{
    const struct scheduler_config *config = loop->options->config;
    const struct result_reader_handler handler = {
        .on_result = on_result,
        .on_command = on_command,
        .on_instrument = loop->instruments.is_all ? on_instrument : NULL,
        .context = loop,
    };

    loop->plan = command_plan_create(&(struct command_plan_options){
        .candles = config->candles_job,
        .currencies = config->currencies_job,
        .bars = config->bars,
        .bar_count = config->bar_count,
        .history_start_ms = config->history_start_ms,
        .instruments = &loop->instruments,
        .backfill_in_flight = config->backfill_in_flight,
        .command_timeout_ms = config->command_timeout_ms,
    });
    loop->reader = result_reader_create(&config->kafka, loop->options->registry, &handler,
                                        loop->options->metrics, err);
    if (!loop->reader)
        return -1;
    loop->role = ROLE_REPLAYING;
    loop->was_lost = false;
    loop->replay_started_ms = clock_monotonic_ms();
    log_info("this scheduler is to be the active one, reading what was done");
    return 0;
}

static void become_active(struct schedule_loop *loop)
{
    struct command_plan_progress progress;

    command_plan_finish_replay(loop->plan, loop->now_ms);
    loop->role = ROLE_ACTIVE;
    loop->next_progress_ms = clock_monotonic_ms() + PROGRESS_INTERVAL_MS;
    progress = command_plan_progress(loop->plan);
    log_info("this scheduler is the active one", LOG_INT("outstanding", progress.outstanding),
             LOG_INT("instruments", progress.instruments),
             LOG_INT("replay_ms", clock_monotonic_ms() - loop->replay_started_ms));
}

static void step_down(struct schedule_loop *loop)
{
    loop->role = ROLE_STANDBY;
    result_reader_destroy(loop->reader);
    loop->reader = NULL;
    command_plan_destroy(loop->plan);
    loop->plan = NULL;
}

static int take_role(struct schedule_loop *loop, struct err *err)
{
    if (loop->role != ROLE_STANDBY &&
        (loop->was_lost || (!loop->is_owner && !loop->is_suspended))) {
        step_down(loop);
        log_info("this scheduler is a standby now");
    }
    if (loop->role == ROLE_STANDBY && loop->is_owner && !loop->is_suspended)
        return start_replay(loop, err);
    return 0;
}

/* --- publishing ------------------------------------------------------------------------------- */

static void log_firing(const char *job, int64_t firing_ms, int64_t commands)
{
    char firing[RFC3339_BYTES];

    rfc3339_format_s(firing_ms, firing);
    log_info("job fired", LOG_STR("job", job), LOG_STR("firing", firing),
             LOG_INT("commands", commands));
}

/* Publishes until there is nothing to ask or Kafka takes no more for now. *scheduled is the number
 * of candle commands of the schedule. */
static int publish_due(struct schedule_loop *loop, int64_t *scheduled, struct err *err)
{
    struct fetch_command command;
    int64_t suppressed = 0;

    while (!shutdown_requested() && command_plan_next(loop->plan, loop->now_ms, &command)) {
        if (command_publisher_send(loop->options->publisher, &command, err) != 0) {
            if (!err->retriable)
                return err_wrap(err, "publish %s", command.id);
            if (log_limiter_allow(&loop->publish_limiter, clock_monotonic_ms(), &suppressed))
                log_warn("Kafka takes no commands for now", LOG_STR("reason", err->message));
            return 0;
        }
        command_plan_on_command(loop->plan, &command, loop->now_ms);
        if (command.kind == FETCH_KIND_CURRENCIES)
            log_info("currencies asked for", LOG_STR("id", command.id),
                     LOG_INT("attempt", command.attempt));
        else if (command.reason == FETCH_REASON_SCHEDULE)
            (*scheduled)++;
    }
    return 0;
}

static void refresh_metrics(struct schedule_loop *loop)
{
    const struct loop_metrics *metrics = &loop->metrics;
    struct command_plan_progress progress = {0};

    if (loop->plan)
        progress = command_plan_progress(loop->plan);
    metric_set(metrics->active, loop->role == ROLE_ACTIVE && !loop->is_suspended);
    metric_set(metrics->outstanding, (int64_t)progress.outstanding);
    metric_set(metrics->given_up, (int64_t)progress.given_up);
    metric_set(metrics->bars_total, progress.bars_total);
    metric_set(metrics->bars_done, progress.bars_covered);
    metric_set(metrics->candles_fired, progress.candles_firing_ms.value);
    metric_set(metrics->currencies_fired, progress.currencies_firing_ms.value);
}

static void log_progress(struct schedule_loop *loop)
{
    const struct command_plan_progress progress = command_plan_progress(loop->plan);

    if (clock_monotonic_ms() < loop->next_progress_ms)
        return;
    loop->next_progress_ms = clock_monotonic_ms() + PROGRESS_INTERVAL_MS;
    log_info("progress", LOG_INT("bars_done", progress.bars_covered),
             LOG_INT("bars_total", progress.bars_total),
             LOG_INT("outstanding", progress.outstanding), LOG_INT("given_up", progress.given_up),
             LOG_INT("instruments", progress.instruments));
}

static int work(struct schedule_loop *loop, struct err *err)
{
    int64_t firing_ms = 0;
    int64_t scheduled = 0;
    const bool has_fired = command_plan_fire_candles(loop->plan, loop->now_ms, &firing_ms);

    if (publish_due(loop, &scheduled, err) != 0)
        return -1;
    if (has_fired && scheduled > 0) /* at a takeover, the newest firing is usually done already */
        log_firing("candles", firing_ms, scheduled);
    log_progress(loop);
    return 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

static int run_role(struct schedule_loop *loop, struct err *err)
{
    loop->now_ms = clock_wall_ms();
    if (take_role(loop, err) != 0)
        return -1;
    if (loop->role == ROLE_STANDBY)
        return 0;
    result_reader_poll(loop->reader);
    if (loop->role == ROLE_REPLAYING && result_reader_is_caught_up(loop->reader))
        become_active(loop);
    return loop->role == ROLE_ACTIVE && !loop->is_suspended ? work(loop, err) : 0;
}

static int turn(struct schedule_loop *loop, struct err *err)
{
    rd_kafka_message_t *message = NULL;
    const char *reason = "not connected to any broker";

    message = kafka_consumer_poll(loop->membership,
                                  loop->role == ROLE_REPLAYING ? REPLAY_TICK_MS : TICK_MS, err);
    if (message)
        rd_kafka_message_destroy(message);
    else if (err->code != ERR_NONE)
        return -1;
    if (run_role(loop, err) != 0)
        return -1;
    refresh_metrics(loop);
    if (kafka_consumer_is_connected(loop->membership))
        reason = kafka_consumer_denial(loop->membership);
    status_server_set_condition(loop->options->status, "kafka", !reason, reason);
    status_server_beat(loop->options->status);
    return 0;
}

static void create_metrics(struct loop_metrics *loop, struct metrics *metrics)
{
    static const char fired_name[] = "currency_trends_job_last_fired_timestamp_seconds";
    static const char fired_help[] = "The newest firing that was acted on.";

    loop->active = metrics_gauge(metrics, "currency_trends_scheduler_active",
                                 "1 if this scheduler publishes, 0 if it stands by.", NULL);
    loop->outstanding = metrics_gauge(metrics, "currency_trends_commands_outstanding",
                                      "Commands that a result is expected for.", NULL);
    loop->given_up =
        metrics_gauge(metrics, "currency_trends_commands_given_up",
                      "Commands that failed for good; they are tried once a day.", NULL);
    loop->bars_total = metrics_gauge(metrics, "currency_trends_backfill_bars_total",
                                     "Bars wanted since HISTORY_START.", NULL);
    loop->bars_done =
        metrics_gauge(metrics, "currency_trends_backfill_bars_done", "Bars fetched of them.", NULL);
    loop->candles_fired = metrics_gauge_millis(metrics, fired_name, fired_help, "job=\"candles\"");
    loop->currencies_fired =
        metrics_gauge_millis(metrics, fired_name, fired_help, "job=\"currencies\"");
}

int schedule_loop_run(const struct schedule_loop_options *options, struct err *err)
{
    struct schedule_loop loop = {
        .options = options,
        .failure_limiter = {.interval_ms = LOG_INTERVAL_MS},
        .publish_limiter = {.interval_ms = LOG_INTERVAL_MS},
    };
    struct config_problems problems = {0}; /* there are none: the settings were checked at start */
    int status = 0;

    instrument_selection_read(&options->config->instruments, &loop.instruments, &problems);
    config_problems_clear(&problems);
    create_metrics(&loop.metrics, options->metrics);
    status = join_group(&loop, err);
    while (status == 0 && !shutdown_requested())
        status = turn(&loop, err);
    step_down(&loop);
    kafka_consumer_destroy(loop.membership);
    instrument_selection_clear(&loop.instruments);
    return status;
}
