/* The plan against a simulated ingestor and a simulated Kafka: whatever fails, is lost or is
 * restarted, every bar is fetched, and what is done is not asked again. */
#include "tests/unit/services/scheduler/plan_fixture.h"

#include <stdlib.h>

#include "base/mem.h"

enum { INSTRUMENTS = 3, RECORDS_MAX = 20000, SIM_HOURS_MAX = 24 * 900 };
static const char *const sim_inst_ids[INSTRUMENTS] = {"BTC-USDT", "ETH-USDT", "TON-USDT"};

struct sim {
    struct command_plan *plan;
    uint64_t random;
    int64_t start_ms;
    int64_t now_ms;
    struct fetch_command *control; /* the topics */
    size_t control_count;
    struct fetch_result *results;
    size_t result_count;
    size_t next_unread;                       /* of control, by the ingestor */
    bool is_done[INSTRUMENTS][SIM_HOURS_MAX]; /* the judge */
    int64_t repeated_bars;                    /* asked though they were done */
};

static uint64_t sim_random(struct sim *sim, uint64_t below)
{
    sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (sim->random >> 33) % below;
}

static bool *sim_bars(struct sim *sim, const struct fetch_command *command, int64_t *count)
{
    int index = 0;

    while (strcmp(sim_inst_ids[index], command->inst_id) != 0)
        index++;
    assert_true(command->from_time_ms.value >= sim->start_ms);
    assert_true(command->to_time_ms.value <= sim->now_ms);
    *count = (command->to_time_ms.value - command->from_time_ms.value) / HOUR;
    assert_true(*count > 0 && *count <= 1500);
    return &sim->is_done[index][(command->from_time_ms.value - sim->start_ms) / HOUR];
}

static void sim_publish(struct sim *sim)
{
    struct fetch_command command;
    int64_t firing_ms = 0;

    (void)command_plan_fire_candles(sim->plan, sim->now_ms, &firing_ms);
    while (take(sim->plan, sim->now_ms, &command)) {
        int64_t count = 0;
        const bool *bars = sim_bars(sim, &command, &count);

        for (int64_t i = 0; i < count && command.reason == FETCH_REASON_BACKFILL; i++)
            sim->repeated_bars += bars[i];
        assert_true(sim->control_count < RECORDS_MAX);
        sim->control[sim->control_count++] = command;
    }
}

static void sim_settle(struct sim *sim, const struct fetch_command *command)
{
    const uint64_t chance = sim_random(sim, 100);
    struct fetch_result *result = &sim->results[sim->result_count];
    int64_t count = 0;
    bool *bars = sim_bars(sim, command, &count);

    if (chance < 3)
        return; /* lost */
    *result = result_of(command,
                        chance < 25   ? FETCH_STATUS_FAILED
                        : chance < 35 ? FETCH_STATUS_INCOMPLETE
                                      : FETCH_STATUS_DONE,
                        chance >= 4);
    for (int64_t i = 0; i < count && result->status != FETCH_STATUS_FAILED; i++)
        bars[i] = true;
    assert_true(++sim->result_count < RECORDS_MAX);
    command_plan_on_result(sim->plan, result, sim->now_ms);
}

/* The ingestor settles some of the commands that wait, not always in their order. */
static void sim_ingest(struct sim *sim)
{
    for (uint64_t budget = sim_random(sim, 6); budget > 0 && sim->next_unread < sim->control_count;
         budget--) {
        const size_t waiting = sim->control_count - sim->next_unread;
        const size_t chosen = sim->next_unread + sim_random(sim, waiting < 4 ? waiting : 4);
        const struct fetch_command command = sim->control[chosen];

        sim->control[chosen] = sim->control[sim->next_unread];
        sim->control[sim->next_unread++] = command;
        sim_settle(sim, &command);
    }
}

/* Forgets the plan and rebuilds it from the topics; of results with the same id a compacted topic
 * keeps only the last. */
static void sim_restart(struct sim *sim, bool is_compacted)
{
    command_plan_destroy(sim->plan);
    sim->plan = plan_of("BTC-USDT,ETH-USDT,TON-USDT", "2024-06-30T12:00:00Z", "0 * * * *", "off");
    for (size_t i = 0; i < sim->result_count; i++) {
        bool is_superseded = false;

        for (size_t j = i + 1; is_compacted && j < sim->result_count && !is_superseded; j++)
            is_superseded = strcmp(sim->results[i].command.id, sim->results[j].command.id) == 0;
        if (!is_superseded)
            command_plan_on_result(sim->plan, &sim->results[i], sim->now_ms);
    }
    for (size_t i = 0; i < sim->control_count; i++)
        command_plan_on_command(sim->plan, &sim->control[i], sim->now_ms);
    command_plan_finish_replay(sim->plan, sim->now_ms);
}

static bool sim_is_complete(const struct sim *sim)
{
    const struct command_plan_progress progress = command_plan_progress(sim->plan);

    return progress.bars_total > 0 && progress.bars_covered == progress.bars_total &&
           progress.outstanding == 0 && sim->next_unread == sim->control_count;
}

static void sim_assert_no_hole(const struct sim *sim, int64_t horizon_ms)
{
    const int64_t hours = (horizon_ms - sim->start_ms) / HOUR;

    for (int i = 0; i < INSTRUMENTS; i++) {
        for (int64_t hour = 0; hour < hours; hour++) {
            if (!sim->is_done[i][hour])
                fail_msg("%s lacks hour %d of %d", sim_inst_ids[i], (int)hour, (int)hours);
        }
    }
}

static struct sim *sim_create(uint64_t seed)
{
    struct sim *sim = mem_calloc(1, sizeof *sim);

    sim->random = seed;
    sim->start_ms = time_of("2024-06-30T12:00:00Z");
    sim->now_ms = time_of("2026-11-20T12:34:56Z");
    sim->control = mem_calloc(RECORDS_MAX, sizeof sim->control[0]);
    sim->results = mem_calloc(RECORDS_MAX, sizeof sim->results[0]);
    sim_restart(sim, false);
    return sim;
}

static void sim_destroy(struct sim *sim)
{
    command_plan_destroy(sim->plan);
    free(sim->control);
    free(sim->results);
    free(sim);
}

static void sim_run(uint64_t seed, bool restarts, bool is_compacted)
{
    enum { STEPS_MAX = 20000 };
    struct sim *sim = sim_create(seed);
    int step = 0;

    do {
        sim_publish(sim);
        sim_ingest(sim);
        if (restarts && sim_random(sim, 40) == 0)
            sim_restart(sim, is_compacted);
        sim->now_ms += (int64_t)sim_random(sim, 120 * 1000);
        assert_true(step++ < STEPS_MAX);
    } while (!sim_is_complete(sim));
    sim_assert_no_hole(sim, sim->now_ms - 2 * MINUTE);
    if (!is_compacted)
        assert_true(sim->repeated_bars == 0);
    else /* a failure may hide an earlier success of the same tail, never a piece of history */
        assert_true(sim->repeated_bars < 24 * 100);
    sim_destroy(sim);
}

static void every_bar_is_fetched_whatever_the_ingestor_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        sim_run(seed, false, false);
}

static void a_restart_at_any_point_goes_on_where_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 200; seed++)
        sim_run(seed, true, false);
}

static void compaction_of_the_results_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 201; seed <= 300; seed++)
        sim_run(seed, true, true);
}

/* Right after a restart, the plan wants what it would have wanted without. */
static void a_rebuilt_plan_wants_the_same_pieces(void **state)
{
    struct sim *sim = sim_create(42);
    struct command_plan *old = NULL;

    (void)state;
    for (int step = 0; step < 12; step++) {
        sim_publish(sim);
        sim_ingest(sim);
        sim->now_ms += SECOND;
    }
    old = sim->plan;
    sim->plan = plan_of("BTC-USDT,ETH-USDT,TON-USDT", "2024-06-30T12:00:00Z", "0 * * * *", "off");
    sim_restart(sim, true);
    {
        const int64_t now_ms = sim->now_ms;
        int64_t firing_ms = 0;
        const struct command_plan_progress before = command_plan_progress(old);

        (void)command_plan_fire_candles(sim->plan, now_ms, &firing_ms);
        assert_true(command_plan_progress(sim->plan).bars_covered == before.bars_covered);
        assert_true(command_plan_progress(sim->plan).bars_total == before.bars_total);
        assert_int_equal(command_plan_progress(sim->plan).outstanding, before.outstanding);
        assert_int_equal(command_plan_progress(sim->plan).given_up, before.given_up);
    }
    command_plan_destroy(old);
    sim_destroy(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bar_is_fetched_whatever_the_ingestor_does),
        cmocka_unit_test(a_restart_at_any_point_goes_on_where_it_was),
        cmocka_unit_test(compaction_of_the_results_loses_nothing),
        cmocka_unit_test(a_rebuilt_plan_wants_the_same_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
