#include "tests/support/unit_test.h"

#include <pthread.h>

#include "base/clock.h"
#include "ingestor/fetch_job.h"
#include "ingestor/fetch_queue.h"

static struct fetch_job *push_command(struct fetch_queue *queue, enum fetch_reason reason,
                                      int32_t partition)
{
    struct fetch_job *job = fetch_job_create(FETCH_JOB_COMMAND, queue);

    job->result.command.reason = reason;
    job->partition = partition;
    fetch_queue_push(queue, job);
    return job;
}

static void gap_repairs_come_before_schedules_and_those_before_history(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    struct fetch_job *history = push_command(queue, FETCH_REASON_BACKFILL, 0);
    struct fetch_job *schedule = push_command(queue, FETCH_REASON_SCHEDULE, 0);
    struct fetch_job *gap = push_command(queue, FETCH_REASON_GAP, 0);
    struct fetch_job *later_gap = push_command(queue, FETCH_REASON_GAP, 0);
    struct fetch_job *const order[] = {gap, later_gap, schedule, history};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct fetch_job *job = fetch_queue_pop(queue);

        assert_ptr_equal(job, order[i]);
        fetch_job_destroy(job);
    }
    fetch_queue_destroy(queue);
}

static void a_job_that_comes_back_keeps_its_place(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    struct fetch_job *first = push_command(queue, FETCH_REASON_BACKFILL, 0);

    (void)state;
    push_command(queue, FETCH_REASON_BACKFILL, 0);
    for (int i = 0; i < 3; i++) {
        struct fetch_job *job = fetch_queue_pop(queue);

        assert_ptr_equal(job, first);
        fetch_queue_push(queue, job);
    }
    fetch_queue_destroy(queue);
}

static void a_job_waits_for_its_time_and_lets_others_pass(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    int64_t begun_ms = clock_monotonic_ms();
    struct fetch_job *waiting = fetch_job_create(FETCH_JOB_COMMAND, queue);

    (void)state;
    waiting->result.command.reason = FETCH_REASON_GAP;
    waiting->ready_at_ms = begun_ms + 60;
    fetch_queue_push(queue, waiting);
    struct fetch_job *history = push_command(queue, FETCH_REASON_BACKFILL, 0);
    struct fetch_job *job = fetch_queue_pop(queue);
    assert_ptr_equal(job, history);
    fetch_job_destroy(job);
    job = fetch_queue_pop(queue);
    assert_ptr_equal(job, waiting);
    assert_true(clock_monotonic_ms() >= begun_ms + 60);
    fetch_job_destroy(job);
    fetch_queue_destroy(queue);
}

static void a_lost_partitions_commands_are_given_up_but_not_their_results(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    struct fetch_job *kept = push_command(queue, FETCH_REASON_BACKFILL, 2);
    struct fetch_job *reporting = fetch_job_create(FETCH_JOB_COMMAND, queue);

    (void)state;
    push_command(queue, FETCH_REASON_GAP, 1);
    reporting->partition = 1;
    reporting->is_reporting = true;
    fetch_queue_push(queue, reporting);
    assert_int_equal(fetch_queue_commands(queue), 3);
    fetch_queue_discard(queue, 1);
    assert_int_equal(fetch_queue_commands(queue), 2);
    struct fetch_job *job = fetch_queue_pop(queue);
    assert_ptr_equal(job, reporting);
    fetch_job_destroy(job);
    job = fetch_queue_pop(queue);
    assert_ptr_equal(job, kept);
    fetch_job_destroy(job);
    assert_int_equal(fetch_queue_commands(queue), 0);
    fetch_queue_destroy(queue);
}

static void a_job_with_records_under_way_outlives_being_given_up(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    struct fetch_job *job = push_command(queue, FETCH_REASON_GAP, 1);

    (void)state;
    atomic_fetch_add(&job->unacknowledged, 1); /* a record is on its way to Kafka */
    fetch_queue_discard(queue, 1);
    assert_int_equal(fetch_queue_commands(queue), 1);
    assert_true(job->is_abandoned);
    assert_int_equal(atomic_fetch_sub(&job->unacknowledged, 1), 1); /* its report: the last one */
    fetch_queue_push(queue, job);
    assert_ptr_equal(fetch_queue_pop(queue), job);
    fetch_job_destroy(job);
    fetch_queue_destroy(queue);
}

static void *pop_one(void *argument)
{
    return fetch_queue_pop(argument);
}

static void closing_wakes_whoever_waits(void **state)
{
    struct fetch_queue *queue = fetch_queue_create();
    pthread_t thread;
    void *popped = queue;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, pop_one, queue), 0);
    fetch_queue_close(queue);
    pthread_join(thread, &popped);
    assert_null(popped);
    push_command(queue, FETCH_REASON_GAP, 0); /* still taken, and destroyed with the queue */
    assert_null(fetch_queue_pop(queue));
    fetch_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gap_repairs_come_before_schedules_and_those_before_history),
        cmocka_unit_test(a_job_that_comes_back_keeps_its_place),
        cmocka_unit_test(a_job_waits_for_its_time_and_lets_others_pass),
        cmocka_unit_test(a_lost_partitions_commands_are_given_up_but_not_their_results),
        cmocka_unit_test(a_job_with_records_under_way_outlives_being_given_up),
        cmocka_unit_test(closing_wakes_whoever_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
